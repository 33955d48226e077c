package parse

import (
	"strings"

	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// takeException accepts a text, a list of lines, or an object with type, message and stack as loggers write it.
func (p *parser) takeException(e *pipeline.Event, value []byte, escaped bool) outcome {
	switch value[0] {
	case '"':
		return p.takeText(&e.Exception, value, escaped, maxException)
	case '{', '[':
	default:
		return unusable
	}
	b := p.batch
	start := len(b.Text)
	b.Text = appendException(b.Text, gjson.Parse(pipeline.String(value)))
	if len(b.Text) == start {
		return unusable
	}
	e.Exception = cut(pipeline.String(b.Text[start:]), maxException)
	return copied
}

var (
	stackKeys = []string{"stack_trace", "stackTrace", "stacktrace", "stack", "extendedStackTrace", "traceback", "trace",
		"backtrace"}
	typeKeys    = []string{"type", "exc_type", "name", "class", "className", "ClassName", "errorType", "kind", "code"}
	messageKeys = []string{"message", "exc_value", "msg", "value", "Message", "errorMessage", "localizedMessage", "reason"}
)

// appendException appends "type: message" and the stack, whichever there are; a stack that starts with the message
// already stands alone.
func appendException(dst []byte, v gjson.Result) []byte {
	if v.IsArray() {
		first := v.Get("0")
		if first.Type == gjson.String {
			return appendLines(dst, v)
		}
		v = first // structlog lists the chain of causes, the last raised first
	}
	if values := v.Get("values.0"); values.IsObject() {
		v = values // Sentry
	}
	kind, message, stack := firstOf(v, typeKeys), firstOf(v, messageKeys), firstOf(v, stackKeys)
	start := len(dst)
	dst = appendLines(dst, stack)
	if len(dst) > start && (message.Type != gjson.String || strings.Contains(string(dst[start:]), message.Str)) {
		return dst
	}
	dst = appendLines(dst[:start], kind)
	if len(dst) > start && message.Exists() {
		dst = append(dst, ": "...)
	}
	dst = appendLines(dst, message)
	if before := len(dst); stack.Exists() {
		if before > start {
			dst = append(dst, '\n')
		}
		dst = appendLines(dst, stack)
	}
	return dst
}

// firstOf returns the first member of v among keys that is a text or a list.
func firstOf(v gjson.Result, keys []string) gjson.Result {
	for _, key := range keys {
		if r := v.Get(key); r.Type == gjson.String && r.Raw != `""` || r.IsArray() {
			return r
		}
	}
	return gjson.Result{}
}

// appendLines appends a text, or the texts of a list as lines.
func appendLines(dst []byte, v gjson.Result) []byte {
	switch {
	case v.Type == gjson.String && len(v.Raw) > 2:
		return unescape(dst, []byte(v.Raw[1:len(v.Raw)-1]))
	case v.IsArray():
		start := len(dst)
		v.ForEach(func(_, line gjson.Result) bool {
			if len(dst) > start {
				dst = append(dst, '\n')
			}
			dst = appendLines(dst, line)
			return len(dst)-start <= maxException
		})
	}
	return dst
}

// timeOfObject reads {"epochSecond":…,"nanoOfSecond":…} and {"seconds":…,"nanos":…}.
func timeOfObject(object string) (micros int64, ok bool) {
	for _, keys := range [...][2]string{{"epochSecond", "nanoOfSecond"}, {"seconds", "nanos"}} {
		s := gjson.Get(object, keys[0])
		if !s.Exists() {
			continue
		}
		micros, ok = parseEpoch(strings.Trim(s.Raw, `"`))
		nanos := gjson.Get(object, keys[1]).Int()
		return micros + nanos/1000, ok && nanos >= 0 && nanos < 1e9
	}
	return 0, false
}

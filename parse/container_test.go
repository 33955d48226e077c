package parse

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
)

const podPath = "/var/log/pods/shop_checkout-7d9f_1c0e-2b/web/0.log"

var (
	containerID = strings.Repeat("0a", 32)
	linkPath    = "/var/log/containers/checkout-7d9f_shop_web-" + containerID + ".log"
)

// parseFrom parses lines of the file at path. Those that begin with a + are joined to the line before.
func parseFrom(tb testing.TB, o Options, path string, lines ...string) *pipeline.Batch {
	tb.Helper()
	p, _ := newParser(tb, o)
	var joins []int
	for i := range lines {
		if rest, joined := strings.CutPrefix(lines[i], "+"); joined {
			lines[i] = rest
			joins = append(joins, i)
		}
	}
	b := batchOf(lines...)
	b.Path = path
	for _, i := range joins {
		b.Join(i-1, i)
	}
	p.Process(b)
	if l := b.Ledger(); l.Kept+l.Filtered+l.Dead != int64(len(lines)) {
		tb.Errorf("ledger %+v of %d lines", l, len(lines))
	}
	return b
}

func TestContainerLines(t *testing.T) {
	t.Parallel()
	const when = "2026-01-20T11:59:58.000000001Z"
	docker := func(body string) string { return `{"log":"` + body + `","stream":"stderr","time":"` + when + `"}` }
	cri := func(rest string) string { return when + " " + rest }
	f := func(line, want string) {
		t.Helper()
		b := parseFrom(t, Options{}, "", line)
		var got []string
		for _, e := range b.Events {
			got = append(got, fmt.Sprintf("%s|%s|%s|%s", time.UnixMicro(e.Time).UTC().Format("05"), e.Level, e.Message, e.Attrs))
		}
		for _, d := range b.Dead {
			got = append(got, "dead: "+d.Reason)
		}
		if s := strings.Join(got, "; "); s != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, s, want)
		}
	}
	f(docker(`hello\n`), `58||hello|{"stream":"stderr"}`)
	f(docker(`hello`), `58||hello|{"stream":"stderr"}`)
	f(docker(`tab\tquote\" \u00e9 \\n`), "58||tab\tquote\" é \\n|"+`{"stream":"stderr"}`)
	f(docker(`nul \u0000\n`), `58||nul `+"\uFFFD"+`|{"stream":"stderr"}`)
	f(docker(`{\"level\":\"info\",\"msg\":\"a\\nb\",\"n\":1}\n`), "58|INFO|a\nb|"+`{"n":1,"stream":"stderr"}`)
	f(docker(`{\"msg\":\"own time\",\"time\":\"2026-01-20T11:00:07Z\"}\n`), `07||own time|{"stream":"stderr"}`)
	f(docker(`{\"msg\":\"own stream\",\"stream\":7}\n`), `58||own stream|{"stream":7}`)
	f(docker(`{\"msg\":\n`), `dead: `+badEnd)
	f(docker(`\n`), ``)
	f(`{"log":"x\n","stream":"stdout","attrs":{"tag":"a"},"time":"`+when+`"}`, `58||x|{"stream":"stdout","attrs":{"tag":"a"}}`)
	// Only like it.
	f(`{"log":"x","stream":"other","time":"`+when+`"}`, `58|||{"log":"x","stream":"other"}`)
	f(`{"log":"x","stream":"stdout","more":1,"time":"`+when+`"}`, `58|||{"log":"x","stream":"stdout","more":1}`)
	f(`{"log":{"level":"warn"},"msg":"m"}`, `00|WARN|m|{"log":{"level":"warn"}}`)

	f(cri(`stdout F hello`), `58||hello|{"stream":"stdout"}`)
	f(cri(`stdout P hello`), `58||hello|{"stream":"stdout"}`)
	f(cri(`stderr F  indented`), `58|| indented|{"stream":"stderr"}`)
	f(cri(`stderr F:tag:more hello`), `58||hello|{"stream":"stderr"}`)
	f(cri(`stderr F ERROR: {"a":1}`), `58|ERROR|ERROR: {"a":1}|{"stream":"stderr"}`)
	f(cri(`stderr F {"msg":"m","pod":"mine","ts":"2026-01-20T11:00:09Z"}`), `09||m|{"pod":"mine","stream":"stderr"}`)
	f(cri(`stdout F`), ``)
	f(cri(`stdout F `), ``)
	f(cri(`stdin F hello`), `58||`+cri(`stdin F hello`)+`|`)
	f(cri(`stdout Full`), `58||`+cri(`stdout Full`)+`|`)
	f(`2026-13-20T11:59:58Z stdout F hello`, `00||2026-13-20T11:59:58Z stdout F hello|`)
	f(`2026-01-20T11:59:58`, `58||2026-01-20T11:59:58|`)
	f(`1999-01-20T11:59:58Z stdout F old`, `00||old|{"stream":"stdout"}`)
}

func TestContainerFormatsRefuseOtherLines(t *testing.T) {
	t.Parallel()
	f := func(format Format, line, want string) {
		t.Helper()
		if got := outline(parseFrom(t, Options{Format: format}, "", line)); got != want {
			t.Errorf("%s %s: %s, want %s", format, line, got, want)
		}
	}
	docker, cri := `{"log":"a\n","stream":"stdout","time":"2026-01-20T11:59:58Z"}`, `2026-01-20T11:59:58Z stdout F a`
	f(Docker, docker, "0.0 a")
	f(Docker, cri, "0 dead: "+badDocker)
	f(Docker, `{"msg":"a"}`, "0 dead: "+badDocker)
	f(CRI, cri, "0.0 a")
	f(CRI, docker, "0 dead: "+badCRI)
	f(CRI, "a", "0 dead: "+badCRI)
	f(Text, cri, "0.0 "+cri)
	f(JSON, docker, "0.0 ")
	f(JSON, cri, "0 dead: "+badKind)
}

func TestPiecesOfALine(t *testing.T) {
	t.Parallel()
	f := func(want string, lines ...string) {
		t.Helper()
		b := parseFrom(t, Options{}, "", lines...)
		if got := outline(b); got != want {
			t.Errorf("%q: %s, want %s", lines, got, want)
		}
	}
	f("0.0 hello world", `2026-01-20T11:59:58Z stdout P hello `, `+2026-01-20T11:59:58Z stdout P wor`, `+2026-01-20T11:59:58Z stdout F ld`)
	f("0.0 a b; 2.0 c", `2026-01-20T11:59:58Z stdout P {"msg":"a`, `+2026-01-20T11:59:58Z stdout F  b"}`, `2026-01-20T11:59:58Z stdout F c`)
	f("0.0 a\tb", `{"log":"a\t","stream":"stdout","time":"2026-01-20T11:59:58Z"}`, `+{"log":"b\n","stream":"stdout","time":"2026-01-20T11:59:58Z"}`)
	f("0.0 a", `{"log":"{\"msg\":","stream":"stdout","time":"2026-01-20T11:59:58Z"}`, `+{"log":"\"a\"}\n","stream":"stdout","time":"2026-01-20T11:59:58Z"}`)
	f("0 dead: "+badEnd, `2026-01-20T11:59:58Z stdout P {"msg":"a`, `+2026-01-20T11:59:58Z stdout F  b"`)
}

func TestPodOfAPath(t *testing.T) {
	t.Parallel()
	f := func(path, service, attributes string) {
		t.Helper()
		b := parseFrom(t, Options{}, path, "2026-01-20T11:59:58Z stdout F a")
		if e := b.Events[0]; e.Service != service || string(e.Attrs) != `{"stream":"stdout"`+attributes+`}` {
			t.Errorf("%s: service %q, attrs %s", path, e.Service, e.Attrs)
		}
	}
	pod := `,"namespace":"shop","pod":"checkout-7d9f","container":"web"`
	f(podPath, "web", pod)
	f(podPath+".20260120-115900", "web", pod)
	f(podPath+".20260120-115900.gz", "web", pod)
	f("/host"+podPath, "web", pod)
	f(linkPath, "web", pod+`,"container_id":"`+containerID+`"`)
	f("/var/lib/docker/containers/"+containerID+"/"+containerID+"-json.log.1", "", `,"container_id":"`+containerID+`"`)
	f("/var/log/pods/shop_checkout_uid/we\"b/0.log", "", "")
	f("/var/log/pods/shop_checkout/web/0.log", "", "")
	f("/var/log/containers/web-"+containerID+".log", "", "")
	f("/var/log/containers/a_b_web-short.log", "", "")
	f("/0.log", "", "")
	f("app.log", "", "")
	f("", "", "")
}

func TestServiceOfAContainer(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`2026-01-20T11:59:58Z stdout F a`:                     "configured",
		`2026-01-20T11:59:58Z stdout F {"service":"its own"}`: "its own",
	} {
		b := parseFrom(t, Options{Service: "configured"}, podPath, line)
		if got := b.Events[0].Service; got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
	b := parseFrom(t, Options{}, podPath, "plain text in that file")
	if e := b.Events[0]; e.Service != "" || e.Attrs != nil {
		t.Errorf("a line that no runtime wrote: service %q, attrs %s", e.Service, e.Attrs)
	}
}

// A file's service goes before that of all and before the container's name; what the line says goes before both.
func TestServiceOfAFile(t *testing.T) {
	t.Parallel()
	asked := 0
	p, _ := newParser(t, Options{Service: "all", ServiceOf: func(path string) string {
		asked++
		return map[string]string{"/a.log": "a", podPath: "pod"}[path]
	}})
	f := func(path, line, want string) {
		t.Helper()
		b := batchOf(line)
		b.Path = path
		p.Process(b)
		if got := b.Events[0].Service; got != want {
			t.Errorf("%s %s: %q, want %q", path, line, got, want)
		}
	}
	f("", "a", "all")
	f("/a.log", "a", "a")
	f("/a.log", "level=info msg=a", "a")
	f("/a.log", `{"service":"own"}`, "own")
	f("/b.log", "a", "all")
	f(podPath, "2026-01-20T11:59:58Z stdout F a", "pod")
	f("", "a", "all")
	f("/a.log", "a", "a")
	if asked != 4 {
		t.Errorf("asked %d times, want once for each file at a time", asked)
	}
}

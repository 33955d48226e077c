package parse

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"logflume/pipeline"
)

// columns lists what has a value, in a fixed order, as name=value.
func columns(e *pipeline.Event) string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+value)
		}
	}
	if e.Time != received.UnixMicro() {
		add("time", formatTime(e.Time))
	}
	add("level", e.Level)
	add("service", e.Service)
	add("logger", e.Logger)
	add("message", e.Message)
	add("exception", e.Exception)
	add("trace", e.TraceID)
	add("user", e.UserID)
	add("tenant", e.TenantID)
	add("method", e.Method)
	add("endpoint", e.Endpoint)
	if e.Status != 0 {
		add("status", strconv.Itoa(int(e.Status)))
	}
	if e.HasResponseTime() {
		add("ms", strconv.FormatFloat(e.ResponseTime, 'g', 12, 64))
	}
	if e.ClientIP.IsValid() {
		add("ip", e.ClientIP.String())
	}
	add("agent", e.UserAgent)
	add("fingerprint", e.Fingerprint)
	return strings.Join(parts, " ")
}

// One line as each logger writes it: columns, and what is left for attrs.
func TestLoggers(t *testing.T) {
	t.Parallel()
	f := func(name, line, want, attrs string) {
		t.Helper()
		e := parseOne(t, line)
		if got := columns(e); got != want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, want)
		}
		if string(e.Attrs) != attrs {
			t.Errorf("%s:\n got attrs %s\nwant attrs %s", name, e.Attrs, attrs)
		}
	}
	const at = "time=2026-01-15T08:00:01.5Z"

	f("reference format", `{"timestamp":"2026-01-15T08:00:01.500000","level":"ERROR","logger":"app.db","message":"boom","module":"db","function":"q","line":7,"trace_id":"abc","user_id":42,"tenant_id":"t-1","exception":"Traceback\n  x"}`,
		at+" level=ERROR logger=app.db message=boom exception=Traceback\n  x trace=abc user=42 tenant=t-1", `{"module":"db","function":"q","line":7}`)
	f("reference request", `{"timestamp":"2026-01-15T08:00:01.5Z","level":"INFO","logger":"app.http","message":"done","service":"web","endpoint":"/users/7?x=1","method":"GET","status":200,"response_time":12.5,"client_ip":"192.0.2.1","user_agent":"curl/8.5.0","user_id":null}`,
		at+" level=INFO service=web logger=app.http message=done method=GET endpoint=/users/{n} status=200 ms=12.5 ip=192.0.2.1 agent=curl/8.5.0",
		`{"endpoint":"/users/7?x=1","user_agent":"curl/8.5.0"}`)
	f("zap", `{"level":"error","ts":1768464001.5,"logger":"db","caller":"db/pool.go:7","msg":"query failed","error":"timeout","stacktrace":"main.main\n\tmain.go:5"}`,
		at+" level=ERROR logger=db message=query failed exception=main.main\n\tmain.go:5", `{"caller":"db/pool.go:7","error":"timeout"}`)
	f("zerolog", `{"level":"warn","error":"refused","time":"2026-01-15T08:00:01.5Z","caller":"m.go:5","message":"retrying"}`,
		at+" level=WARN message=retrying exception=refused", `{"caller":"m.go:5"}`)
	f("logrus", `{"level":"fatal","msg":"no room","time":"2026-01-15T09:00:01.5+01:00","size":10}`, at+" level=CRITICAL message=no room", `{"size":10}`)
	f("slog", `{"time":"2026-01-15T08:00:01.500000001Z","level":"INFO","source":{"function":"main.f","file":"m.go","line":5},"msg":"hi","duration":1500000}`,
		at+" level=INFO message=hi", `{"source":{"function":"main.f","file":"m.go","line":5},"duration":1500000}`)
	f("pino", `{"level":50,"time":1768464001500,"pid":7,"hostname":"h","name":"api","req":{"id":1,"method":"GET","url":"/a/5","remoteAddress":"::1","headers":{"user-agent":"x/1"}},"res":{"statusCode":500},"responseTime":3,"err":{"type":"Error","message":"bad","stack":"Error: bad\n    at f"},"msg":"request errored"}`,
		at+" level=ERROR logger=api message=request errored exception=Error: bad\n    at f method=GET endpoint=/a/{n} status=500 ms=3 ip=::1 agent=x/1",
		`{"pid":7,"hostname":"h","req":{"id":1,"method":"GET","url":"/a/5","remoteAddress":"::1","headers":{"user-agent":"x/1"}},"res":{"statusCode":500},"err":{"type":"Error","message":"bad","stack":"Error: bad\n    at f"}}`)
	f("bunyan", `{"name":"myapp","hostname":"h","pid":1,"level":40,"msg":"careful","time":"2026-01-15T08:00:01.500Z","v":0}`,
		at+" level=WARN logger=myapp message=careful", `{"hostname":"h","pid":1,"v":0}`)
	f("winston", `{"level":"warn","message":"disk","service":"user-service","timestamp":"2026-01-15T08:00:01.500Z"}`,
		at+" level=WARN service=user-service message=disk", "")
	f("python-json-logger", `{"asctime":"2026-01-15 08:00:01,500","levelname":"WARNING","name":"app.auth","message":"late","exc_info":"Traceback"}`,
		at+" level=WARN logger=app.auth message=late exception=Traceback", "")
	f("structlog", `{"event":"started","logger":"app","level":"info","timestamp":"2026-01-15T08:00:01.500000Z","exception":[{"exc_type":"KeyError","exc_value":"'x'","frames":[]}]}`,
		at+" level=INFO logger=app message=started exception=KeyError: 'x'", `{"exception":[{"exc_type":"KeyError","exc_value":"'x'","frames":[]}]}`)
	f("log4j2", `{"instant":{"epochSecond":1768464001,"nanoOfSecond":500000000},"thread":"main","level":"ERROR","loggerName":"com.A","message":"m","thrown":{"name":"java.lang.X","message":"why","extendedStackTrace":"java.lang.X: why\n\tat A"}}`,
		at+" level=ERROR logger=com.A message=m exception=java.lang.X: why\n\tat A", `{"thread":"main","thrown":{"name":"java.lang.X","message":"why","extendedStackTrace":"java.lang.X: why\n\tat A"}}`)
	f("logback", `{"@timestamp":"2026-01-15T09:00:01.500+01:00","@version":"1","message":"m","logger_name":"com.A","thread_name":"main","level":"WARN","level_value":30000,"stack_trace":"java.X\n\tat A"}`,
		at+" level=WARN logger=com.A message=m exception=java.X\n\tat A", `{"@version":"1","thread_name":"main","level_value":30000}`)
	f("ECS, dotted", `{"@timestamp":"2026-01-15T08:00:01.500Z","log.level":"ERROR","log.logger":"com.A","message":"m","ecs.version":"1.2.0","service.name":"s","trace.id":"t","error.type":"X","error.message":"why","error.stack_trace":"X: why\n at A","http.response.status_code":502,"http.request.method":"post","url.path":"/a/5","event.duration":1500000,"client.ip":"192.0.2.1","user_agent.original":"x/1"}`,
		at+" level=ERROR service=s logger=com.A message=m exception=X: why\n at A trace=t method=POST endpoint=/a/{n} status=502 ms=1.5 ip=192.0.2.1 agent=x/1",
		`{"ecs.version":"1.2.0","error.type":"X","error.message":"why","url.path":"/a/5","user_agent.original":"x/1"}`)
	const ecs = `"log":{"level":"error","logger":"com.A"},"service":{"name":"s"},"error":{"type":"X","message":"why"},"http":{"request":{"method":"GET"},"response":{"status_code":502}},"url":{"path":"/a"},"event":{"duration":1500000},"client":{"ip":"192.0.2.1"},"user":{"id":"u"},"trace":{"id":"t"},"user_agent":{"original":"x/1"}`
	f("ECS, nested", `{"@timestamp":"2026-01-15T08:00:01.500Z","message":"m",`+ecs+`}`,
		at+" level=ERROR service=s logger=com.A message=m exception=X: why trace=t user=u method=GET endpoint=/a status=502 ms=1.5 ip=192.0.2.1 agent=x/1", `{`+ecs+`}`)
	f("Serilog CLEF", `{"@t":"2026-01-15T08:00:01.5000000Z","@mt":"Hello {User}","@l":"Warning","@x":"System.X: why\n   at A","User":"n","SourceContext":"App.C"}`,
		at+" level=WARN logger=App.C message=Hello {User} exception=System.X: why\n   at A", `{"User":"n"}`)
	f("Serilog CLEF without level", `{"@t":"2026-01-15T08:00:01.5Z","@m":"Hello n","@mt":"Hello {User}"}`, at+" level=INFO message=Hello n", `{"@mt":"Hello {User}"}`)
	f("Serilog", `{"Timestamp":"2026-01-15T08:00:01.5+00:00","Level":"Error","MessageTemplate":"x {A}","RenderedMessage":"x 1","Exception":"E","Properties":{"SourceContext":"App.C","RequestMethod":"GET","RequestPath":"/a/1","StatusCode":500,"Elapsed":12.25}}`,
		at+" level=ERROR logger=App.C message=x 1 exception=E method=GET endpoint=/a/{n} status=500 ms=12.25",
		`{"MessageTemplate":"x {A}","Properties":{"SourceContext":"App.C","RequestMethod":"GET","RequestPath":"/a/1","StatusCode":500,"Elapsed":12.25}}`)
	f("GCP", `{"severity":"CRITICAL","time":"2026-01-15T08:00:01.5Z","message":"m","logging.googleapis.com/trace":"projects/p/traces/abc","httpRequest":{"requestMethod":"GET","requestUrl":"https://example.com/a/5?x","status":503,"latency":"0.123s","remoteIp":"192.0.2.1","userAgent":"x/1"}}`,
		at+" level=CRITICAL message=m trace=abc method=GET endpoint=/a/{n} status=503 ms=123 ip=192.0.2.1 agent=x/1",
		`{"logging.googleapis.com/trace":"projects/p/traces/abc","httpRequest":{"requestMethod":"GET","requestUrl":"https://example.com/a/5?x","status":503,"latency":"0.123s","remoteIp":"192.0.2.1","userAgent":"x/1"}}`)
	f("AWS Lambda", `{"timestamp":"2026-01-15T08:00:01.500Z","level":"ERROR","requestId":"r","message":{"errorType":"Error","errorMessage":"bad"}}`,
		at+" level=ERROR", `{"requestId":"r","message":{"errorType":"Error","errorMessage":"bad"}}`)
	f("AWS Lambda, error", `{"timestamp":"2026-01-15T08:00:01.500Z","level":"ERROR","errorType":"Error","errorMessage":"bad","stackTrace":["Error: bad","    at f"],"requestId":"r"}`,
		at+" level=ERROR exception=Error: bad\n    at f", `{"errorType":"Error","errorMessage":"bad","stackTrace":["Error: bad","    at f"],"requestId":"r"}`)
	f("nginx", `{"time_iso8601":"2026-01-15T09:00:01+01:00","remote_addr":"192.0.2.1","request":"GET /a/5?x=1 HTTP/1.1","status":"404","body_bytes_sent":"5","request_time":"0.005","http_user_agent":"x/1","http_x_forwarded_for":"-"}`,
		"time=2026-01-15T08:00:01Z method=GET endpoint=/a/{n} status=404 ms=5 ip=192.0.2.1 agent=x/1",
		`{"request":"GET /a/5?x=1 HTTP/1.1","body_bytes_sent":"5","http_user_agent":"x/1","http_x_forwarded_for":"-"}`)
	f("nginx, parts", `{"time_local":"15/Jan/2026:08:00:01 +0000","remote_addr":"192.0.2.1","request_method":"GET","uri":"/a/b","status":200,"request_time":0.010}`,
		"time=2026-01-15T08:00:01Z method=GET endpoint=/a/b status=200 ms=10 ip=192.0.2.1", "")
	f("Caddy", `{"level":"info","ts":1768464001.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/a/5","headers":{"User-Agent":["x/1"]}},"duration":0.0125,"status":200,"resp_headers":{}}`,
		at+" level=INFO logger=http.log.access message=handled request method=GET endpoint=/a/{n} status=200 ms=12.5 ip=192.0.2.1 agent=x/1",
		`{"request":{"remote_ip":"192.0.2.1","method":"GET","uri":"/a/5","headers":{"User-Agent":["x/1"]}},"resp_headers":{}}`)
	f("Traefik", `{"ClientHost":"192.0.2.1","DownstreamStatus":200,"Duration":12500000,"RequestMethod":"GET","RequestPath":"/a","StartUTC":"2026-01-15T08:00:01.5Z","level":"info","msg":""}`,
		at+" level=INFO method=GET endpoint=/a status=200 ms=12.5 ip=192.0.2.1", "")
	f("GELF", `{"version":"1.1","host":"h","short_message":"m","level":3,"timestamp":1768464001.5}`, at+" level=ERROR message=m", `{"version":"1.1","host":"h"}`)
	f("Monolog", `{"message":"m","context":{"a":1},"level":400,"level_name":"ERROR","channel":"app","datetime":"2026-01-15T08:00:01.500000+00:00"}`,
		at+" level=ERROR logger=app message=m", `{"context":{"a":1},"level_name":"ERROR"}`)
}

func TestKeysThatMeanOtherThings(t *testing.T) {
	t.Parallel()
	f := func(line, want, attrs string) {
		t.Helper()
		e := parseOne(t, line)
		if got := columns(e); got != want || string(e.Attrs) != attrs {
			t.Errorf("%s:\n got %s, attrs %s\nwant %s, attrs %s", line, got, e.Attrs, want, attrs)
		}
	}
	same := func(line string) { t.Helper(); f(line, "", line) }
	same(`{"path":"/etc/passwd"}`)
	same(`{"url":"https://example.com/x"}`)
	same(`{"name":"Alice"}`)
	same(`{"method":"processOrder"}`)
	same(`{"status":"active"}`)
	same(`{"status":5}`)
	same(`{"duration":12}`)
	same(`{"latency":0.5}`)
	same(`{"request":{"a":1}}`)
	same(`{"request":"please"}`)
	same(`{"message":{"a":1}}`)
	same(`{"message":true}`)
	same(`{"error":false}`)
	same(`{"error":{"code":5}}`)
	same(`{"exc_info":true}`)
	same(`{"user":{"name":"n"}}`)
	same(`{"client_ip":["192.0.2.1"]}`)
	f(`{"path":"/a/5","method":"GET"}`, "method=GET endpoint=/a/{n}", `{"path":"/a/5"}`)
	f(`{"path":"/a","status":200}`, "endpoint=/a status=200", "")
	f(`{"status":"ok","status_code":200}`, "status=200", `{"status":"ok"}`)
	f(`{"status":null,"status_code":200}`, "status=200", "")
	f(`{"status":"200 OK"}`, "status=200", `{"status":"200 OK"}`)
	f(`{"msg":"a","message":"b"}`, "message=b", `{"msg":"a"}`)
	f(`{"message":"","msg":"a"}`, "message=a", "")
	f(`{"message":5}`, "message=5", "")
	f(`{"level":"INFO","level":"ERROR"}`, "level=ERROR", "")
	f(`{"level":"INFO","lev\u0065l":"ERROR"}`, "level=ERROR", "")
	f(`{"latency":"1.5ms"}`, "ms=1.5", `{"latency":"1.5ms"}`)
	f(`{"error":{"type":"T","message":"m","stack":["a","b"]}}`, "exception=T: m\na\nb", `{"error":{"type":"T","message":"m","stack":["a","b"]}}`)
	f(`{"error":{"message":"m\u0021"}}`, "exception=m!", `{"error":{"message":"m\u0021"}}`)
	f(`{"exception":{"values":[{"type":"T","value":"v"}]}}`, "exception=T: v", `{"exception":{"values":[{"type":"T","value":"v"}]}}`)
	f(`{"client_ip":"192.0.2.1:8080"}`, "ip=192.0.2.1", `{"client_ip":"192.0.2.1:8080"}`)
	f(`{"client_ip":"[2001:db8::1]:80"}`, "ip=2001:db8::1", `{"client_ip":"[2001:db8::1]:80"}`)
	f(`{"client_ip":"2001:db8::1"}`, "ip=2001:db8::1", "")
	f(`{"client_ip":"::ffff:192.0.2.1"}`, "ip=192.0.2.1", `{"client_ip":"::ffff:192.0.2.1"}`)
	f(`{"client_ip":"fe80::1%eth0"}`, "ip=fe80::1", `{"client_ip":"fe80::1%eth0"}`)
	f(`{"x_forwarded_for":"192.0.2.1, 10.0.0.1"}`, "ip=192.0.2.1", `{"x_forwarded_for":"192.0.2.1, 10.0.0.1"}`)
	f(`{"client_ip":"192.0.2.256"}`, "", `{"client_ip":"192.0.2.256"}`)
	f(`{"client_ip":"192.0.2.01"}`, "", `{"client_ip":"192.0.2.01"}`)
	f(`{"client_ip":"-","remote_addr":"192.0.2.1"}`, "ip=192.0.2.1", `{"client_ip":"-"}`)
}

// A fingerprint decides the pattern; it has no column, so it stays in attrs.
func TestFingerprints(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		e := parseOne(t, line)
		if e.Fingerprint != want || string(e.Attrs) != line {
			t.Errorf("%s: fingerprint %q, attrs %s; want %q", line, e.Fingerprint, e.Attrs, want)
		}
	}
	f(`{"fingerprint":"card-declined"}`, "card-declined")
	f(`{"fingerprint":"a\tb"}`, "a\tb")
	f(`{"fingerprint":7}`, "7")
	f(`{"fingerprint":["card","declined"]}`, "card\ndeclined")
	f(`{"fingerprint":{"a":1}}`, "")
	f(`{"fingerprint":[]}`, "")
	f(`{"fingerprint":[5,{}]}`, "")
	f(`{"fingerprint":true}`, "")
}

func TestConfiguredFields(t *testing.T) {
	t.Parallel()
	p, _ := newParser(t, Options{Fields: map[string][]string{
		"response_time": {"latency", "took_s", "timing.total"}, "message": {"what", "a.b"}, "user_id": {"who.id"}, "level": {"weird*key"},
	}})
	f := func(line, want, attrs string) {
		t.Helper()
		b := batchOf(line)
		p.Process(b)
		if got := columns(&b.Events[0]); got != want || string(b.Events[0].Attrs) != attrs {
			t.Errorf("%s:\n got %s, attrs %s\nwant %s, attrs %s", line, got, b.Events[0].Attrs, want, attrs)
		}
	}
	f(`{"latency":5}`, "ms=5", "")
	f(`{"took_s":"0.5"}`, "ms=500", "")
	f(`{"response_time":5}`, "ms=5", "")
	f(`{"response_time":5,"latency":6}`, "ms=6", `{"response_time":5}`)
	f(`{"response_time":5,"latency":"x"}`, "ms=5", `{"latency":"x"}`)
	f(`{"timing":{"total":7}}`, "ms=7", `{"timing":{"total":7}}`)
	f(`{"timing.total":7}`, "ms=7", "")
	f(`{"message":"m","a":{"b":"x"}}`, "message=x", `{"message":"m","a":{"b":"x"}}`)
	f(`{"message":"m","what":"w","a":{"b":"x"}}`, "message=w", `{"message":"m","a":{"b":"x"}}`)
	f(`{"who":{"id":5}}`, "user=5", `{"who":{"id":5}}`)
	f(`{"who":{"id":"x\ty"}}`, "user=x\ty", `{"who":{"id":"x\ty"}}`)
	f(`{"weird*key":"WARN","weirdXkey":"INFO"}`, "level=WARN", `{"weirdXkey":"INFO"}`)
}

// Every standard key alone leads to its field.
func TestEveryStandardKeyIsFound(t *testing.T) {
	t.Parallel()
	values := [fields]string{
		fieldTime: `"2026-01-15T08:00:01Z"`, fieldLevel: `"INFO"`, fieldStatus: `200`, fieldResponseTime: `"5ms"`, fieldMethod: `"GET"`,
		fieldClientIP: `"192.0.2.1"`, fieldEndpoint: `"/a"`, fieldRequestLine: `"GET /a HTTP/1.1"`,
	}
	for _, row := range standard {
		for _, key := range strings.Fields(row.keys) {
			value := values[row.field]
			if value == "" {
				value = `"text"`
			}
			company := ""
			if row.weak {
				company = `,"status":200,"level":30`
			}
			e := parseOne(t, fmt.Sprintf(`{%q:%s%s}`, key, value, company))
			alone := parseOne(t, `{`+strings.TrimPrefix(company, ",")+`}`)
			if columns(e) == columns(alone) {
				t.Errorf("%s: nothing was set from %s", key, value)
			}
		}
	}
}

package parse

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"logflume/pipeline"
)

// samples are events that differ in what rules look at.
func samples() []pipeline.Event {
	base := func(change func(*pipeline.Event)) pipeline.Event {
		e := pipeline.Event{ResponseTime: math.NaN(), Level: "INFO", Service: "web", Message: "all is well"}
		change(&e)
		return e
	}
	return []pipeline.Event{
		base(func(*pipeline.Event) {}),
		base(func(e *pipeline.Event) { e.Level = "ERROR"; e.Message = "error 42: no room"; e.Exception = "KeyError" }),
		base(func(e *pipeline.Event) { e.Level = "CRITICAL"; e.Service = ""; e.TraceID = "abc"; e.UserID = "7" }),
		base(func(e *pipeline.Event) {
			e.Status = 200
			e.ResponseTime = 12.5
			e.Endpoint = "/healthz"
			e.Method = "GET"
		}),
		base(func(e *pipeline.Event) {
			e.Status = 503
			e.ResponseTime = 1500
			e.Endpoint = "/users/{n}"
			e.Method = "POST"
		}),
		base(func(e *pipeline.Event) { e.ClientIP = netip.MustParseAddr("10.0.0.1"); e.UserAgent = "curl/8" }),
		base(func(e *pipeline.Event) {
			e.ClientIP = netip.MustParseAddr("2001:db8::1")
			e.Logger = "app.db"
			e.TenantID = "t-1"
		}),
		base(func(e *pipeline.Event) {
			e.Attrs = []byte(`{"cart":{"items":3,"name":"x y"},"cached":true,"n":5,"s":"five","a.b":1,"none":null}`)
		}),
		base(func(e *pipeline.Event) { e.Attrs = []byte(`{"cart":{"items":"three"},"cached":false,"n":"5"}`) }),
	}
}

// rules that closures serve, with how many of the samples match.
var closureRules = map[string]int{
	`true`:  9,
	`false`: 0,
	`level in ["ERROR","CRITICAL"] or response_time > 1000`: 3,
	`endpoint == "/healthz"`:                                1,
	`level == "ERROR"`:                                      1,
	`"ERROR" == level`:                                      1,
	`level != "INFO"`:                                       2,
	`not (level == "INFO")`:                                 2,
	`level not in ["INFO"]`:                                 2,
	`!(status == 200)`:                                      8,
	`status >= 500`:                                         1,
	`status < 400`:                                          1,
	`status != 200`:                                         1,
	`200 != status`:                                         1,
	`not (status != 200)`:                                   8,
	`response_time != 12.5`:                                 1,
	`response_time != -1`:                                   2,
	`status != response_time`:                               2,
	`status != status`:                                      0,
	`not (status > 0)`:                                      7,
	`status in [200, 503]`:                                  2,
	`status in 500..599`:                                    1,
	`500 <= status`:                                         1,
	`response_time <= 12.5`:                                 1,
	`response_time > -1`:                                    2,
	`response_time == response_time`:                        2,
	`method == "POST" and status >= 500 and endpoint startsWith "/users"`: 1,
	`method == "GET" && status == 200 || level == "ERROR"`:                2,
	`message contains "no room"`:                                          1,
	`message endsWith "well"`:                                             8,
	`message matches "^error [0-9]+:"`:                                    1,
	`logger startsWith "app."`:                                            1,
	`service == ""`:                                                       1,
	`exception != "" or trace_id == "abc" or user_id == "7"`:              2,
	`tenant_id in ["t-1", "t-2"]`:                                         1,
	`user_agent contains "curl"`:                                          1,
	`client_ip == "10.0.0.1"`:                                             1,
	`client_ip != "10.0.0.1"`:                                             8,
	`client_ip in ["10.0.0.1", "2001:db8::1"]`:                            2,
	`client_ip startsWith "10."`:                                          1,
	`client_ip == "10.0.0.01"`:                                            0,
	`client_ip == ""`:                                                     7,
	`level == service`:                                                    0,
	`attrs.n == 5`:                                                        1,
	`attrs.n != 5`:                                                        8,
	`attrs.s == "five"`:                                                   1,
	`attrs["s"] in ["five", "six"]`:                                       1,
	`attrs.n in [4, 5]`:                                                   1,
	`attrs.cached == true`:                                                1,
	`attrs.cached != true`:                                                8,
	`attrs.none == nil`:                                                   9,
	`attrs.n != nil`:                                                      2,
}

// rules on attributes for which the closures have an answer where the machine fails: a type that does not fit.
var lenientRules = map[string]int{
	`attrs.n > 4`:                   1,
	`attrs.n <= 5.0`:                1,
	`attrs.s contains "iv"`:         1,
	`attrs.s startsWith "f"`:        1,
	`attrs.s matches "^f.*e$"`:      1,
	`attrs.cart.items >= 3`:         1,
	`attrs?.cart?.items == "three"`: 1,
	`attrs.cart.name == "x y"`:      1,
	`attr("cart.items") == 3`:       1,
	`attr("a\\.b") == 1`:            1,
	`attrs["a.b"] == 1`:             1,
	`attrs.cached`:                  1,
	`attrs.cached and attrs.n == 5`: 1,
	`attrs.missing > 5`:             0,
}

// rules that the virtual machine serves.
var machineRules = map[string]int{
	`len(message) > 12`:                           1,
	`lower(level) == "error"`:                     1,
	`any(["a", "E"], level startsWith #)`:         1,
	`level < "D"`:                                 1,
	`level == "INFO" ? status == 200 : false`:     1,
	`let x = status; x > 400 and level == "INFO"`: 1,
	`level == "ERROR" or len(attrs) == 6`:         2,
	`message + level == "all is wellINFO"`:        7,
	`(attrs.n ?? 0) == 5`:                         1,
	`status in [200, 200 + 303]`:                  2,
	`"cart" in attrs`:                             2,
	`status + 0 != 200`:                           1,
	`let x = status; x != 200`:                    1,
	`any([200, status], # != 200)`:                1,
	`(level == "INFO" ? status : nil) != 200`:     3,
	`attrs.n != status`:                           2,
	`len(message) != 11`:                          1,
}

func countMatches(t *testing.T, source string) (matches int, failed int64) {
	t.Helper()
	f, err := NewFilter("", source, 0)
	if err != nil {
		t.Errorf("%v", err)
		return 0, 0
	}
	stats := &pipeline.Stats{}
	b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{}), Events: samples()}
	f.Processor(stats).Process(b)
	for i := range b.Events {
		if b.Events[i].Fate == pipeline.Keep {
			matches++
		}
	}
	return matches, stats.FilterErrors.Load()
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, rules := range []map[string]int{closureRules, lenientRules, machineRules} {
		for source, want := range rules {
			if got, failed := countMatches(t, source); got != want || failed != 0 {
				t.Errorf("%s: %d of 9 match, %d fail, want %d and none", source, got, failed, want)
			}
		}
	}
}

// Closures decide as the virtual machine does.
func TestClosuresAgreeWithMachine(t *testing.T) {
	t.Parallel()
	for source := range closureRules {
		machine, err := machineTest(source)
		if err != nil {
			t.Fatal(err)
		}
		rule, err := newRule("filter.keep", source)
		if err != nil {
			t.Fatal(err)
		}
		events := samples()
		for i := range events {
			s := &evaluation{event: &events[i]}
			if got, want := rule.test(s), machine(s); got != want || s.broken {
				t.Errorf("%s on event %d: %v, the machine says %v (broken %v)", source, i, got, want, s.broken)
			}
		}
	}
}

func TestClosuresCoverTheUsual(t *testing.T) {
	t.Parallel()
	for _, rules := range []map[string]int{closureRules, lenientRules} {
		for source := range rules {
			rule, err := newRule("filter.keep", source)
			if err != nil {
				t.Fatal(err)
			}
			events := samples()
			for i := range events {
				s := &evaluation{event: &events[i]}
				if rule.matches(s); s.names.Attr != nil {
					t.Errorf("%s: left to the machine", source)
					break
				}
			}
		}
	}
}

func TestFailedEvaluationIsNoMatch(t *testing.T) {
	t.Parallel()
	f := func(source string, want int, wantFailed int64) {
		t.Helper()
		if got, failed := countMatches(t, source); got != want || failed != wantFailed {
			t.Errorf("%s: %d match and %d fail, want %d and %d", source, got, failed, want, wantFailed)
		}
	}
	f(`attrs.n + 1 == 6`, 1, 8)
	f(`not (attrs.n + 1 == 6)`, 0, 8)
	f(`level == "ERROR" or attrs.n + 1 == 6`, 2, 7)
	f(`int(message) > 5`, 0, 9)
}

func TestFates(t *testing.T) {
	t.Parallel()
	f := func(drop, keep string, sample float64, want string) {
		t.Helper()
		filter, err := NewFilter(drop, keep, sample)
		if err != nil {
			t.Fatal(err)
		}
		b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{Key: "k"}), Events: []pipeline.Event{
			{Level: "INFO"}, {Level: "ERROR"}, {Level: "DEBUG"}, {Level: "ERROR", Fate: pipeline.Drop},
		}}
		filter.Processor(&pipeline.Stats{}).Process(b)
		got := ""
		for i := range b.Events {
			got += [...]string{"keep ", "refuse ", "drop ", "rejected "}[b.Events[i].Fate]
		}
		if strings.TrimSpace(got) != want {
			t.Errorf("drop %s keep %s sample %v: %s, want %s", drop, keep, sample, got, want)
		}
	}
	f(``, ``, 0, "keep keep keep drop")
	f(``, ``, 1, "keep keep keep drop")
	f(`level == "DEBUG"`, ``, 0, "keep keep drop drop")
	f(``, `level == "ERROR"`, 0, "refuse keep refuse drop")
	f(``, `level == "ERROR"`, 1, "keep keep keep drop")
	f(`level == "ERROR"`, `level == "ERROR"`, 0, "refuse drop refuse drop")
	f(" \n", " ", 0, "keep keep keep drop")
}

func TestSample(t *testing.T) {
	t.Parallel()
	const n = 100_000
	stored := func(key string, epoch int64, sample float64) []bool {
		filter, err := NewFilter("", "", sample)
		if err != nil {
			t.Fatal(err)
		}
		b := &pipeline.Batch{Stream: pipeline.NewStream(pipeline.Checkpoint{Key: key, Epoch: epoch})}
		for i := range n {
			b.Events = append(b.Events, pipeline.Event{Offset: int64(i/2) * 400, Index: int32(i % 2)})
		}
		filter.Processor(&pipeline.Stats{}).Process(b)
		fates := make([]bool, n)
		for i := range b.Events {
			fates[i] = b.Events[i].Fate == pipeline.Keep
		}
		return fates
	}
	count := func(fates []bool) (kept int) {
		for _, k := range fates {
			if k {
				kept++
			}
		}
		return kept
	}
	for _, share := range []float64{0.01, 0.25, 0.9} {
		got := float64(count(stored("a", 1, share)))
		if deviation := math.Abs(got - n*share); deviation > 5*math.Sqrt(n*share*(1-share)) {
			t.Errorf("share %v: %v of %d", share, got, n)
		}
	}
	differ := func(a, b []bool) (n int) {
		for i := range a {
			if a[i] != b[i] {
				n++
			}
		}
		return n
	}
	one := stored("a", 1, 0.5)
	if differ(one, stored("a", 1, 0.5)) != 0 {
		t.Error("the same lines meet another fate when they are read again")
	}
	if d := differ(one, stored("b", 1, 0.5)); d < n*4/10 {
		t.Errorf("another source: only %d differ", d)
	}
	if d := differ(one, stored("a", 2, 0.5)); d < n*4/10 {
		t.Errorf("another epoch: only %d differ", d)
	}
}

func TestRuleErrors(t *testing.T) {
	t.Parallel()
	f := func(source string, want ...string) {
		t.Helper()
		_, err := NewFilter(source, "", 0)
		if err == nil {
			t.Errorf("%s: no error", source)
			return
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q does not say %q", source, err, w)
			}
		}
	}
	f(`level == "ERROR" and latency > 5`, "filter.drop: line 1, column 22: unknown name latency", "response_time", "attrs.latency")
	f("level == \"ERROR\" and\n  latency > 5", "filter.drop: line 2, column 3: unknown name latency")
	f(`hostname == "x"`, "column 1: unknown name hostname; hostname is not known before an event is filtered")
	f(`slow`, "unknown name slow", "compare response_time")
	f(`browser contains "x"`, "look into user_agent")
	f(`level > 5`, "column 7", "mismatched types string and int", "texts in quotes")
	f(`status == "200"`, "mismatched types float64 and string")
	f(`status % 2 == 1`, "column 8")
	f(`level`, "expected bool, but got string", "a rule must be true or false")
	f(`level == `, "column 9: unexpected token EOF", "https://expr-lang.org")
	f(`level == "x`, "literal not terminated")
	f(`message matches "("`, "error parsing regexp")
	for _, share := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := NewFilter("", "", share); err == nil || !strings.Contains(err.Error(), fmt.Sprint(share)) {
			t.Errorf("sample %v: %v", share, err)
		}
	}
	if _, err := NewFilter("", "nope", 0); err == nil || !strings.HasPrefix(err.Error(), "filter.keep: line 1, column 1") {
		t.Errorf("%v", err)
	}
}

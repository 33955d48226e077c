package analyze

import (
	"strings"
	"testing"

	"logflume/pipeline"
)

// traced returns the pattern of a stack trace, "" if it is none.
func traced(s string) (string, int64) {
	var m masker
	id := m.trace(s)
	if id == 0 {
		return "", 0
	}
	return string(m.appendText(nil)), id
}

func TestTraces(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, trace, want string }{
		{"JVM", `java.lang.IllegalStateException: order 5 is bad
	at com.example.Order.ship(Order.java:7)
	at com.example.Shop$1.lambda$run$0(Shop.java:12)
	at com.example.Shop$$EnhancerBySpringCGLIB$$a1b2c3.run(<generated>)
	at java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
	at org.springframework.aop.Invoke.proceed(Invoke.java:5)`,
			"java.lang.IllegalStateException at com.example.Order.ship, com.example.Shop.lambda$run, com.example.Shop.run"},
		{"JVM, causes", `Exception in thread "main" com.example.WebException: request 5 failed
	at com.example.Web.handle(Web.java:7)
	... 5 common frames omitted
Caused by: java.lang.RuntimeException: x
	at com.example.Mid.go(Mid.java:9)
	Suppressed: java.io.IOException: closed
		at com.example.Close.close(Close.java:1)
Caused by: java.net.ConnectException: Connection refused (10.0.0.7)
	at java.base/sun.nio.ch.Net.connect(Net.java:5)
	at com.example.Pool.open(Pool.java:88)
	... 12 more`,
			"com.example.WebException caused by java.net.ConnectException at com.example.Pool.open"},
		{"JVM, libraries only", "java.lang.NullPointerException\n\tat java.base/java.util.Objects.requireNonNull(Objects.java:233)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)",
			"java.lang.NullPointerException at java.util.Objects.requireNonNull, java.lang.Thread.run"},
		{"JVM, message of several lines", "com.example.BadError: first\nsecond line: of it\n\tat com.example.A.b(A.java:1)", "com.example.BadError at com.example.A.b"},
		{"JVM, recursion", "X.YException\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\n\tat a.E.f(E.java:2)", "X.YException at a.B.c, a.B.d, a.E.f"},
		{"a message before it", "payment 7 failed\njava.io.IOException: broken pipe\n\tat com.example.Pay.send(Pay.java:5)", "java.io.IOException at com.example.Pay.send"},
		{"Python", `Traceback (most recent call last):
  File "/usr/lib/python3.12/site-packages/flask/app.py", line 880, in full_dispatch_request
    rv = self.dispatch_request()
  File "/srv/app/orders.py", line 5, in ship
    check(order)
    ~~~~~^^^^^^^
  File "/srv/app/rules.py", line 77, in check
    raise ValueError(f"order {order} is bad")
ValueError: order 5 is bad`, "ValueError at rules.check, orders.ship"},
		{"Python, cause", `Traceback (most recent call last):
  File "/srv/app/db.py", line 5, in query
    connect()
ConnectionRefusedError: [Errno 111]

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/srv/app/web.py", line 9, in handle
    query()
app.errors.Unavailable`, "app.errors.Unavailable caused by ConnectionRefusedError at db.query"},
		{"Go", `panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
runtime.gopanic({0x4a1b20?, 0xc000012345?})
	/usr/local/go/src/runtime/panic.go:884 +0x213
example.com/shop/cart.(*Cart).Add(0xc00001, 0x5)
	/src/shop/cart/cart.go:42 +0x1d
main.main.func1.2()
	/src/shop/main.go:12 +0x25
net/http.(*conn).serve(0xc0001)
	/usr/local/go/src/net/http/server.go:1995 +0x612
created by main.main in goroutine 1
	/src/shop/main.go:9 +0x1

goroutine 7 [select]:
main.other()
	/src/shop/main.go:99 +0x1`, "panic at cart.(*Cart).Add, main.main.func"},
		{"Go, errors with a stack", "open config: no such file\nmain.load\n\t/src/shop/main.go:20\nmain.main\n\t/src/shop/main.go:10\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:250", "unknown error at main.load, main.main"},
		{"JavaScript", `TypeError: Cannot read properties of undefined (reading 'id')
    at async Cart.add (/srv/app/src/cart.js:10:5)
    at /srv/app/src/routes.js:7:3
    at Layer.handle [as handle_request] (/srv/app/node_modules/express/lib/router/layer.js:95:5)
    at processTicksAndRejections (node:internal/process/task_queues:95:5)`, "TypeError at Cart.add, routes"},
		{".NET", `System.InvalidOperationException: outer ---> Shop.OutOfStockException: item 5
   at Shop.Cart.Add(Int32 item) in /src/Cart.cs:line 12
   at System.Linq.Enumerable.Select()
   --- End of inner exception stack trace ---
   at Shop.Web.Handle() in /src/Web.cs:line 5`, "System.InvalidOperationException caused by Shop.OutOfStockException at Shop.Cart.Add"},
		{"Ruby", "ActiveRecord::RecordNotFound: no order 5\n/app/models/order.rb:12:in 'Order#find!'\n/usr/lib/ruby/gems/3.4/gems/rack/a.rb:5:in 'call'\napp/web.rb:3:in `block in run'", "ActiveRecord::RecordNotFound at order.Order#find!, web.run"},
		{"PHP", "PHP Fatal error:  Uncaught App\\PayException: card 5 in /app/pay.php:5\nStack trace:\n#0 /app/pay.php(12): App\\Pay->charge(5)\n#1 /app/vendor/x/y.php(5): call_user_func()\n#2 {main}\n  thrown", "App\\PayException at App\\Pay->charge"},
		{"Rust", "thread 'main' panicked at src/main.rs:5:9:\nindex 5\nstack backtrace:\n   0: rust_begin_unwind\n             at /rustc/90b35a/library/std/src/panicking.rs:597:5\n   1: core::panicking::panic_fmt\n             at /rustc/90b35a/library/core/src/panicking.rs:72:14\n   2: shop::cart::add::h0123456789abcdef\n             at ./src/cart.rs:5:9", "panic at shop::cart::add"},
		{"no trace", "first line\nsecond line at the end\nat last", ""},
		{"one line", "java.lang.IllegalStateException: order 5 is bad", ""},
		{"a list", "problems:\n1: disk full\n#2 of 3", ""},
	}
	for _, tt := range tests {
		got, id := traced(tt.trace)
		if got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if got, _ := traced(strings.ReplaceAll(tt.trace, "\n", "\r\n")); got != tt.want {
			t.Errorf("%s, with CR: %q", tt.name, got)
		}
		if _, other := masked(got); id != 0 && id == other {
			t.Errorf("%s: a message of the same text has the same id", tt.name)
		}
	}
}

// Messages, lines of code, addresses, numbers of goroutines, lambdas and proxies change nothing.
func TestTracesOfOnePattern(t *testing.T) {
	t.Parallel()
	pairs := [][2]string{
		{"a.BException: x\n\tat c.D.e(D.java:1)", "a.BException: y is z\n\tat c.D.e(D.java:77)"},
		{"a.BException\n\tat c.D$$Lambda$14/0x000001.run(Unknown Source)\n\tat $Proxy12.go(Unknown Source)", "a.BException\n\tat c.D$$Lambda$99/0x000fff.run(Unknown Source)\n\tat $Proxy7.go(Unknown Source)"},
		{"panic: a\n\ngoroutine 5 [running]:\nmain.run(0xc0001)\n\t/a/main.go:5 +0x1", "panic: b\n\ngoroutine 77 [running]:\nmain.run(0xc0fff)\n\t/b/main.go:9 +0x2"},
		{"E: a\n    at f (/a/b.js:1:2)\n    at /a/c.js:3:4", "E: b\n    at f (/x/b.js:10:20)\n    at /x/c.js:30:40"},
	}
	for _, p := range pairs {
		one, id := traced(p[0])
		if other, otherID := traced(p[1]); id == 0 || id != otherID {
			t.Errorf("%q and %q", one, other)
		}
	}
}

func TestPatternOfATraceComesBeforeTheMessage(t *testing.T) {
	t.Parallel()
	const trace = "a.BException: x\n\tat c.D.e(D.java:1)"
	var p processor
	want := p.identify(&pipeline.Event{Exception: trace})
	for _, e := range []pipeline.Event{{Exception: trace, Message: "payment 7 failed"}, {Message: "payment 7 failed\n" + trace}} {
		if p.identify(&e) != want {
			t.Errorf("%q is another pattern", p.masker.appendText(nil))
		}
	}
}

func TestFingerprints(t *testing.T) {
	t.Parallel()
	var p processor
	one := p.identify(&pipeline.Event{Fingerprint: "card-declined", Message: "card 5 of alice was declined"})
	if text := string(p.masker.appendText(nil)); text != "card <num> of alice was declined" {
		t.Errorf("text %q", text)
	}
	for _, e := range []pipeline.Event{
		{Fingerprint: "card-declined", Message: "another message"}, {Fingerprint: "card-declined", Exception: "a.BException: x\n\tat c.D.e(D.java:1)"},
		{Fingerprint: "card-declined"},
	} {
		if p.identify(&e) != one || len(p.masker.text()) == 0 {
			t.Errorf("%+v is another pattern", e)
		}
	}
	for _, e := range []pipeline.Event{{Fingerprint: "card-expired", Message: "card 5 of alice was declined"}, {Message: "card-declined"}} {
		if p.identify(&e) == one {
			t.Errorf("%+v is the same pattern", e)
		}
	}
	m := NewMiner()
	for _, s := range []string{"a 1 b 2", "c", "d 5 6 e x=5"} {
		m.Add(&pipeline.Event{Fingerprint: "f", Message: s})
	}
	if all := m.Close(); len(all) != 1 || all[0].Count != 3 || all[0].Text != "a <num> b <num>" {
		t.Errorf("mined %+v", all)
	}
}

func TestTraceAllocatesNothing(t *testing.T) {
	var m masker
	trace := "Exception in thread \"main\" com.example.WebException: x\n" + strings.Repeat("\tat com.example.Web.handle(Web.java:7)\n\tat java.base/java.lang.Thread.run(Thread.java:1583)\n", 50)
	if n := testing.AllocsPerRun(100, func() { m.trace(trace) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzTrace(f *testing.F) {
	for _, s := range []string{"a.BException: x\n\tat c.D$$e$1(D.java:1)", "Traceback (most recent call last):\n  File \"a\", line 5, in f\nX: y", "#0 a(1): b(\n#1", "1: a::b\n", "x:1:in 'a\n", "\n\tat ", "main.f(\n\tx.go:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, id := traced(s)
		again, idAgain := traced(strings.ReplaceAll(s, "\n", "\r\n"))
		if !strings.Contains(s, "\r") && (again != text || idAgain != id) {
			t.Fatalf("%q: %q, with CR %q", s, text, again)
		}
		if id != 0 && (text == "" || len(text) > (maxFrames+2)*(maxFrameName+20)) {
			t.Fatalf("%q: %d bytes of pattern", s, len(text))
		}
	})
}

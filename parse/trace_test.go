package parse

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The traces that package file joins, as one event each: the message says what was logged or happened, the exception is
// the trace.
func TestTraceBecomesTheException(t *testing.T) {
	t.Parallel()
	f := func(language string, number int, message, level, exception string) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join("..", "ingest", "file", "testdata", "traces", language+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		event := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n====\n")[number]
		for name, lines := range map[string][]string{"plain": strings.Split(event, "\n"), "CRI": inCRI(event)} {
			for i := range lines[1:] {
				lines[i+1] = "+" + lines[i+1]
			}
			b := parseFrom(t, Options{}, "", lines...)
			if len(b.Events) != 1 || len(b.Dead) != 0 {
				t.Fatalf("%s %d, %s: %s", language, number, name, outline(b))
			}
			e := &b.Events[0]
			if e.Message != message || e.Level != level || !strings.HasPrefix(e.Exception, exception) || exception == "" && e.Exception != "" {
				t.Errorf("%s %d, %s: message %q, level %q, exception %.40q", language, number, name, e.Message, e.Level, e.Exception)
			}
			if e.Exception != "" && !strings.HasSuffix(event, e.Exception[len(e.Exception)-20:]) {
				t.Errorf("%s %d, %s: the exception ends with %q", language, number, name, e.Exception[len(e.Exception)-20:])
			}
		}
	}
	f("python", 0, "2026-01-20 19:20:28,056 ERROR shop.cart: cannot total cart 17", levelError, "Traceback (most recent call last):\n  File")
	f("python", 2, "IndexError: list index out of range", "", "Traceback (most recent call last):\n  File")
	f("java", 0, "2026-01-20 12:00:00,123 ERROR [main] shop.Pay - payment of order 7 failed", levelError, "java.lang.IllegalStateException: payment failed\n\tat ")
	f("java", 2, `Exception in thread "main" java.lang.IllegalStateException: payment failed`, "", "Exception in thread")
	f("go", 1, "panic: assignment to entry in nil map [recovered]", "", "panic: assignment")
	f("node", 1, "request failed: Error: cannot load", "", "request failed: Error")
	f("dotnet", 0, "info: Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://localhost:5000", "", "")
	f("dotnet", 1, "fail: Microsoft.AspNetCore.Server.Kestrel[13]\n      Connection id \"0HN1\", Request id \"0HN1:00000002\": "+
		"An unhandled exception was thrown by the application.", "", "      System.InvalidOperationException: Cart 17")
	f("dotnet", 2, "[12:00:01 ERR] Checkout of cart 17 failed", "", "System.InvalidOperationException")
	f("dotnet", 4, "Unhandled exception. System.InvalidOperationException: Cart 17 is empty", "", "Unhandled exception.")
	f("ruby", 2, "cart.rb:12:in `total': cart 17 is empty (Shop::Empty)", "", "cart.rb:12:in")
	f("ruby", 4, "cart.rb:12:in `total': cart 17 is empty (Shop::Empty)", "", "Traceback")
}

func inCRI(event string) []string {
	lines := strings.Split(event, "\n")
	for i := range lines {
		lines[i] = "2026-01-20T11:59:58Z stderr F " + lines[i]
	}
	return lines
}

// A text that is longer than its columns stays whole in attrs.
func TestLongTraceStaysWhole(t *testing.T) {
	t.Parallel()
	lines := []string{"ERROR it failed", "+a.b.CException: x"}
	for range 2000 {
		lines = append(lines, "+\tat a.b.C.d(C.java:17)")
	}
	b := parseFrom(t, Options{}, "", lines...)
	e := &b.Events[0]
	if len(e.Exception) > maxException || e.Message != "ERROR it failed" || !strings.HasPrefix(string(e.Attrs), `{"message":"ERROR it failed\u000aa.b.C`) ||
		strings.Count(string(e.Attrs), "at a.b") != 2000 {
		t.Errorf("message %q, exception of %d bytes, attrs %.60s", e.Message, len(e.Exception), e.Attrs)
	}
}

package endtoend

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

const (
	analysisStart = "2026-01-15 08:00:00+00"
	analysisEnd   = "2026-01-15 11:00:00+00"

	wideRoutes = 400 // of one service in one minute: twice as many as have a histogram of their own
)

// An errorKind is one message that a program logs, with what differs each time.
type errorKind struct{ level, format string }

var errorKinds = []errorKind{
	{"ERROR", "payment %d of order %d failed after %d ms"},
	{"ERROR", "connection to 10.0.%d.%d refused"},
	{"CRITICAL", "disk /dev/sd%c is full: %d bytes left"},
	{"ERROR", "user '%c%d' not found"},
	{"CRITICAL", "worker %d died, %d jobs are lost"},
}

// A generator writes lines of several services whose times lie in a few minutes of three hours.
type generator struct {
	random *rand.Rand
	n      int // lines so far
	slow   int // slow requests so far: each takes a time of its own, so that the slowest are a matter of fact
}

// lines returns so many lines, their times mostly ascending.
func (g *generator) lines(count int) string {
	start, err := time.Parse("2006-01-02 15:04:05Z07", analysisStart)
	if err != nil {
		panic(err) // it is a constant
	}
	var b strings.Builder
	for i := range count {
		const windows = 18 // ten minutes apart
		w := (i*windows/count + g.random.IntN(3)) % windows
		at := start.Add(time.Duration(w)*10*time.Minute + time.Duration(g.random.IntN(60_000))*time.Millisecond)
		g.line(&b, at)
	}
	wide := start.Add(45 * time.Minute)
	for range 2 * wideRoutes {
		route := fmt.Sprintf("/wide/%c%c", 'a'+g.random.IntN(20), 'a'+g.random.IntN(wideRoutes/20))
		fmt.Fprintf(&b, `{"timestamp":%q,"service":"wide","level":"INFO","method":"GET","endpoint":%q,"status":200,"response_time":%g}`+"\n",
			wide.Format(time.RFC3339), route, g.milliseconds())
	}
	return b.String()
}

// line writes one line: a request or not, an error or not.
func (g *generator) line(b *strings.Builder, at time.Time) {
	g.n++
	fmt.Fprintf(b, `{"timestamp":%q,"n":%d`, at.Format("2006-01-02T15:04:05.000Z07:00"), g.n)
	if service := []string{"shop", "pay", ""}[g.random.IntN(3)]; service != "" {
		fmt.Fprintf(b, `,"service":%q`, service)
	}
	if g.random.IntN(2) == 0 {
		fmt.Fprintf(b, `,"user_id":"u%d","tenant_id":"t%d"`, g.random.IntN(300), g.random.IntN(20))
	}
	switch g.random.IntN(5) {
	case 0:
		k := errorKinds[g.random.IntN(len(errorKinds))]
		fmt.Fprintf(b, `,"level":%q,"message":%q`, k.level, g.fill(k.format))
	case 1:
		fmt.Fprintf(b, `,"level":%q,"message":"nothing %d to see"`, []string{"DEBUG", "WARN", "TRACE"}[g.random.IntN(3)], g.n)
	case 2: // no level at all
		if g.random.IntN(3) == 0 {
			fmt.Fprintf(b, `,"exception":"ValueError: %d is not a number of items"`, g.n)
		}
	default:
		b.WriteString(`,"level":"INFO","message":"handled"`)
	}
	g.request(b)
	b.WriteString("}\n")
}

// request adds what a request has, all of it or a part.
func (g *generator) request(b *strings.Builder) {
	kind := g.random.IntN(4)
	if kind == 0 {
		return
	}
	if kind != 1 {
		fmt.Fprintf(b, `,"response_time":%g,"trace_id":"%032x"`, g.milliseconds(), g.n)
	}
	if kind != 2 {
		fmt.Fprintf(b, `,"status":%d`, []int{200, 200, 200, 201, 404, 500, 503}[g.random.IntN(7)])
	}
	if g.random.IntN(10) > 0 {
		fmt.Fprintf(b, `,"method":"GET","endpoint":"/%c/items/%d"`, 'a'+g.random.IntN(12), g.random.IntN(1000))
	}
}

// milliseconds returns a response time that a float of 32 bits holds exactly, as do sums of them.
func (g *generator) milliseconds() float64 {
	switch g.random.IntN(12) {
	case 0:
		g.slow++
		return 1000 + float64(g.slow)/4
	case 1:
		return float64(g.random.IntN(2)) * 1000 // 1000 is not slow yet
	}
	return float64(g.random.IntN(1600)) / 4
}

// fill puts numbers and letters into the format.
func (g *generator) fill(format string) string {
	var values []any
	for range strings.Count(format, "%") {
		values = append(values, 'a'+g.random.IntN(20))
	}
	return fmt.Sprintf(format, values...)
}

package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// sampleServices are three services as they are found together: a web shop's API, a payment worker that also writes
// plain text, and a gateway that logs in another dialect.
func sampleServices() []*sampleService {
	return []*sampleService{
		{name: "checkout", pace: 900, line: checkoutLine},
		{name: "payments", pace: 300, line: paymentsLine},
		{name: "gateway", pace: 600, line: gatewayLine},
	}
}

// A route is an endpoint and how long it takes.
type route struct {
	method, path string  // path has a verb for a number, if any
	median       float64 // ms
	spread       float64 // of the logarithm: 0.3 is steady, 1 has a long tail
}

var shopRoutes = []route{
	{"GET", "/products/%d", 18, 0.5}, {"GET", "/products/%d/reviews", 35, 0.6}, {"GET", "/cart/%d", 12, 0.4},
	{"POST", "/cart/%d/items", 25, 0.5}, {"POST", "/orders", 140, 0.8}, {"GET", "/orders/%d", 22, 0.5},
	{"GET", "/search", 90, 1.0}, {"GET", "/healthz", 0.4, 0.2},
}

var userAgents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
	"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
	"curl/8.10.1", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
}

// took draws a response time of rt in ms: log-normal, as latencies are.
func took(r *rand.Rand, rt route) float64 {
	return math.Round(rt.median*math.Exp(r.NormFloat64()*rt.spread)*100) / 100
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// path fills the number of rt's path in.
func (rt route) fill(r *rand.Rand) string {
	n := 0
	for _, c := range rt.path {
		if c == '%' {
			n++
		}
	}
	if n == 0 {
		return rt.path
	}
	return fmt.Sprintf(rt.path, 1000+r.IntN(9000))
}

// checkoutLine writes what a Python service's JSON formatter writes: a request, or an error with numbers and ids.
func checkoutLine(w *bufio.Writer, r *rand.Rand, n int64) {
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000")
	trace := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
	if r.IntN(40) == 0 {
		message := pick(r, []func() string{
			func() string {
				return fmt.Sprintf("order %d could not be placed: stock of item %d is %d", n, r.IntN(9999), -r.IntN(9))
			},
			func() string { return fmt.Sprintf("payment service did not answer within %d ms", 1000+r.IntN(4000)) },
			func() string {
				return fmt.Sprintf("cannot reserve 10.0.%d.%d:6379: connection refused", r.IntN(256), r.IntN(256))
			},
			func() string {
				return fmt.Sprintf("user %08x-4bc1-4d2a-9f00-%012x has no address", r.Uint32(), r.Uint64()>>16)
			},
		})()
		fmt.Fprintf(w, `{"timestamp":%q,"level":"ERROR","logger":"shop.orders","message":%q,"module":"orders","function":"place","line":%d,"trace_id":%q,"user_id":"u%d","tenant_id":"t%d","service":"checkout"}`+"\n",
			now, message, 40+r.IntN(300), trace, r.IntN(5000), r.IntN(20))
		return
	}
	rt, status := pick(r, shopRoutes), 200
	if r.IntN(60) == 0 {
		status = 500
	}
	fmt.Fprintf(w, `{"timestamp":%q,"level":"INFO","logger":"shop.access","message":"request","endpoint":%q,"method":%q,"status":%d,"response_time":%g,"client_ip":"%s","user_agent":%q,"trace_id":%q,"user_id":"u%d","tenant_id":"t%d","service":"checkout"}`+"\n",
		now, rt.fill(r), rt.method, status, took(r, rt), clientIP(r), pick(r, userAgents), trace, r.IntN(5000), r.IntN(20))
}

// clientIP draws from a private range and from two that are reserved for documentation.
func clientIP(r *rand.Rand) string {
	return fmt.Sprintf(pick(r, []string{"10.1.0.%d", "198.51.100.%d", "203.0.113.%d"}), r.IntN(256))
}

// paymentsLine writes zap's JSON, with plain text in between, and now and then a line that was cut off.
func paymentsLine(w *bufio.Writer, r *rand.Rand, n int64) {
	now := time.Now()
	switch {
	case r.IntN(10) == 0:
		fmt.Fprintf(w, "%s [worker-%d] heartbeat, %d jobs waiting\n", now.UTC().Format(time.RFC3339Nano), r.IntN(4), r.IntN(200))
	case r.IntN(500) == 0:
		fmt.Fprintf(w, `{"ts":%d.%03d,"level":"info","msg":"this line was cut o`+"\n", now.Unix(), now.Nanosecond()/1e6)
	case r.IntN(25) == 0:
		message := pick(r, []string{"card %d declined by issuer", "ledger is out of balance by %d cents", "retry %d of webhook exhausted"})
		fmt.Fprintf(w, `{"ts":%d.%03d,"level":"error","logger":"payments","msg":%q,"trace_id":"%016x","service":"payments"}`+"\n",
			now.Unix(), now.Nanosecond()/1e6, fmt.Sprintf(message, r.IntN(100_000)), r.Uint64())
	default:
		rt := pick(r, []route{{"POST", "/charges", 210, 0.7}, {"POST", "/refunds/%d", 180, 0.9}, {"GET", "/charges/%d", 30, 0.5}})
		fmt.Fprintf(w, `{"ts":%d.%03d,"level":"info","logger":"payments","msg":"handled","endpoint":%q,"method":%q,"status":200,"response_time":%g,"job":%d,"service":"payments"}`+"\n",
			now.Unix(), now.Nanosecond()/1e6, rt.fill(r), rt.method, took(r, rt), n)
	}
}

// gatewayLine writes what pino writes: numbers for levels, milliseconds since 1970.
func gatewayLine(w *bufio.Writer, r *rand.Rand, _ int64) {
	now := time.Now().UnixMilli()
	if r.IntN(100) == 0 {
		fmt.Fprintf(w, `{"level":50,"time":%d,"pid":4711,"msg":"upstream 10.2.0.%d:8080 closed the connection after %d bytes","service":"gateway"}`+"\n",
			now, r.IntN(256), r.IntN(100_000))
		return
	}
	rt := pick(r, []route{{"GET", "/api/v1/catalog", 8, 0.4}, {"GET", "/api/v1/users/%d", 14, 0.6}, {"PUT", "/api/v1/users/%d", 45, 0.7}, {"GET", "/api/v1/export", 900, 0.6}})
	fmt.Fprintf(w, `{"level":30,"time":%d,"pid":4711,"msg":"request completed","endpoint":%q,"method":%q,"status":%d,"response_time":%g,"client_ip":"%s","service":"gateway"}`+"\n",
		now, rt.fill(r), rt.method, pick(r, []int{200, 200, 200, 200, 304, 404, 200, 200, 502}), took(r, rt), clientIP(r))
}

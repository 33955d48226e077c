package parse

import (
	"encoding/json"
	"math"

	"github.com/tidwall/gjson"

	"logflume/pipeline"
)

// environment holds the names of filter expressions: its fields, under the names of their tags. Expressions are checked
// against it; those that the virtual machine runs read it. Texts of absent fields are "", numbers NaN, of which no
// comparison holds, not even !=. Attributes that are absent are nil.
type environment struct {
	Level        string  `expr:"level"`
	Service      string  `expr:"service"`
	Logger       string  `expr:"logger"`
	Endpoint     string  `expr:"endpoint"` // the route
	Method       string  `expr:"method"`
	Message      string  `expr:"message"`
	Exception    string  `expr:"exception"`
	TraceID      string  `expr:"trace_id"`
	UserID       string  `expr:"user_id"`
	TenantID     string  `expr:"tenant_id"`
	UserAgent    string  `expr:"user_agent"`
	ClientIP     string  `expr:"client_ip"`
	Status       float64 `expr:"status"`
	ResponseTime float64 `expr:"response_time"` // milliseconds

	Attrs map[string]any        `expr:"attrs"` // attrs.cart.items
	Attr  func(path string) any `expr:"attr"`  // attr("cart.items"), in gjson's notation
}

// texts are the names of texts, and how to get at them.
var texts = map[string]func(*pipeline.Event) string{
	"level":      func(e *pipeline.Event) string { return e.Level },
	"service":    func(e *pipeline.Event) string { return e.Service },
	"logger":     func(e *pipeline.Event) string { return e.Logger },
	"endpoint":   func(e *pipeline.Event) string { return e.Endpoint },
	"method":     func(e *pipeline.Event) string { return e.Method },
	"message":    func(e *pipeline.Event) string { return e.Message },
	"exception":  func(e *pipeline.Event) string { return e.Exception },
	"trace_id":   func(e *pipeline.Event) string { return e.TraceID },
	"user_id":    func(e *pipeline.Event) string { return e.UserID },
	"tenant_id":  func(e *pipeline.Event) string { return e.TenantID },
	"user_agent": func(e *pipeline.Event) string { return e.UserAgent },
	"client_ip":  clientIP,
}

// numbers are the names of numbers, and how to get at them.
var numbers = map[string]func(*pipeline.Event) float64{
	"status":        status,
	"response_time": func(e *pipeline.Event) float64 { return e.ResponseTime },
}

// later are names of columns that are filled only after the filter has decided.
var later = map[string]string{
	"hostname": "it is the same for all lines of this instance",
	"location": "compare client_ip instead",
	"browser":  "look into user_agent instead",
	"slow":     "compare response_time instead",
	"pattern":  "look into message instead",
}

func clientIP(e *pipeline.Event) string {
	if !e.ClientIP.IsValid() {
		return ""
	}
	return e.ClientIP.String()
}

func status(e *pipeline.Event) float64 {
	if e.Status == 0 {
		return math.NaN()
	}
	return float64(e.Status)
}

// fill sets the environment to e. The attributes are decoded only for rules that use them.
func (n *environment) fill(e *pipeline.Event, attrs bool) {
	*n = environment{
		Level: e.Level, Service: e.Service, Logger: e.Logger, Endpoint: e.Endpoint, Method: e.Method, Message: e.Message,
		Exception: e.Exception, TraceID: e.TraceID, UserID: e.UserID, TenantID: e.TenantID, UserAgent: e.UserAgent,
		ClientIP: clientIP(e), Status: status(e), ResponseTime: e.ResponseTime,
		Attr: func(path string) any { return gjson.GetBytes(e.Attrs, path).Value() },
	}
	if attrs && e.Attrs != nil {
		// What the parser wrote is a JSON object; without it there are no attributes to match.
		_ = json.Unmarshal(e.Attrs, &n.Attrs)
	}
}

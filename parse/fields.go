package parse

import (
	"fmt"
	"strings"
)

// A field is a standard field of an event.
type field uint8

const (
	unknown field = iota
	fieldTime
	fieldLevel
	fieldService
	fieldLogger
	fieldMessage
	fieldException
	fieldTraceID
	fieldUserID
	fieldTenantID
	fieldEndpoint
	fieldMethod
	fieldStatus
	fieldResponseTime
	fieldClientIP
	fieldUserAgent
	fieldFingerprint
	fieldRequestLine // "GET /path HTTP/1.1": method and endpoint in one
	fields
)

// fieldNames are the names of configuration.
var fieldNames = [fields]string{
	fieldTime: "timestamp", fieldLevel: "level", fieldService: "service", fieldLogger: "logger", fieldMessage: "message",
	fieldException: "exception", fieldTraceID: "trace_id", fieldUserID: "user_id", fieldTenantID: "tenant_id",
	fieldEndpoint: "endpoint", fieldMethod: "method", fieldStatus: "status", fieldResponseTime: "response_time",
	fieldClientIP: "client_ip", fieldUserAgent: "user_agent",
	fieldFingerprint: "fingerprint",
}

// fieldOf returns the field that configuration calls name.
func fieldOf(name string) (field, error) {
	for f, n := range fieldNames {
		if n == name && name != "" {
			return field(f), nil
		}
	}
	return unknown, fmt.Errorf("fields: %q is no standard field; those are %s", name,
		strings.Join(fieldNames[fieldTime:fieldRequestLine], ", "))
}

// standard lists the keys that lead to each field, the one that counts first when a line has several. A key with a dot
// is meant literally here: some loggers write flat names with dots.
var standard = []struct {
	field field
	unit  unit
	weak  bool
	keys  string
}{
	{field: fieldTime, keys: `timestamp @timestamp time ts @t Timestamp instant datetime dateTime date_time eventTime event_time
		timeMillis timeUnixNano observedTimeUnixNano Time TIME asctime time_iso8601 time_local StartUTC`},
	{field: fieldTime, weak: true, keys: `t date msec`},

	{field: fieldLevel, keys: `level severity log.level severityText severity_text SeverityText @l Level LEVEL lvl loglevel
		log_level logLevel LogLevel levelname level_name levelName PRIORITY`},

	{field: fieldService, keys: `service service.name service_name serviceName ServiceName app app_name appName application
		Application application_name applicationName`},

	{field: fieldLogger, keys: `logger logger_name loggerName log.logger LoggerName SourceContext Logger Category`},
	{field: fieldLogger, weak: true, keys: `name channel`},

	{field: fieldMessage, keys: `message msg @m Message MESSAGE RenderedMessage renderedMessage @mt short_message textPayload
		event body text MessageTemplate`},

	{field: fieldException, keys: `exception error.stack_trace stack_trace stacktrace stackTrace exc_info @x Exception
		exception.stacktrace err.stack error.stack errorVerbose stack thrown traceback error err errorMessage error.message`},

	{field: fieldTraceID, keys: `trace_id trace.id traceId traceID TraceId TraceID traceid trace @tr dd.trace_id otelTraceID
		logging.googleapis.com/trace x_trace_id`},

	{field: fieldUserID, keys: `user_id user.id userId userID UserId UserID enduser.id usr.id`},

	{field: fieldTenantID, keys: `tenant_id tenant.id tenantId tenantID TenantId TenantID tenant`},

	{field: fieldEndpoint, keys: `endpoint http.route http_route http.target url.path request_uri requestUri RequestPath request_path
		requestPath path_template`},
	{field: fieldEndpoint, weak: true, keys: `route path uri url url.full http.url`},

	{field: fieldMethod, keys: `method http.request.method http_method httpMethod request_method requestMethod RequestMethod
		http.method HttpMethod verb`},

	{field: fieldStatus, keys: `status status_code statusCode http.response.status_code http_status http_status_code httpStatus
		http.status_code http.status response_code responseCode response_status StatusCode DownstreamStatus`},

	// A bare number under duration, latency or elapsed is milliseconds in one logger, seconds in the next and
	// nanoseconds in a third, so it counts only as a text with its unit or beside a key that gives the logger away.
	{field: fieldResponseTime, unit: milliseconds, keys: `response_time responseTime response_time_ms responseTimeMs duration_ms
		durationMs latency_ms latencyMs elapsed_ms elapsedMs ElapsedMilliseconds elapsedMilliseconds Elapsed
		request_time_ms responseLatency took_ms time_taken_ms`},
	{field: fieldResponseTime, unit: seconds, keys: `request_time response_time_s response_time_seconds duration_s duration_seconds
		durationSeconds latency_s latency_seconds elapsed_s elapsed_seconds`},
	{field: fieldResponseTime, unit: microseconds, keys: `response_time_us duration_us latency_us elapsed_us`},
	{field: fieldResponseTime, unit: nanoseconds, keys: `event.duration duration_ns durationNs latency_ns elapsed_ns`},
	{field: fieldResponseTime, unit: written, keys: `duration latency elapsed took dur Duration`},

	{field: fieldClientIP, keys: `client_ip client.ip clientIp clientIP ClientIp ClientIP client_address client.address remote_ip
		remoteIp remoteIP remote_addr remoteAddr remoteAddress remote_address source.ip clientip ClientHost http.client_ip
		network.client.ip x_forwarded_for http_x_forwarded_for`},

	{field: fieldUserAgent, keys: `user_agent user_agent.original userAgent UserAgent http_user_agent http.user_agent http.useragent
		useragent userAgentString request_User-Agent`},

	{field: fieldFingerprint, keys: `fingerprint`},

	{field: fieldRequestLine, weak: true, keys: `request request_line requestLine`},
}

// telltales are keys of loggers whose bare durations have a known unit.
var telltales = []struct {
	key  string
	unit unit
}{
	{"resp_headers", seconds},         // Caddy
	{"DownstreamStatus", nanoseconds}, // Traefik
	{"response_flags", milliseconds},  // Envoy
	{"controller", milliseconds},      // Rails with lograge
}

// containers lists keys whose value may be an object that holds standard fields. They are asked only for what the
// line's own keys did not give, and their values stay in attrs whole.
var containers = []struct {
	key    string
	inside []inside
}{
	{"log", []inside{{field: fieldLevel, keys: "level"}, {field: fieldLogger, keys: "logger"}}},
	{"http", []inside{
		{field: fieldMethod, keys: "request.method method"},
		{field: fieldStatus, keys: "response.status_code status_code status"},
		{field: fieldEndpoint, keys: "route target url path"},
	}},
	{"url", []inside{{field: fieldEndpoint, keys: "path original full"}}},
	{"event", []inside{{field: fieldResponseTime, unit: nanoseconds, keys: "duration"}}},
	{"error", []inside{{field: fieldException, keys: "stack_trace"}}},
	{"service", []inside{{field: fieldService, keys: "name"}}},
	{"trace", []inside{{field: fieldTraceID, keys: "id"}}},
	{"user", []inside{{field: fieldUserID, keys: "id"}}},
	{"usr", []inside{{field: fieldUserID, keys: "id"}}},
	{"tenant", []inside{{field: fieldTenantID, keys: "id"}}},
	{"organization", []inside{{field: fieldTenantID, keys: "id"}}},
	{"client", []inside{{field: fieldClientIP, keys: "ip address"}}},
	{"source", []inside{{field: fieldClientIP, keys: "ip address"}}},
	{"user_agent", []inside{{field: fieldUserAgent, keys: "original"}}},
	{"body", []inside{{field: fieldMessage, keys: "stringValue"}}},
	{"jsonPayload", []inside{
		{field: fieldMessage, keys: "message msg"}, {field: fieldException, keys: "stack_trace exception"},
		{field: fieldLogger, keys: "logger"},
	}},
	{"httpRequest", []inside{
		{field: fieldMethod, keys: "requestMethod"}, {field: fieldStatus, keys: "status"},
		{field: fieldEndpoint, keys: "requestUrl"}, {field: fieldResponseTime, unit: written, keys: "latency"},
		{field: fieldClientIP, keys: "remoteIp"}, {field: fieldUserAgent, keys: "userAgent"},
	}},
	{"request", []inside{ // Caddy, and web frameworks with a request object
		{field: fieldMethod, keys: "method"}, {field: fieldEndpoint, keys: "uri path url"},
		{field: fieldClientIP, keys: "client_ip remote_ip"}, {field: fieldUserAgent, keys: "headers.User-Agent.0 headers.user-agent"},
	}},
	{"req", []inside{ // pino, bunyan
		{field: fieldMethod, keys: "method"}, {field: fieldEndpoint, keys: "url path"},
		{field: fieldClientIP, keys: "remoteAddress ip"}, {field: fieldUserAgent, keys: "headers.user-agent"},
	}},
	{"res", []inside{{field: fieldStatus, keys: "statusCode status"}}},
	{"response", []inside{{field: fieldStatus, keys: "status_code statusCode status"}}},
	{"Properties", []inside{ // Serilog
		{field: fieldLogger, keys: "SourceContext"}, {field: fieldMethod, keys: "RequestMethod"},
		{field: fieldEndpoint, keys: "RequestPath"}, {field: fieldStatus, keys: "StatusCode"},
		{field: fieldResponseTime, unit: milliseconds, keys: "Elapsed ElapsedMilliseconds"},
		{field: fieldClientIP, keys: "ClientIp"},
	}},
}

// An inside says which paths below a container lead to a field.
type inside struct {
	field field
	unit  unit
	keys  string
}

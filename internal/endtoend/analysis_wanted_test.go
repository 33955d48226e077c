package endtoend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// lookAt makes the view events of all rows, which the store of another schema may have, and the view timed of those
// with a response time under the endpoint where it has to be counted.
func (s *store) lookAt(all *store) {
	s.Helper()
	must := func(sql string) {
		s.Helper()
		if _, err := s.conn.Exec(s.Context(), sql); err != nil {
			s.Fatalf("%v\n%s", err, sql)
		}
	}
	must("create or replace temp view events as select *, (level in ('ERROR', 'CRITICAL') or level is null and exception is not null) " +
		"is true as failure from " + all.schema + ".log_events")
	var route string
	var routes []string
	s.each("select distinct endpoint from events where service = 'wide'", []any{&route}, func() { routes = append(routes, route) })
	if len(routes) < wideRoutes*3/4 {
		s.Fatalf("there are only %d wide routes", len(routes))
	}
	// Those with the smallest hashes have a histogram of their own.
	hash := func(route string) int64 { return int64(xxhash.Sum64String(route)) }
	slices.SortFunc(routes, func(a, b string) int { return cmp.Compare(hash(a), hash(b)) })
	const own = 200
	must("create or replace temp view timed as select *, case when endpoint is null or endpoint in ('" +
		strings.Join(routes[own:], "', '") + "') then 'other' else endpoint end as counted_as from events where response_time is not null")
}

// requireWindows compares the rows of log_analytics of a width with the rows of log_events.
func (s *store) requireWindows(unit string, seconds int) {
	s.Helper()
	of := func(what, got, want string) {
		s.Helper()
		s.same(what+" by "+unit, fmt.Sprintf(got, fmt.Sprintf("window_seconds = %d", seconds)), fmt.Sprintf(want, "date_trunc('"+unit+"', timestamp)"))
	}
	of("counts", `select timestamp, service, rolled, (summary ->> 'total_logs')::bigint, (summary ->> 'total_errors')::bigint,
			(summary ->> 'slow_requests')::bigint, (summary ->> 'requests')::bigint, (summary ->> 'failed')::bigint,
			(summary ->> 'unique_patterns')::bigint, coalesce(summary ->> 'rest_errors', '0') from log_analytics where %s`,
		`select %s, service, true, count(*), count(*) filter (where failure), count(*) filter (where response_time > 1000),
			count(*) filter (where status is not null or response_time is not null),
			count(*) filter (where coalesce(status >= 500, failure)), count(distinct pattern_id), '0'
		from events group by 1, 2`)
	of("levels", "select timestamp, service, key, value::bigint from log_analytics, jsonb_each(summary -> 'levels') where %s",
		"select %s, service, level, count(*) from events where level is not null group by 1, 2, 3")
	of("statuses", "select timestamp, service, key, value::bigint from log_analytics, jsonb_each(summary -> 'statuses') where %s",
		"select %s, service, status::text, count(*) from events where status is not null group by 1, 2, 3")
	of("latencies", `select timestamp, service, key, (value ->> 'n')::bigint, (value ->> 'sum')::numeric, (value ->> 'max')::numeric,
			(value ->> 'slow')::bigint from log_analytics, jsonb_each(summary -> 'latency') where %s`,
		`select %s, service, counted_as, count(*), sum(response_time::numeric), max(response_time::numeric),
			count(*) filter (where response_time > 1000) from timed group by 1, 2, 3`)
	of("histograms", `select timestamp, service, key, b.k, b.c from log_analytics, jsonb_each(summary -> 'latency'),
			unnest(string_to_array(value ->> 'k', ' ')::integer[], string_to_array(value ->> 'c', ' ')::bigint[]) b (k, c) where %s`,
		`select %s, service, counted_as, case response_time when 0 then -2147483648
			else ceil(ln(response_time::float8) / ln(1.01::float8 / 0.99))::integer end, count(*) from timed group by 1, 2, 3, 4`)
	of("error patterns", `select timestamp, service, p.* from log_analytics, jsonb_to_recordset(error_patterns) p (
			pattern_id bigint, pattern text, count bigint, level text, first timestamptz, last timestamptz) where %s`,
		`select %s, service, pattern_id, pattern, count(*), max(level), min(timestamp), max(timestamp)
		from events join log_patterns using (pattern_id) where failure group by 1, 2, 3, 4`)
	of("performance issues", `select timestamp, service, place, i ->> 'endpoint', (i ->> 'response_time')::real,
			(i ->> 'timestamp')::timestamptz, i ->> 'trace_id'
		from log_analytics, jsonb_array_elements(performance_issues) with ordinality l (i, place) where %s`,
		`select * from (select %[1]s, service, row_number() over (partition by %[1]s, service order by response_time desc) as place,
			endpoint, response_time, timestamp, trace_id from events where response_time > 1000) x where place <= 100`)
	if n := s.text(`select count(*)::text from log_analytics a, jsonb_to_recordset(error_patterns) p (pattern_id bigint, sample text)
		where not exists (select from events e where e.pattern_id = p.pattern_id and coalesce(message, exception) = p.sample
			and e.service is not distinct from a.service)`); n != "0" {
		s.Errorf("%s samples of patterns are no message that made them", n)
	}
}

// requireTotals compares what is kept of errors since ever.
func (s *store) requireTotals() {
	s.Helper()
	s.same("totals of patterns", "select pattern_id, level, total, services, last_seen from log_pattern_totals", `
		select pattern_id, max(level), count(*), coalesce(array_agg(distinct service) filter (where service is not null), '{}'),
			max(timestamp) from events where failure group by 1`)
}

// requireFunctions compares what dashboards ask for with the same questions to the rows, for all of the time and for a
// part of it that begins and ends within an hour. Which endpoints of a window have a histogram of their own is known only
// when it is folded.
func (s *store) requireFunctions(folded bool) {
	s.Helper()
	s.requireAnswers(folded, analysisStart, analysisEnd)
	s.requireAnswers(folded, "2026-01-15 08:17:00+00", "2026-01-15 10:05:00+00")
	s.requireAnswers(folded, "2026-01-14 22:30:00+00", "2026-01-16 01:00:00+00") // a full day and more
	s.same("error_totals", "select pattern_id, pattern, level, total, last_seen from error_totals", `
		select pattern_id, pattern, max(level), count(*), max(timestamp) from events join log_patterns using (pattern_id)
		where failure group by 1, 2`)
}

func (s *store) requireAnswers(folded bool, since, until string) {
	s.Helper()
	between := fmt.Sprintf("timestamp >= '%s' and timestamp < '%s'", since, until) // both are starts of a minute
	for _, service := range []string{"", "shop", "wide"} {
		of, only := "null", between
		if service != "" {
			of, only = "'"+service+"'", between+" and service = '"+service+"'"
		}
		call := func(function, rest string) string {
			return fmt.Sprintf("%s('%s', '%s', %s)", function, since, until, rest)
		}
		what := fmt.Sprintf(" of service %q from %s to %s", service, since, until)
		if service != "wide" { // which has no errors
			s.same("top_errors"+what, "select pattern_id, pattern, count, level, services, first, last from "+call("top_errors", of+", 100"), `
				select pattern_id, pattern, count(*), max(level), array_agg(distinct service), min(timestamp), max(timestamp)
				from events join log_patterns using (pattern_id) where failure and `+only+" group by 1, 2")
		}
		if folded || service == "shop" {
			s.same("slowest_endpoints"+what, "select endpoint, requests, slow, mean::real, max from "+call("slowest_endpoints", "1000, "+of), `
			select counted_as, count(*), count(*) filter (where response_time > 1000), avg(response_time::float8)::real,
				max(response_time::float8) from timed where `+only+" group by 1")
			s.same("latency_quantiles"+what, `select endpoint, requests, quantile, true from `+call("latency_quantiles", "'{0,0.1,0.5,0.95,0.99,1}', "+of), `
			select endpoint, n, quantile, abs(ms - exact) <= 0.01001 * exact
			from (select counted_as as endpoint, count(*) as n, quantile, percentile_disc(quantile) within group (order by response_time) as exact
				from timed, unnest('{0,0.1,0.5,0.95,0.99,1}'::float8[]) quantile where `+only+` group by 1, 3) x
			join `+call("latency_quantiles", "'{0,0.1,0.5,0.95,0.99,1}', "+of)+" using (endpoint, quantile)")
		}
		s.requireFigures(what, only, call, of)
		for _, step := range []string{"1 minute", "10 minutes", "1 hour", "1 day"} {
			s.same("request_rate"+what+" by "+step, "select * from "+call("request_rate", "'"+step+"', "+of), fmt.Sprintf(`
				select date_bin('%[1]s', timestamp, '2000-01-01 00:00:00+00'), service, count(*), count(*) filter (where failure),
					count(*) filter (where status is not null or response_time is not null),
					count(*) filter (where coalesce(status >= 500, failure)), count(*) filter (where response_time > 1000),
					count(*) filter (where status is not null or response_time is not null)::float8 / extract(epoch from interval '%[1]s')::float8
				from events where %[2]s group by 1, 2`, step, only))
		}
		for question, column := range map[string]string{
			fmt.Sprintf("unique_count('patterns', '%s', '%s', %s)", since, until, of): "pattern_id",
			call("unique_users", of):   "user_id",
			call("active_tenants", of): "tenant_id",
		} {
			var got, want int64
			s.query("select coalesce("+question+", 0)", &got)
			s.query("select count(distinct "+column+") from events where "+only, &want)
			if diff := float64(got - want); diff > 0.05*float64(want) || -diff > 0.05*float64(want) {
				s.Errorf("%s: %d, want %d", question, got, want)
			}
		}
	}
}

// requireFigures compares what does not depend on which endpoints have a histogram of their own.
func (s *store) requireFigures(what, only string, call func(function, rest string) string, of string) {
	s.Helper()
	s.same("totals of errors"+what, "select "+call("total_errors", of)+", "+call("unique_error_patterns", of),
		"select count(*), count(distinct pattern_id) from events where failure and "+only)
	s.same("error_rate"+what, "select * from "+call("error_rate", of), `
		select service, logs, errors, errors / logs::float8, requests, failed, failed / nullif(requests, 0)::float8
		from (select service, count(*) as logs, count(*) filter (where failure) as errors,
			count(*) filter (where status is not null or response_time is not null) as requests,
			count(*) filter (where coalesce(status >= 500, failure)) as failed
			from events where `+only+` group by service) x`)
	s.same("performance_issues"+what, "select service, endpoint, response_time::real, at, trace_id from "+call("performance_issues", of+", 100"), `
		select service, endpoint, response_time, timestamp, trace_id from events
		where response_time > 1000 and `+only+" order by response_time desc limit 100")
	const bucket = "case response_time when 0 then -2147483648 else ceil(ln(response_time::float8) / ln(1.01::float8 / 0.99)) end"
	const border = "round(ln(%d::float8) / ln(1.01::float8 / 0.99))"
	for _, endpoint := range []string{"null", "'/c/items/{n}'"} {
		if of == "'wide'" && endpoint != "null" {
			continue // it has other endpoints
		}
		s.same("apdex of "+endpoint+what, "select * from "+call("apdex", "200, "+of+", "+endpoint), fmt.Sprintf(`
			select service, n, satisfied, n - satisfied - frustrated, frustrated, (satisfied + (n - satisfied - frustrated) / 2.0::float8) / n
			from (select service, count(*) as n, count(*) filter (where %[1]s <= %[2]s) as satisfied,
				count(*) filter (where %[1]s > %[3]s) as frustrated
				from timed where (%[4]s is null or counted_as = %[4]s) and %[5]s group by service) x`,
			bucket, fmt.Sprintf(border, 200), fmt.Sprintf(border, 800), endpoint, only))
	}
	s.same("kpis"+what, "select logs, errors, error_rate, requests, failed, failure_rate from "+call("kpis", of), `
		select logs, errors, errors / nullif(logs, 0)::float8, requests, failed, failed / nullif(requests, 0)::float8
		from (select count(*) as logs, count(*) filter (where failure) as errors,
			count(*) filter (where status is not null or response_time is not null) as requests,
			count(*) filter (where coalesce(status >= 500, failure)) as failed from events where `+only+") x")
	s.same("latencies in kpis"+what, `select q, true from unnest('{0.5,0.95,0.99}'::float8[]) q`, `
		select q, abs(case q when 0.5 then k.p50 when 0.95 then k.p95 else k.p99 end - exact) <= 0.01001 * exact
		from (select q, percentile_disc(q) within group (order by response_time) as exact
			from timed, unnest('{0.5,0.95,0.99}'::float8[]) q where `+only+` group by q) x, `+call("kpis", of)+` k`)
}

package chaos

// An examination is one thing to look at. Its query returns a count of what is wrong and examples of it, given the
// arguments of an [Account].
type examination struct {
	what  string
	query string
}

const (
	missing      = "numbers are missing"
	duplicated   = "rows are duplicates"
	mostExamples = 10
)

// events begins the queries about rows: all of them, with what the writers put into them, and what they should be.
func (f Form) events() string {
	return given + `, events as (
	select ` + f.numbers + `, message, exception, source_id, source_offset, logger, trace_id
	from log_events
), expected as (
	select writer, n from given, generate_series(1, lines) n
), counted as (
	select writer, n, count(*) as times from events group by writer, n
)
`
}

// given begins all queries.
const given = `with given as (
	select * from unnest($1::text[], $2::bigint[]) w(writer, lines)
), letters as (
	select * from unnest($3::text[], $4::bigint[]) l(reason, letters)
), further as (
	select $5::bigint as joined, $6::bigint as lost, $9::bigint as gone_bytes
), gone as (
	select * from unnest($7::text[], $8::bigint[]) g(writer, n)
)
`

// examinations returns all there is to look at in lines of this form.
func (f Form) examinations() []examination {
	events := f.events()
	return []examination{
		{missing, events + `
			select count(*), (array_agg(concat_ws(' ', writer, n) order by writer, n))[:10] from expected e
			where not exists (select from counted c where c.writer = e.writer and c.n = e.n)
				and not exists (select from gone g where g.writer = e.writer and g.n = e.n)`},
		{duplicated, events + `
			select coalesce(sum(times - 1), 0)::bigint, (array_agg(concat_ws(' ', writer, n, 'times', times) order by writer, n))[:10]
			from counted where times > 1`},
		{"rows are of no writer, or of no number that it wrote", events + `
			select count(*), (array_agg(concat_ws(' ', coalesce(writer, '?'), n) order by writer, n))[:10] from counted c
			where not exists (select from expected e where e.writer = c.writer and e.n = c.n)`},
		{"rows are damaged", events + `
			select count(*), (array_agg(concat_ws(' ', writer, n, logger, trace_id, message) order by writer, n))[:10] from events
			where not coalesce(` + f.intact + `, false)`},
		{"rows share their place in a source", events + `
			select coalesce(sum(times - 1), 0)::bigint, (array_agg(concat_ws(' ', source_id, 'at', source_offset)))[:10] from (
				select source_id, source_offset, count(*) as times from events group by source_id, source_offset
			) x where times > 1`},
		{"dead letters more or less than there should be", given + `
			select coalesce(sum(abs(coalesce(found, 0) - coalesce(letters, 0))), 0)::bigint,
				(array_agg(concat_ws(' ', reason || ':', example, coalesce(found, 0), 'instead of', coalesce(letters, 0))))[:10]
			from letters full join (
				select reason, count(*) as found, min(encode(substr(raw, 1, 200), 'escape')) as example from log_dead_letters group by reason
			) d using (reason) where found is distinct from letters`},
		{"sources filtered something, or lost messages, or do not balance", given + `
			select count(*), (array_agg(concat_ws(' ', source_key || ':', lines, kept, filtered, dead, lost_bytes, lost_messages)))[:10]
			from log_positions p where lines <> kept + dead or filtered <> 0 or lost_messages <> 0
				or dead <> (select count(*) from log_dead_letters d where d.source_id = p.source_id)`},
		{"bytes lost more or less than there should be", given + `
			select greatest(coalesce(sum(lost_bytes), 0) - lost - gone_bytes, lost - coalesce(sum(lost_bytes), 0), 0)::bigint, (array_agg(concat_ws(' ', source_key || ':', lines, kept, filtered, dead,
				lost_bytes, lost_messages)) filter (where lost_bytes <> 0))[:10]
			from further left join log_positions on true group by lost, gone_bytes`},
		{"sources whose ledger differs from their rows", given + `
			select count(*), (array_agg(concat_ws(' ', coalesce(source_key, '?') || ':', p.events, 'in the ledger,',
				coalesce(e.rows, 0), 'stored')))[:10]
			from log_positions p
			full join (select source_id, count(*) as rows from log_events group by source_id) e using (source_id)
			where coalesce(p.events, -1) <> coalesce(e.rows, 0)`},
		{"lines more or less in the ledger than were written", given + `
			select greatest(ledger - written, written - gone - ledger, 0)::bigint,
				array[concat_ws(' ', ledger, 'in the ledger,', written, 'written,', gone, 'gone')]
			from (select coalesce(sum(lines), 0) as ledger from log_positions) p, (
				select joined + (select coalesce(sum(lines), 0) from given) + (select coalesce(sum(letters), 0) from letters) as written
				from further) w, (select count(*) as gone from gone) g`},
		{"events more or less in hours and what is not rolled up than were analysed", windows("window_seconds = 3600 or not rolled")},
		{"events more or less in days and what is not rolled up than were analysed", windows("window_seconds = 86400 or not rolled")},
		{"events more or less in minutes than were analysed", windows("window_seconds < 3600")},
	}
}

// windows compares the sum over rows of log_analytics that count every event once with the ledger.
func windows(once string) string {
	return given + `
		select abs(a.n - w.n)::bigint, array[concat_ws(' ', 'analysed', a.n || ', in windows', w.n)]
		from (select coalesce(sum(analysed), 0) as n from log_positions) a,
			(select coalesce(sum((summary ->> 'total_logs')::bigint), 0) as n from log_analytics where ` + once + `) w`
}

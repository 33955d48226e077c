package chaos

import (
	"encoding/json"
	"fmt"
)

// A Form says how lines tell whose they are and which number they have, as they were written and as they are stored.
type Form struct {
	parse   func(text []byte) (numbered, error)
	numbers string // SQL: the columns writer and n of log_events
	intact  string // SQL: whether a row holds all that its line had, given those two
}

// numbered is what every line tells.
type numbered struct {
	Writer string
	N      int64
}

// ServiceLines is the form of what the programs in writers write.
var ServiceLines = Form{
	parse: func(text []byte) (line numbered, err error) {
		err = json.Unmarshal(text, &line)
		return line, err
	},
	numbers: "attrs ->> 'writer' as writer, (attrs ->> 'n')::bigint as n",
	intact: `message = format('line %s of %s: %send %s', n, writer, repeat('payload ', (n % 13)::integer), n)
			and logger = 'chaos.' || writer and trace_id = lpad(to_hex(n), 32, '0')`,
}

// TransactionLines is the form of what Kafka's own client writes in transactions of this many records: the transaction's
// fate, its number, and the record's in it. Their writer is the fate; every second transaction is aborted.
func TransactionLines(records int) Form {
	part := func(i int) string { return fmt.Sprintf("split_part(message, ' ', %d)", i) }
	return Form{
		parse: func(text []byte) (line numbered, err error) {
			var transaction, record int
			_, err = fmt.Sscanf(string(text), "%s %d %d", &line.Writer, &transaction, &record)
			line.N = int64(transaction/2*records + record + 1)
			return line, err
		},
		numbers: fmt.Sprintf("%s as writer, %s::bigint / 2 * %d + %s::bigint + 1 as n", part(1), part(2), records, part(3)),
		intact:  fmt.Sprintf("message ~ '^[a-z]+ [0-9]+ [0-9]+$' and %s::bigint < %d", part(3), records),
	}
}

// TraceLines is the form of stack traces in text that a script writes, with what was logged before them.
var TraceLines = Form{
	numbers: `split_part(message, ' ', 5) as writer, split_part(message, ' ', 3)::bigint as n`,
	intact: `message = format('ERROR request %s of %s failed', n, writer) and exception = format(E'Traceback (most recent call last):\n'
		'  File "app.py", line %s, in work\n    work(%s)\nValueError: %s of %s', n, n, n, writer)`,
}

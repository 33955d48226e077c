package endtoend

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	goodLines = 5000
	goodTime  = "2026-01-15T08:00:00Z"
	isGood    = "timestamp = '" + goodTime + "' and level = 'INFO' and message = 'good' and attrs ? 'n'"

	deadHead = 64 << 10 // bytes that a dead letter keeps
)

// Every line that is not what one hopes for, in the middle of good ones: those are stored as if it were not there, and
// it is stored, made safe, or a dead letter.
func TestBadInput(t *testing.T) {
	t.Parallel()
	t.Run("auto", func(t *testing.T) {
		t.Parallel()
		badInput(t, newStore(t, ""), autoCases())
	})
	t.Run("json", func(t *testing.T) {
		t.Parallel()
		badInput(t, newStore(t, "parse: {format: json}"), jsonCases())
	})
	t.Run("long lines", func(t *testing.T) {
		t.Parallel()
		s := newStore(t, "")
		s.environment = []string{"LOGFLUME_LIMITS_LINE=4MiB"}
		badInput(t, s, longCases())
	})
}

// badInput imports each case as a file of its own, all in one run.
func badInput(t *testing.T, s *store, cases []badCase) {
	files := map[string]*caseFile{}
	for i, c := range cases {
		f := c.file(i)
		path := s.file(fmt.Sprintf("%03d.log", i), f.content)
		if files[path] = f; f.position != int64(len(f.content)) {
			t.Fatalf("%s: its file is not what it should be", c.name)
		}
	}
	before := time.Now().Truncate(time.Microsecond)
	printed := s.imports(filepath.Join(s.files, "*.log"))
	received := span{before, time.Now()}
	s.requireBalance()
	if want := s.ledgerText(); !strings.HasPrefix(printed, want) {
		t.Errorf("the program printed\n%swant\n%s", printed, want)
	}
	seen := s.seenBySource()
	if len(seen) != len(files) {
		t.Errorf("%d sources, want %d", len(seen), len(files))
	}
	for path, f := range files {
		t.Run(f.name, func(t *testing.T) {
			if seen[path] == nil {
				t.Fatal("it was not read")
			}
			f.judge(t, seen[path], received)
		})
	}
}

// A caseFile is a case among good lines, and what has to become of it.
type caseFile struct {
	name     string
	content  string
	position int64
	good     string // digest of the good rows
	ledger   ledger
	rows     []wantedRow
	letters  []letter
}

type ledger struct{ Position, Lines, Kept, Filtered, Dead, Events, Analysed int64 }

type wantedRow struct {
	offset  int64
	columns string
}

// A letter is a row of log_dead_letters.
type letter struct {
	Offset    int64
	Reason    string
	Raw       string
	Truncated bool
	Length    int64
}

func (l letter) String() string {
	return fmt.Sprintf("at %d, %d bytes, truncated %v, %s: %s", l.Offset, l.Length, l.Truncated, l.Reason, cut(strconv.QuoteToASCII(l.Raw)))
}

// file puts the case among good lines. Their numbers differ from file to file: a file that begins and ends like another
// of the same size would be taken for its copy.
func (c *badCase) file(number int) *caseFile {
	f := &caseFile{name: c.name, ledger: ledger{Lines: goodLines, Kept: goodLines, Events: goodLines}}
	newline := c.newline
	if newline == "" {
		newline = "\n"
	}
	var content, good []byte
	at := map[place]int{first: 0, middle: goodLines / 2, last: goodLines}[c.place]
	for i := range goodLines + 1 {
		if i == at {
			content = f.add(content, c, newline)
		}
		if i < goodLines {
			n := int64(number*goodLines + i)
			good = strconv.AppendInt(append(good, `{"n": `...), n, 10)
			good = append(strconv.AppendInt(append(good, "}:"...), int64(len(content)), 10), ',')
			content = strconv.AppendInt(append(content, `{"timestamp":"`+goodTime+`","level":"INFO","message":"good","n":`...), n, 10)
			content = append(append(content, '}'), newline...)
		}
	}
	f.content, f.good = string(content), digest(good)
	f.position = int64(len(f.content))
	f.ledger.Position, f.ledger.Analysed = f.position, f.ledger.Events
	return f
}

// add adds the lines of the case to the content, and what has to become of them to f.
func (f *caseFile) add(content []byte, c *badCase, newline string) []byte {
	content = append(content, c.before...)
	for _, l := range c.lines {
		offset := int64(len(content))
		content = append(content, l.text...)
		if c.place != last {
			content = append(content, newline...)
		}
		switch {
		case l.dead != "":
			f.ledger.Dead++
			f.letters = append(f.letters, letter{
				Offset: offset, Reason: l.dead, Raw: l.text[:min(len(l.text), deadHead)], Truncated: len(l.text) > deadHead,
				Length: int64(len(l.text)),
			})
		case l.filtered:
			f.ledger.Filtered++
		case l.joined:
			f.ledger.Kept++
		case len(l.rows) > 0:
			f.ledger.Kept++
			f.ledger.Events += int64(len(l.rows))
			for _, r := range l.rows {
				f.rows = append(f.rows, wantedRow{offset, r})
			}
		default:
			continue // a blank line counts for nothing
		}
		f.ledger.Lines++
	}
	return content
}

// A span is when events without a time of their own were received.
type span struct{ from, to time.Time }

// judge compares what is stored of the file with what should be.
func (f *caseFile) judge(t *testing.T, got *seen, received span) {
	if got.ledger != f.ledger {
		t.Errorf("ledger\n got %+v\nwant %+v", got.ledger, f.ledger)
	}
	if got.good != f.good {
		t.Error("the good lines are not stored exactly once, each at its place")
	}
	if len(got.rows) != len(f.rows) {
		t.Errorf("%d rows beside the good ones, want %d", len(got.rows), len(f.rows))
	}
	for i := range min(len(got.rows), len(f.rows)) {
		if got.rows[i].offset != f.rows[i].offset {
			t.Errorf("a row has source_offset %d, want %d", got.rows[i].offset, f.rows[i].offset)
		}
		if wrong := judgeRow(t, got.rows[i].columns, f.rows[i].columns, received); len(wrong) > 0 {
			t.Errorf("row %d, which should be %s:\n\t%s", i, cut(f.rows[i].columns), strings.Join(wrong, "\n\t"))
		}
	}
	if len(got.letters) != len(f.letters) {
		t.Errorf("%d dead letters, want %d", len(got.letters), len(f.letters))
	}
	for i := range min(len(got.letters), len(f.letters)) {
		if got.letters[i] != f.letters[i] {
			t.Errorf("dead letter\n got %s\nwant %s", got.letters[i], f.letters[i])
		}
	}
}

// judgeRow compares all columns of a row and returns what is wrong. Those that the wanted row does not name are NULL or
// empty, its time when it was received.
func judgeRow(t *testing.T, gotText, wantText string, received span) (wrong []string) {
	t.Helper()
	got, want := decode(t, gotText), decode(t, wantText)
	if _, ok := want["timestamp"]; !ok {
		text, _ := got["timestamp"].(string)
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.Before(received.from) || at.After(received.to) {
			wrong = append(wrong, "timestamp is "+text+", want when it was received")
		}
		delete(got, "timestamp")
	}
	for _, column := range []string{"source_id", "source_offset", "hostname", "pattern_id"} {
		delete(got, column)
	}
	for column, value := range got {
		wanted, ok := want[column]
		switch {
		case ok:
		case column == "attrs":
			wanted = map[string]any{}
		case column == "slow":
			wanted = false
		}
		if !reflect.DeepEqual(value, wanted) {
			wrong = append(wrong, fmt.Sprintf("%s is %s", column, cut(fmt.Sprintf("%+q", value))))
		}
	}
	for column := range want {
		if _, ok := got[column]; !ok && column != "timestamp" {
			wrong = append(wrong, "there is no column "+column)
		}
	}
	return wrong
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	var object map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&object); err != nil {
		t.Fatalf("%v: %s", err, cut(text))
	}
	return object
}

func digest(text []byte) string {
	sum := md5.Sum(text)
	return hex.EncodeToString(sum[:])
}

// seen is what is stored of one file.
type seen struct {
	ledger  ledger
	good    string
	rows    []wantedRow
	letters []letter
}

// seenBySource reads what is stored of each file.
func (s *store) seenBySource() map[string]*seen {
	s.Helper()
	byPath, byID := map[string]*seen{}, map[int32]*seen{}
	var (
		id     int32
		path   string
		l      ledger
		good   string
		row    wantedRow
		letter letter
		raw    []byte
	)
	s.each("select source_id, path, position, lines, kept, filtered, dead, events, analysed from source_ledger",
		[]any{&id, &path, &l.Position, &l.Lines, &l.Kept, &l.Filtered, &l.Dead, &l.Events, &l.Analysed}, func() {
			byID[id] = &seen{ledger: l}
			byPath[path] = byID[id]
		})
	s.each(`select source_id, md5(string_agg(attrs::text || ':' || source_offset || ',', '' order by (attrs ->> 'n')::integer))
		from log_events where `+isGood+" group by source_id", []any{&id, &good}, func() { byID[id].good = good })
	// In an array's events nothing tells their order but where they lie.
	s.each(`select source_id, source_offset, to_jsonb(e)::text from log_events e where (`+isGood+`) is not true
		order by source_id, source_offset, ctid`, []any{&id, &row.offset, &row.columns},
		func() { byID[id].rows = append(byID[id].rows, row) })
	s.each(`select source_id, source_offset, reason, raw, truncated, length from log_dead_letters where sqlstate is null
		order by source_id, source_offset`,
		[]any{&id, &letter.Offset, &letter.Reason, &raw, &letter.Truncated, &letter.Length}, func() {
			letter.Raw = string(raw)
			byID[id].letters = append(byID[id].letters, letter)
		})
	return byPath
}

// A file in UTF-16 is refused as a whole, and the others are read.
func TestUTF16IsRefused(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	for name, mark := range map[string]string{"little.log": "\xff\xfe{\x00}\x00\n\x00", "big.log": "\xfe\xff\x00{\x00}\x00\n"} {
		s.file(name, mark)
	}
	s.file("good.log", `{"message":"good"}`+"\n")
	_, stderr, err := s.tryImport(filepath.Join(s.files, "*.log"))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("the import ended with %v", err)
	}
	for _, name := range []string{"little.log", "big.log"} {
		if !strings.Contains(stderr, filepath.Join(s.files, name)) || !strings.Contains(stderr, "UTF-16") {
			t.Errorf("nothing says what is wrong with %s:\n%s", name, stderr)
		}
	}
	s.requireBalance()
	s.same("sources", "select path, position, lines from source_ledger where position > 0 or lines > 0",
		"select '"+filepath.Join(s.files, "good.log")+"', 19::bigint, 1::bigint")
}

// A case in a packed file is the same case.
func TestBadInputInPackedFile(t *testing.T) {
	t.Parallel()
	s := newStore(t, "")
	c := stored("NUL escape", `{"a":"x\u0000y"}`, `{"attrs":{"a":"x\ufffdy"}}`)
	c.lines = append(c.lines, line{text: `{"a":`, dead: jsonEnd})
	f := c.file(0)
	path := s.file("packed.gz", gzipped(t, f.content))
	if info, err := os.Stat(path); err != nil || info.Size() >= f.position {
		t.Fatalf("%v: it is not packed", err)
	}
	before := time.Now().Truncate(time.Microsecond)
	s.imports(path)
	received := span{before, time.Now()}
	s.requireBalance()
	f.judge(t, s.seenBySource()[path], received)
}

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Script drives files step by step against the real program, knows what it wrote, and judges what came of it. Names of
// files are relative to the directory of logs. Each operation on files is a step; see [Way] for what happens between them.
type Script struct {
	*Rig
	Way Way

	running *Instance // nil while none runs
	begun   bool      // one ran
	brief   bool      // files wait for a short time only
	texts   []*Text
	last    *Text
	tables  *pgx.Conn       // to look at them; nil while there is none
	refused map[string]bool // names of files that are not read
}

// Settings are members of the configuration, as YAML without braces.
type Settings struct {
	Paths  []string // globs below the directory of logs; *.log* if there are none
	Files  string   // of files; the waiting times in it should be short
	Parse  string   // of parse
	Limits string   // of limits, without memory
}

// How long things may take: what is waited for comes much earlier, unless it never does.
const (
	patience = 2 * time.Minute
	shortly  = 300 * time.Millisecond // for something that may as well not come
)

// maxScriptMemory is the most that an instance may hold, in KiB: limits.memory is 4 MiB.
const maxScriptMemory = 96 << 10

// NewScript prepares a script on a schema of the server that tests share. Nothing runs yet.
func NewScript(t testing.TB, program string, way Way, settings Settings) *Script {
	t.Helper()
	s := &Script{Rig: NewRig(t, ChosenSize(), program), Way: way, refused: map[string]bool{}}
	if len(settings.Paths) == 0 {
		settings.Paths = []string{"*.log*"}
	}
	paths := make([]string, len(settings.Paths))
	for i, path := range settings.Paths {
		paths[i] = fmt.Sprintf("%q", s.path(path))
	}
	s.input, s.listen = fmt.Sprintf("file: {paths: [%s]}", strings.Join(paths, ", ")), "127.0.0.1:0"
	s.account.Dead, s.maxMemory = map[string]int64{}, maxScriptMemory
	s.brief = settings.Files != ""
	s.Set(settings)
	s.last = s.Text("last")
	return s
}

// Set writes the configuration. Paths stay as they were.
func (s *Script) Set(settings Settings) {
	s.t.Helper()
	if settings.Limits != "" {
		settings.Limits = ", " + settings.Limits
	}
	// Little memory and small transactions, so that there is a middle of reading to be killed in.
	s.Configure(fmt.Sprintf("flush: {interval: 20ms, rows: 500}\nfiles: {%s}\nparse: {%s}\nlimits: {memory: 4MiB%s}",
		settings.Files, settings.Parse, settings.Limits))
}

// Wrap has instances run by a command, such as prlimit, which gives way to them.
func (s *Script) Wrap(command ...string) { s.wrapper = command }

// Dead says that n further lines become dead letters for this reason.
func (s *Script) Dead(reason string, n int64) { s.account.Dead[reason] += n }

// Lost says that n further bytes are cut off before they can be read.
func (s *Script) Lost(n int64) { s.account.LostBytes += n }

// Lose says that a text was cut where a stream ended, and fails the test unless the ledger counts what was left of it, to
// the byte.
func (s *Script) Lose(x *Text, was Stream) {
	s.t.Helper()
	if was.Position+was.LostBytes != x.Size() {
		s.t.Errorf("%d bytes are read and %d lost of %d", was.Position, was.LostBytes, x.Size())
	}
	x.cut(was.Position)
	s.Lost(was.LostBytes)
}

// Refused says that a file is not read.
func (s *Script) Refused(name string) { s.refused[name] = true }

// Up starts an instance unless one runs, which it returns.
func (s *Script) Up() *Instance {
	s.t.Helper()
	if s.running == nil {
		s.running, s.begun = s.Start(), true
	}
	return s.running
}

// Down ends the instance that runs, with SIGTERM or SIGKILL.
func (s *Script) Down() {
	s.t.Helper()
	switch {
	case s.running == nil:
	case s.random.IntN(2) == 0:
		s.Kill()
	default:
		s.end()
	}
}

// Kill ends the instance that runs with SIGKILL.
func (s *Script) Kill() {
	s.t.Helper()
	if s.running != nil {
		s.killOnly(s.running)
	}
	s.running = nil
}

// end ends the instance that runs with SIGTERM.
func (s *Script) end() {
	s.t.Helper()
	s.running.Terminate()
	s.running = nil
	s.restarts++
}

// Await waits until what is the case.
func (s *Script) Await(what string, is func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !is(); s.Pause(interval) {
		if time.Now().After(end) {
			s.t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// Stored waits until everything that was written is stored. Where the way is to kill, that happens meanwhile, too.
func (s *Script) Stored() {
	s.t.Helper()
	s.Up()
	s.look()
	for kills := 0; s.Way == Killed && kills < 2 && s.stored < s.expected() && s.Progress(quiet); kills++ {
		s.Kill()
		s.Up()
	}
	if s.Settle(); s.stored < s.expected() {
		s.t.Errorf("%d lines of %d are stored", s.stored, s.expected())
	}
}

// Finish waits until everything is stored and decided, sees that the files in the directory of logs are read to their end,
// runs the program once more, which must add nothing but a new file's line, and judges.
func (s *Script) Finish() {
	s.t.Helper()
	s.Stored()
	if s.brief {
		s.Await("no file is taken for a copy in progress", func() bool { return s.Metric(`logflume_files{state="held"}`) == 0 })
	}
	s.end()
	s.Up()
	s.AwaitLog(s.starts, `"msg":"files found"`)
	s.Append("last.log", s.last, 1)
	s.Up()
	s.Settle()
	s.end()
	for _, x := range s.texts {
		s.account.Joined += int64(x.writer.Lines * x.joined)
	}
	s.requireEnds()
	s.requireClean()
}

// AwaitLog waits until the n-th instance, or any if n is 0, has logged something with this part.
func (s *Script) AwaitLog(n int, part string) {
	s.t.Helper()
	s.Await("logged: "+part, func() bool { return s.Logged(n, part) > 0 })
}

// Logged returns how often the n-th instance, or all if n is 0, have logged this part.
func (s *Script) Logged(n int, part string) (times int) {
	for i := 1; i <= s.starts; i++ {
		if n == 0 || n == i {
			log, _ := os.ReadFile(s.logPath(i)) // what is not there yet has nothing
			times += strings.Count(string(log), part)
		}
	}
	return times
}

// path returns the path of a name in the directory of logs.
func (s *Script) path(name string) string { return filepath.Join(s.Logs, name) }

// Starts returns how many instances were started.
func (s *Script) Starts() int { return s.starts }

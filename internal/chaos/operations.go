package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Append adds the next n lines of a text to the end of a file.
func (s *Script) Append(name string, x *Text, n int) {
	s.t.Helper()
	s.Write(name, x.Next(n))
}

// Write adds pieces to the end of a file, one after the other. It is made if need be.
func (s *Script) Write(name string, pieces ...string) {
	s.t.Helper()
	s.step()
	if !filepath.IsAbs(name) {
		name = s.path(name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for _, piece := range pieces {
		if _, err := f.WriteString(piece); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Create opens a new file as a writer does that does not append: it goes on at its own offset, whatever becomes of the
// file.
func (s *Script) Create(name string) *os.File {
	s.t.Helper()
	s.step()
	f, err := os.Create(s.path(name))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { f.Close() })
	return f
}

// WriteTo writes data to a file of [Script.Create].
func (s *Script) WriteTo(f *os.File, data string) {
	s.t.Helper()
	s.step()
	if _, err := f.WriteString(data); err != nil {
		s.t.Fatal(err)
	}
}

// Do runs a program in the directory of logs.
func (s *Script) Do(program string, args ...string) {
	s.t.Helper()
	s.step()
	s.countFiles()
	c := exec.Command(program, args...)
	c.Dir = s.Logs
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

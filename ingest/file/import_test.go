package file

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// imports runs an import of paths to its end.
func (w *world) imports(paths ...string) *Import {
	w.Helper()
	return w.importsFrom(nil, paths...)
}

func (w *world) importsFrom(stdin io.Reader, paths ...string) *Import {
	w.Helper()
	for i, p := range paths {
		if p != StandardInput {
			paths[i] = w.path(p)
		}
	}
	m, err := NewImport(ImportOptions{
		Paths: paths, Host: "host", LineLimit: w.o.LineLimit, Stdin: stdin, Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	w.must(err)
	w.must(<-run(w.store.connect(), m).ended)
	return m
}

func (w *world) gzip(name, text string) {
	w.Helper()
	w.must(os.WriteFile(w.path(name), gzipOf([]byte(text)), 0o644))
}

func gzipOf(content []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func (w *world) zstd(name, text string) {
	w.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	w.must(err)
	_, err = z.Write([]byte(text))
	w.must(err)
	w.must(z.Close())
	w.must(os.WriteFile(w.path(name), b.Bytes(), 0o644))
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 20000)
	w.append("a.log", text)
	w.append("b.log", "one\nlast without newline")
	w.append("empty.log", "")
	m := w.imports("*.log")
	want := append(lines, "one", "last without newline")
	w.expect(want...)
	w.expectPosition("a.log", int64(len(text)))
	for _, p := range m.Progress() {
		if !p.Ended || p.Done != p.Total {
			t.Errorf("progress %+v", p)
		}
	}
	w.imports("a.log", "b.log", "*.log")
	w.expect(want...)

	w.append("b.log", "\nmore\n")
	w.imports("*.log")
	w.expect(append(want, "more")...)
}

func TestImportOfCompressedFiles(t *testing.T) {
	for name, pack := range map[string]func(*world, string, string){"gz": (*world).gzip, "zst": (*world).zstd} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			lines, text := numbered(0, 20000)
			pack(w, "a", text+"last")
			want := append(lines, "last")
			w.imports("a")
			w.expect(want...)
			w.expectPosition("a", int64(len(text))+4)
			w.imports("a")
			w.expect(want...)

			w.append("plain", text+"last") // the same content elsewhere
			w.imports("plain")
			w.expect(want...)
		})
	}
}

// What a source has read of a file is not imported again, not even from its compressed form.
func TestImportContinuesWhatASourceHasRead(t *testing.T) {
	for _, n := range []int{10, 2000} { // below and above the size of a head
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			lines, text := numbered(0, n)
			w.append("app.log", text)
			w.begin()
			w.expect(lines...)
			w.stop()
			more, moreText := numbered(n, n+100)
			w.gzip("app.log.1.gz", text+moreText)
			w.remove("app.log")
			w.imports("app.log.1.gz")
			w.expect(append(lines, more...)...)
			w.expectPosition("app.log.1.gz", int64(len(text)+len(moreText)))
			if rows := w.store.snapshots(); len(rows) != 1 || !rows[0].Closed || rows[0].epoch != 1 {
				t.Errorf("rows %+v", rows)
			}
			w.imports("app.log.1.gz")
			w.expect(append(lines, more...)...)
		})
	}
}

func TestSourceContinuesWhatWasImported(t *testing.T) {
	w := newWorld(t)
	lines, text := numbered(0, 100)
	w.append("app.log", text)
	w.imports("app.log")
	w.begin()
	w.append("app.log", "more\n")
	w.expect(append(lines, "more")...)
}

func TestImportOfStandardInput(t *testing.T) {
	w := newWorld(t)
	w.o.LineLimit = 1000
	lines, text := numbered(0, 5000)
	long := strings.Repeat("x", 100_000)
	w.importsFrom(strings.NewReader(text+long+"\nlast"), "-")
	want := append(lines, long[:1000], "last")
	w.expect(want...)
	w.importsFrom(strings.NewReader("again\n"), "-")
	w.expect(append(want, "again")...)
	if n := len(w.store.snapshots()); n != 2 {
		t.Errorf("there are %d rows", n)
	}
}

// Lines from a pipe do not wait until a block is full.
func TestStandardInputIsNotHeldBack(t *testing.T) {
	w := newWorld(t)
	out, in := io.Pipe()
	m, err := NewImport(ImportOptions{Paths: []string{"-"}, Host: "host", Stdin: out})
	w.must(err)
	p := run(w.store.connect(), m)
	_, err = io.WriteString(in, "one\ntwo\nthr")
	w.must(err)
	w.expect("one", "two")
	_, err = io.WriteString(in, "ee\n")
	w.must(err)
	w.expect("one", "two", "three")
	w.must(in.Close())
	w.must(<-p.ended)
}

func TestImportOfNothing(t *testing.T) {
	w := newWorld(t)
	w.must(os.Mkdir(w.path("old"), 0o755))
	for _, c := range []struct{ paths, want string }{
		{"missing.log", "missing.log: no such file"}, {"*.missing", "nothing matches"},
		{"old", "old: it is a directory"}, {". old", "all of the paths are directories"}, {"missing.log old", "missing.log: no such file"},
	} {
		var paths []string
		for _, p := range strings.Fields(c.paths) {
			paths = append(paths, w.path(p))
		}
		if _, err := NewImport(ImportOptions{Paths: paths, Host: "host"}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.paths, err, c.want)
		}
	}
}

// A shell's glob names directories too; they do not keep an import from the files.
func TestImportPassesOverDirectories(t *testing.T) {
	w := newWorld(t)
	w.append("a.log", "one\n")
	w.append("z.log", "two\n")
	w.must(os.Mkdir(w.path("old"), 0o755))
	w.imports("a.log", "old", "z.log")
	w.expect("one", "two")
	if want := "path=" + w.path("old"); !strings.Contains(w.log.String(), "it is a directory") || !strings.Contains(w.log.String(), want) {
		t.Errorf("no warning with %s:\n%s", want, w.log)
	}
}

func TestBrokenCompressedFile(t *testing.T) {
	w := newWorld(t)
	_, text := numbered(0, 20000)
	w.gzip("a.gz", text)
	w.must(os.Truncate(w.path("a.gz"), 5000))
	m, err := NewImport(ImportOptions{Paths: []string{w.path("a.gz")}, Host: "host"})
	w.must(err)
	if err := <-run(w.store.connect(), m).ended; err == nil || !strings.Contains(err.Error(), "a.gz") {
		t.Errorf("the import ended with %v", err)
	}
}

// A file that begins and ends like another, and is as long, is that one's copy only if it is the same in between.
func TestImportOfAFileThatOnlyLooksLikeACopy(t *testing.T) {
	w := newWorld(t)
	first, head := numbered(0, 100)
	last, tail := numbered(100, 200)
	w.append("a.log", head+"this one\n"+tail)
	w.append("b.log", head+"that one\n"+tail)
	w.copy("a.log", "c.log")
	want := append(append(first, "this one"), last...)
	w.imports("a.log")
	w.imports("b.log", "c.log")
	w.expect(append(append(append(want, first...), "that one"), last...)...)
	w.imports("a.log", "b.log", "c.log")
	w.expect(append(append(append(want, first...), "that one"), last...)...)
}

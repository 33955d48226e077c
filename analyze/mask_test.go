package analyze

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// masked returns the pattern of s and its id.
func masked(s string) (string, int64) {
	var m masker
	id := m.mask(s)
	return string(m.appendText(nil)), id
}

func TestWordsThatSurvive(t *testing.T) {
	t.Parallel()
	words := []string{
		"default", "beefsteak", "feed_url", "is_default", "decade", "facade", "Foo::bar", "IPv4", "x86_64", "utf8", "log4j",
		"http2", "SQLSTATE", "java.net.ConnectException", "KB/s", "and/or", "I/O", "sha256", "ext3", "can't", "O'Brien",
		"ошибка", "接続エラー", "café", "java.io", "com.example.Outer$InnerError", "DeprecationWarning", "user", "May", "Sun",
		"text/html", "e.g.", "a.k.a.", "user-service", "READ_ONLY", "...", "->", "--", "==", "C++", "node.js",
	}
	for _, w := range words {
		for _, in := range []string{w, "the " + w + " here", w + ": failed", "x " + w} {
			if got, _ := masked(in); got != in {
				t.Errorf("masked(%q) = %q", in, got)
			}
		}
	}
	if got, _ := masked("Foo::bar()"); got != "Foo::bar" {
		t.Errorf("masked(Foo::bar()) = %q", got)
	}
}

func TestWordsThatAreMasked(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"temp_23_175863242537_93_98", "<id>"},
		{"deadbeef", "<hex>"},
		{"9f4ef63", "<hex>"},
		{"0XFEAD12", "<hex>"},
		{"0xc000123456", "<hex>"},
		{"blk_-6952295868487656571", "<id>"},
		{"attempt_1445144423722_0020_m_000001_0", "<id>"},
		{"2024-12-25T10:20:30.123+05:00", "<time>"},
		{"20241225T102030Z", "<time>"},
		{"2024/12/08 15:22:32,123", "<time>"},
		{"Wed Apr 17 22:31:45 2019", "<time>"},
		{"17 April 2019", "<num>"},
		{"3h5m6s43ms", "<num>"},
		{"<1 sec", "<num>"},
		{"165 bytes (1.13 KB)", "<num>"},
		{"12.5µs", "<num>"},
		{"97.5%", "<num>"},
		{"1,234,567", "<num>"},
		{"-3.5e7", "<num>"},
		{"fe80::1%eth0", "<ip>"},
		{"::1", "<ip>"},
		{"2001:db8::8:800:200c:417a", "<ip>"},
		{"10.0.0.0/8", "<ip>"},
		{"aa:bb:cc:dd:ee:ff", "<ip>"},
		{"[::1]:8080", "<ip>"},
		{"/10.1.2.3:45307", "<ip>"},
		{"10.1.2.3:45307", "<ip>"},
		{"host.example.com:443", "<host>"},
		{"550e8400-e29b-41d4-a716-446655440000", "<uuid>"},
		{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "<id>"},
		{"https://example.com/a?b=1&c=2,3", "<url>"},
		{"/var/lib/app/uploads/1.json", "<path>"},
		{`C:\Users\x\file.txt`, "<path>"},
		{"~/notes/today.md", "<path>"},
		{"carol.smith@example.org", "<email>"},
		{"1.2.3-rc1", "<id>"},
		{"v1.2.3", "<id>"},
		{"512Mi", "<num>"},
		{"False", "<bool>"},
	}
	for _, tt := range tests {
		if got, _ := masked("at " + tt.in + " end"); got != "at "+tt.want+" end" {
			t.Errorf("masked(at %s end) = %q, want %s for it", tt.in, got, tt.want)
		}
		if got, _ := masked(tt.in); got != tt.want {
			t.Errorf("masked(%s) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"key='a b' flag=False n=-3.5e7", "key=<str> flag=<bool> n=<num>"},
		{"datetime.datetime(2023, 5, 2)", "datetime.datetime(<num>)"},
		{"Rect(0, 0 - 720, 1280)", "Rect(<num>)"},
		{"points [[1, 2], [3, 4], [5, 6]]", "points [[<num>]]"},
		{"workers 1 2 3 4 5 busy", "workers <num> busy"},
		{"retry  in 5\tseconds.", "retry in <num>."},
		{"init() ok", "init ok"},
		{"failed (5): disk", "failed: disk"},
		{"failed (disk): x", "failed (disk): x"},
		{"eth0 is down", "eth# is down"},
		{"db-primary-12 is gone", "db-primary-# is gone"},
		{"lock \"pending\" held", "lock <str> held"},
		{`"the whole message is quoted"`, `"the whole message is quoted"`},
		{`{"error": "not found", "code": 404}`, `{"error": <str>, "code": <num>}`},
		{`{"error":"not found","code":404}`, `{"error":<str>,"code":<num>}`},
		{"key orders:123456", "key orders:<num>"},
		{"authentication failure; user=root uid=0", "authentication failure; user=<user> uid=<num>"},
		{"session closed for user cyrus", "session closed for user <user>"},
		{"the user session ended", "the user session ended"},
		{"connect to /healthz", "connect to /healthz"},
		{"at com.example.Foo$Bar.run", "at <host>"},
		{"用户123登录失败", "用户<num>登录失败"},
		{"第5章", "第<num>章"},
		{"", ""},
		{" \t\n", ""},
		{"<num> of <N>", "<num> of <N>"},
	}
	for _, tt := range tests {
		if got, _ := masked(tt.in); got != tt.want {
			t.Errorf("masked(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}

func TestSamePattern(t *testing.T) {
	t.Parallel()
	groups := [][]string{
		{"dial 10.0.0.1:80 refused", "dial [fe80::1]:443 refused", "dial db.example.com:5432 refused"},
		{"list 1", "list 1, 2", "list 1, 2, 3", "list 1 2 3 4"},
		{"x failed", "x failed (5)", "x failed (10.0.0.1)"},
		{"took 5 ms", "took 12ms", "took 1.5s", "took 3m2s", "took 7"},
		{"INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')"},
		{"id 12345678", "id 1234567a", "id 550e8400-e29b-41d4-a716-446655440000"},
		{"flag x=true", "flag x=FALSE", "flag x=null"},
	}
	for _, g := range groups {
		_, want := masked(g[0])
		for _, s := range g[1:] {
			if got, id := masked(s); id != want {
				t.Errorf("%q makes %q, another pattern than %q", s, got, g[0])
			}
		}
	}
}

func TestDifferentPatterns(t *testing.T) {
	t.Parallel()
	seen := map[int64]string{}
	for _, s := range []string{
		"java.net.ConnectException: refused", "java.net.SocketException: refused", "utf8 broken", "utf16 broken",
		"disk full", "disk empty", "a 5", "a", "a=5", "a 5 b 6", "eth0 up", "wlan0 up",
	} {
		got, id := masked(s)
		if other, ok := seen[id]; ok {
			t.Errorf("%q and %q are both %q", s, other, got)
		}
		seen[id] = s
	}
}

func TestLongMessageIsCut(t *testing.T) {
	t.Parallel()
	long := "start " + strings.Repeat("words and more words ", 1000)
	got, id := masked(long)
	if !strings.HasSuffix(got, " <...>") || len(got) > maxMessage+len(" <...>") {
		t.Errorf("pattern of %d bytes ends in %q", len(got), got[len(got)-20:])
	}
	if _, other := masked(long + "tail 5 of another kind"); other != id {
		t.Error("text beyond the limit changes the id")
	}
	if got, _ := masked(strings.Repeat("語", 3000)); !utf8.ValidString(got) {
		t.Error("a character was cut in two")
	}
}

func TestMaskAllocatesNothing(t *testing.T) {
	var m masker
	text := make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		for _, s := range benchMessages {
			m.mask(s)
			text = m.appendText(text[:0])
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

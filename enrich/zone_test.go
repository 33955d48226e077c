package enrich

import (
	"net/netip"
	"strings"
	"testing"

	"logflume/pipeline"
)

func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{byte(i), byte(i >> 8), 7, 9}) }

func TestZones(t *testing.T) {
	t.Parallel()
	process := processorOf(t, Options{Zones: map[string][]string{
		"Office":  {"192.0.2.0/24", "2001:db8:1::/48", "198.51.100.7"},
		"Meeting": {"192.0.2.64/26"},
		"Lab":     {"10.20.0.0/16"},
		"Pods":    {"100.64.0.0/10"},
	}})
	for _, tt := range []struct{ address, want string }{
		{"192.0.2.1", "Office"},
		{"192.0.2.65", "Meeting"},
		{"2001:db8:1::5", "Office"},
		{"198.51.100.7", "Office"},
		{"198.51.100.8", "External"},
		{"10.20.1.1", "Lab"},
		{"10.21.1.1", "Internal Network"},
		{"100.64.3.4", "Pods"},
		{"::ffff:10.20.1.1", "Lab"},
		{"::ffff:192.168.1.1", "Internal Network"},
		{"172.15.0.1", "External"},
		{"172.31.255.255", "Internal Network"},
		{"127.0.0.1", "Internal Network"},
		{"169.254.1.1", "Internal Network"},
		{"::1", "Internal Network"},
		{"fe80::1", "Internal Network"},
		{"fe80::1%eth0", "Internal Network"},
		{"fd12:3456::1", "Internal Network"},
		{"2600:1f18::1", "External"},
		{"8.8.8.8", "External"},
	} {
		b := &pipeline.Batch{Events: []pipeline.Event{{ClientIP: netip.MustParseAddr(tt.address)}}}
		process.Process(b)
		if got := b.Events[0].Location; got != tt.want {
			t.Errorf("%s is in %q, want %q", tt.address, got, tt.want)
		}
	}
}

func TestDefaultZones(t *testing.T) {
	t.Parallel()
	process := processorOf(t, Options{})
	b := &pipeline.Batch{Events: []pipeline.Event{
		{ClientIP: netip.MustParseAddr("100.127.0.1")}, {ClientIP: netip.MustParseAddr("100.128.0.1")}, {},
		{ClientIP: netip.MustParseAddr("10.0.0.1"), Location: "said"}, {ClientIP: netip.MustParseAddr("10.0.0.1"), Fate: pipeline.Drop},
	}}
	process.Process(b)
	for i, want := range []string{"Internal Network", "External", "", "said", ""} {
		if got := b.Events[i].Location; got != want {
			t.Errorf("event %d is in %q, want %q", i, got, want)
		}
	}
}

func TestWrongZones(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		zones map[string][]string
		want  string
	}{
		{map[string][]string{"Office": {"192.0.2.7/24"}}, "did you mean 192.0.2.0/24?"},
		{map[string][]string{"Office": {"192.0.2.0/33"}}, "no prefix such as"},
		{map[string][]string{"Office": {"office"}}, "neither an address nor a prefix"},
		{map[string][]string{"Office": {""}}, "neither an address nor a prefix"},
		{map[string][]string{"Office": {"fe80::1%eth0"}}, "neither an address nor a prefix"},
		{map[string][]string{"Office": {"::ffff:10.0.0.0/104"}}, "write an IPv4 prefix as such"},
		{map[string][]string{"": {"192.0.2.0/24"}}, "its name must have"},
		{map[string][]string{strings.Repeat("x", 101): {"192.0.2.0/24"}}, "its name must have"},
		{map[string][]string{"A": {"192.0.2.0/24"}, "B": {"192.0.2.0/24"}}, `zone "B": prefix "192.0.2.0/24" belongs to zone "A" already`},
		{map[string][]string{"A": {"192.0.2.1", "::ffff:192.0.2.1"}}, "belongs to zone"},
	} {
		_, err := New(Options{Zones: tt.zones})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v: error %v, want %q in it", tt.zones, err, tt.want)
		}
	}
}

func TestHostname(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ option, said, want string }{{"node-1", "", "node-1"}, {"node-1", "web-7", "web-7"}, {"", "", ""}} {
		b := &pipeline.Batch{Events: []pipeline.Event{{Hostname: tt.said}}}
		processorOf(t, Options{Hostname: tt.option}).Process(b)
		if got := b.Events[0].Hostname; got != tt.want {
			t.Errorf("hostname %q, want %q", got, tt.want)
		}
	}
}

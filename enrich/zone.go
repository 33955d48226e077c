package enrich

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"logflume/pipeline"
)

const (
	internalNetwork = "Internal Network"
	external        = "External"

	maxZoneName = 100 // bytes
)

// internal lists the networks that are not part of the public internet: private use (RFC 1918), loopback, link-local,
// carrier-grade NAT (RFC 6598), unique local addresses (RFC 4193).
var internal = []string{
	"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
	"::1/128", "fe80::/10", "fc00::/7",
}

// zones names the network of an address: that of the longest prefix that holds it.
type zones struct {
	table *bart.Table[string]
}

// newZones builds the table from prefixes by name. A configured prefix that equals a built-in one replaces it.
func newZones(configured map[string][]string) (*zones, error) {
	z := &zones{table: new(bart.Table[string])}
	for _, p := range internal {
		z.table.Insert(netip.MustParsePrefix(p), internalNetwork)
	}
	owner := map[netip.Prefix]string{}
	for _, name := range slices.Sorted(maps.Keys(configured)) {
		if strings.TrimSpace(name) == "" || len(name) > maxZoneName {
			return nil, fmt.Errorf("zone %q: its name must have 1 to %d bytes", name, maxZoneName)
		}
		for _, s := range configured[name] {
			p, err := parsePrefix(s)
			if err != nil {
				return nil, fmt.Errorf("zone %q: prefix %q: %w", name, s, err)
			}
			if other, ok := owner[p]; ok {
				return nil, fmt.Errorf("zone %q: prefix %q belongs to zone %q already", name, s, other)
			}
			owner[p] = name
			z.table.Insert(p, name)
		}
	}
	return z, nil
}

// parsePrefix reads a prefix in CIDR form, or a single address.
func parsePrefix(s string) (netip.Prefix, error) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, errors.New("neither an address nor a prefix such as 192.0.2.0/24")
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("no prefix such as 192.0.2.0/24 or 2001:db8::/32")
	}
	if p.Addr().Is4In6() {
		return netip.Prefix{}, errors.New("write an IPv4 prefix as such, not as part of ::ffff/96")
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("has bits beyond its length, did you mean %v?", p.Masked())
	}
	return p, nil
}

// setLocation names the network of the event's client, unless the line did or it has none.
func (z *zones) setLocation(e *pipeline.Event) {
	if !e.ClientIP.IsValid() || e.Location != "" {
		return
	}
	name, ok := z.table.Lookup(e.ClientIP.Unmap().WithZone(""))
	if !ok {
		name = external
	}
	e.Location = name
}

package main

import (
	"testing"
)

func TestListenerAddresses(t *testing.T) {
	t.Parallel()
	check := func(listen string, reachable bool, own string) {
		t.Helper()
		if _, err := load(t, "telemetry: {listen: '"+listen+"'}\n"); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
		if got := isReachable(listen); got != reachable {
			t.Errorf("%s is reachable: %v, want %v", listen, got, reachable)
		}
		if got := ownAddress(listen); got != own {
			t.Errorf("%s is asked at %s, want %s", listen, got, own)
		}
	}
	for _, loopback := range []string{"127.0.0.1:9464", "127.0.0.2:0", "[::1]:9464", "localhost:9464"} {
		check(loopback, false, loopback)
	}
	check("", false, "")
	check("192.0.2.1:9464", true, "192.0.2.1:9464")
	check("[2001:db8::1]:9464", true, "[2001:db8::1]:9464")
	check("0.0.0.0:9464", true, "127.0.0.1:9464")
	check("[::]:9464", true, "[::1]:9464")
}

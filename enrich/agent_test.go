package enrich

import (
	"strings"
	"testing"
	"unicode/utf8"

	"logflume/pipeline"
)

func TestAgents(t *testing.T) {
	t.Parallel()
	process := processorOf(t, Options{UserAgent: true})
	for _, tt := range []struct{ agent, browser, kind string }{
		{"curl/8.5.0", "curl 8.5.0", "CLI Tool"},
		{"curl/7.88.1", "curl 7.88.1", "CLI Tool"},
		{"Wget/1.21.3", "Wget 1.21.3", "CLI Tool"},
		{"Go-http-client/1.1", "Go-http-client 1.1", "Library"},
		{"Go-http-client/2.0", "Go-http-client 2.0", "Library"},
		{"python-requests/2.31.0", "python-requests 2.31.0", "Library"},
		{"python-httpx/0.27.0", "python-httpx 0.27.0", "Library"},
		{"aiohttp/3.9.1", "aiohttp 3.9.1", "Library"},
		{"Python/3.11 aiohttp/3.8.6", "aiohttp 3.8.6", "Library"},
		{"axios/1.6.7", "axios 1.6.7", "Library"},
		{"node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "node-fetch 1.0", "Library"},
		{"okhttp/4.12.0", "okhttp 4.12.0", "Library"},
		{"okhttp/3.14.9", "okhttp 3.14.9", "Library"},
		{"Apache-HttpClient/4.5.13 (Java/17.0.9)", "Apache-HttpClient 4.5.13", "Library"},
		{"Java/11.0.21", "Java 11.0.21", "Library"},
		{"PostmanRuntime/7.36.1", "PostmanRuntime 7.36.1", "CLI Tool"},
		{"insomnia/8.6.0", "Insomnia 8.6.0", "CLI Tool"},
		{"kube-probe/1.28", "kube-probe 1.28", "Probe"},
		{"kube-probe/1.29+", "kube-probe 1.29+", "Probe"},
		{"ELB-HealthChecker/2.0", "ELB-HealthChecker 2.0", "Probe"},
		{"GoogleHC/1.0", "GoogleHC 1.0", "Probe"},
		{"Prometheus/2.49.1", "Prometheus 2.49.1", "Probe"},
		{"Datadog Agent/7.50.3", "Datadog Agent 7.50.3", "Probe"},
		{"Blackbox Exporter/0.24.0", "Blackbox Exporter 0.24.0", "Probe"},
		{"Stripe/1.0 (+https://stripe.com/docs/webhooks)", "Stripe 1.0", "Webhook"},
		{"GitHub-Hookshot/8f7b9d1", "GitHub-Hookshot 8f7b9d1", "Webhook"},
		{"Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", "Slackbot-LinkExpanding 1.0", "Bot"},
		{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit 1.1", "Bot"},
		{"Twitterbot/1.0", "Twitterbot 1.0", "Bot"},
		{"WhatsApp/2.23.20.0", "WhatsApp 2.23.20.0", "Bot"},
		{"TelegramBot (like TwitterBot)", "TelegramBot", "Bot"},
		{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot 2.1", "Bot"},
		{"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Bingbot 2.0", "Bot"},
		{"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "YandexBot 3.0", "Bot"},
		{"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot 7.0", "Bot"},
		{"Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)", "SemrushBot 7~bl", "Bot"},
		{"DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)", "DuckDuckBot 1.1", "Bot"},
		{"ShopApp/5.2.1 (iPhone; iOS 17.2.1; Scale/3.00)", "ShopApp 5.2.1", "Mobile App"},
		{"ShopApp/5.1.0 (Android 13; SM-S911B)", "ShopApp 5.1.0", "Mobile App"},
		{"Dalvik/2.1.0 (Linux; U; Android 12; Pixel 6 Build/SD1A.210817.023)", "Dalvik 2.1.0", "Mobile App"},
		{"CFNetwork/1490.0.4 Darwin/23.2.0", "CFNetwork 1490.0.4", "Mobile App"},
		{"Dart/3.2 (dart:io)", "Dart 3.2", "Library"},
		{"grpc-go/1.60.1", "grpc-go 1.60.1", "Library"},
		{"Ruby", "Ruby", "Library"},
		{"Faraday v2.8.1", "Faraday 2.8.1", "Library"},
		{"GuzzleHttp/7", "GuzzleHttp 7", "Library"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Chrome 120.0", "Web Browser"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/121.0.0.0 Safari/537.36 Edg/121.0.0.0", "Edge 121.0", "Web Browser"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36", "Chrome 120.0", "Web Browser"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Safari/605.1.15", "Safari 17.2", "Web Browser"},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36", "Chrome 119.0", "Web Browser"},
		{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0", "Firefox 121.0", "Web Browser"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:122.0) Gecko/20100101 Firefox/122.0", "Firefox 122.0", "Web Browser"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.2 Mobile/15E148 Safari/604.1", "Safari 17.2", "Web Browser"},
		{"Mozilla/5.0 (iPad; CPU OS 16_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1", "Safari 16.6", "Web Browser"},
		{"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.144 Mobile Safari/537.36", "Chrome 120.0", "Web Browser"},
		{"Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "Samsung Browser 23.0", "Web Browser"},
		{"Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11.0", "Web Browser"},
		{"Opera/9.80 (Windows NT 6.1; WOW64) Presto/2.12.388 Version/12.18", "Opera 12.18", "Web Browser"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/120.0.6099.119 Mobile/15E148 Safari/604.1", "Chrome 120.0", "Web Browser"},
		{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; GPTBot/1.0; +https://openai.com/gptbot", "GPTBot 1.0", "Bot"},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36", "Chrome 124.0", "Web Browser"},
		{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.0 Safari/537.36", "Headless Chrome 120.0.6099.0", "Bot"},
		{"Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot 2.0", "Probe"},
		{"MyShop/7 CFNetwork/1490.0.4 Darwin/23.2.0", "MyShop 7", "Mobile App"},
		{"internal-billing/2.3.1", "internal-billing 2.3.1", "Other"},
		{"Mozilla/5.0", "Mozilla/5.0", "Other"},
		{"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "Internet Explorer 8.0", "Web Browser"},
		{"Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)", "Pingdom.com_bot_version_1.4_", "Bot"},
		{"x", "x", "Other"},
		{"ÄÖÜ/1.0 İ", "ÄÖÜ 1.0", "Other"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 OPR/106.0.0.0", "Opera 106.0", "Web Browser"},
		{"", "", ""},
		{"-", "", ""},
	} {
		b := &pipeline.Batch{Events: []pipeline.Event{{UserAgent: tt.agent}, {UserAgent: tt.agent}}} // the second from the cache
		process.Process(b)
		extra := ""
		if tt.kind != "" {
			extra = `"browser_kind":"` + tt.kind + `"`
		}
		for i := range b.Events {
			if e := &b.Events[i]; e.Browser != tt.browser || e.Extra != extra {
				t.Errorf("%s\n got %q, %s\nwant %q, %s", tt.agent, e.Browser, e.Extra, tt.browser, extra)
			}
		}
	}
}

func processorOf(t testing.TB, o Options) pipeline.Processor {
	t.Helper()
	stage, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return stage()
}

func TestAgentKeepsWhatTheLineSaid(t *testing.T) {
	t.Parallel()
	b := &pipeline.Batch{Events: []pipeline.Event{{UserAgent: "curl/8.5.0", Browser: "Mosaic", Extra: `"a":1`}}}
	processorOf(t, Options{UserAgent: true}).Process(b)
	e := &b.Events[0]
	if want := `"a":1,"browser_kind":"CLI Tool"`; e.Browser != "Mosaic" || e.Extra != want {
		t.Errorf("got %q, %s; want Mosaic, %s", e.Browser, e.Extra, want)
	}
}

// The memory of a batch is used again for the next one; what was remembered of it must not change with it.
func TestAgentCacheCopiesItsKeys(t *testing.T) {
	t.Parallel()
	process := processorOf(t, Options{UserAgent: true})
	arena := []byte("curl/8.5.0")
	b := &pipeline.Batch{Events: []pipeline.Event{{UserAgent: pipeline.String(arena)}}}
	process.Process(b)
	first := b.Events[0].Browser
	copy(arena, "Wget/1.2.3")
	b.Events = []pipeline.Event{{UserAgent: pipeline.String(arena)}, {UserAgent: "curl/8.5.0"}}
	process.Process(b)
	if first != "curl 8.5.0" || b.Events[0].Browser != "Wget 1.2.3" || b.Events[1].Browser != "curl 8.5.0" {
		t.Errorf("got %q, %q, %q", first, b.Events[0].Browser, b.Events[1].Browser)
	}
}

func TestLongAgentIsCut(t *testing.T) {
	t.Parallel()
	b := &pipeline.Batch{Events: []pipeline.Event{
		{UserAgent: strings.Repeat("ü", 5000) + "/1.0"}, {UserAgent: "App/" + strings.Repeat("9", 5000)},
	}}
	processorOf(t, Options{UserAgent: true}).Process(b)
	for i := range b.Events {
		if got := b.Events[i].Browser; got == "" || len(got) > maxFamily+1+maxVersion || !utf8.ValidString(got) {
			t.Errorf("browser of %d bytes: %q", len(got), got)
		}
	}
}

func TestAgentCacheIsBounded(t *testing.T) {
	t.Parallel()
	a := newAgents()
	for i := range cachedAgents + 100 {
		a.lookup("app/" + strings.Repeat("1", i%50) + strings.Repeat("2", i/50))
	}
	if n := a.cache.Len(); n != cachedAgents {
		t.Errorf("%d agents are remembered, want %d", n, cachedAgents)
	}
}

func TestKnownAgentAllocatesNothing(t *testing.T) {
	process := processorOf(t, Options{UserAgent: true, Hostname: "h"})
	events := []pipeline.Event{{UserAgent: "curl/8.5.0"}, {UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/121.0"}}
	b := &pipeline.Batch{Events: make([]pipeline.Event, len(events))}
	allocs := testing.AllocsPerRun(100, func() {
		copy(b.Events, events)
		process.Process(b)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func FuzzIdentify(f *testing.F) {
	for _, s := range []string{
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/120.0", "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0)", "a/ b/ (", "Android", "iPhone OS",
		"http://x", "https://", "curl", "curl/", "curl v", "\xff/1", "Opera/9 Version/", "Trident/ rv:", "Instagram", "İ curl/1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, agent string) {
		p := identify(cut(agent, maxAgent))
		if len(p.name) > maxFamily+1+maxVersion || p.extra == "" {
			t.Fatalf("identify(%q) = %q, %q", agent, p.name, p.extra)
		}
		if utf8.ValidString(agent) && !utf8.ValidString(p.name) {
			t.Fatalf("identify(%q) = %q is no UTF-8", agent, p.name)
		}
	})
}

func BenchmarkProcess(b *testing.B) {
	agents := []string{
		"curl/8.5.0", "Go-http-client/2.0", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
	}
	events := make([]pipeline.Event, 1000)
	for i := range events {
		events[i] = pipeline.Event{UserAgent: agents[i%len(agents)], ClientIP: address(i)}
	}
	process := processorOf(b, Options{Hostname: "h", UserAgent: true})
	batch := &pipeline.Batch{Events: make([]pipeline.Event, len(events))}
	b.ReportAllocs()
	for b.Loop() {
		copy(batch.Events, events)
		process.Process(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(events)), "ns/event")
}

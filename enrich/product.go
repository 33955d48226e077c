package enrich

import "strings"

// A product is a program that the user agent library does not know for what it is: it tells browsers apart and finds
// most crawlers, but takes tools, libraries and probes for browsers.
type product struct {
	token string // in lower case; begins a word of the user agent, an app's the first one
	name  string
	kind  kind
}

// products is searched from the top, so the more specific come first.
var products = []product{
	{"curl", "curl", cliTool}, {"wget", "Wget", cliTool}, {"httpie", "HTTPie", cliTool}, {"xh", "xh", cliTool},
	{"postmanruntime", "PostmanRuntime", cliTool}, {"insomnia", "Insomnia", cliTool}, {"bruno", "Bruno", cliTool},
	{"apachebench", "ApacheBench", cliTool}, {"k6", "k6", cliTool}, {"hey", "hey", cliTool}, {"vegeta", "Vegeta", cliTool},
	{"powershell", "PowerShell", cliTool}, {"git", "git", cliTool},

	{"kube-probe", "kube-probe", probe}, {"elb-healthchecker", "ELB-HealthChecker", probe}, {"googlehc", "GoogleHC", probe},
	{"google-cloud-scheduler", "Google-Cloud-Scheduler", probe}, {"googlestackdrivermonitoring", "GoogleStackdriverMonitoring", probe},
	{"amazon-route53-health-check-service", "Amazon-Route53-Health-Check-Service", probe},
	{"consul health check", "Consul Health Check", probe}, {"envoy/hc", "Envoy", probe},
	{"prometheus", "Prometheus", probe}, {"blackbox exporter", "Blackbox Exporter", probe}, {"blackbox-exporter", "Blackbox Exporter", probe},
	{"datadog agent", "Datadog Agent", probe}, {"datadog", "Datadog", probe}, {"zabbix", "Zabbix", probe}, {"check_http", "check_http", probe},
	{"uptimerobot", "UptimeRobot", probe}, {"uptime-kuma", "Uptime-Kuma", probe}, {"pingdom", "Pingdom", probe}, {"statuscake", "StatusCake", probe},
	{"site24x7", "Site24x7", probe}, {"newrelicpinger", "NewRelicPinger", probe}, {"vmagent", "vmagent", probe},

	{"stripe", "Stripe", webhook}, {"github-hookshot", "GitHub-Hookshot", webhook}, {"gitlab", "GitLab", webhook},
	{"bitbucket-webhooks", "Bitbucket-Webhooks", webhook}, {"shopify-captain-hook", "Shopify-Captain-Hook", webhook},
	{"twilioproxy", "TwilioProxy", webhook}, {"slack-hooks", "Slack-Hooks", webhook}, {"alertmanager", "Alertmanager", webhook},

	{"slackbot-linkexpanding", "Slackbot-LinkExpanding", bot}, {"slackbot", "Slackbot", bot},
	{"facebookexternalhit", "facebookexternalhit", bot}, {"whatsapp", "WhatsApp", bot}, {"telegrambot", "TelegramBot", bot},
	{"duckduckbot", "DuckDuckBot", bot}, {"twitterbot", "Twitterbot", bot}, {"scrapy", "Scrapy", bot},

	{"python-requests", "python-requests", library}, {"python-httpx", "python-httpx", library}, {"python-urllib", "Python-urllib", library},
	{"aiohttp", "aiohttp", library}, {"go-http-client", "Go-http-client", library}, {"go-resty", "go-resty", library},
	{"axios", "axios", library}, {"node-fetch", "node-fetch", library}, {"undici", "undici", library}, {"got", "got", library},
	{"superagent", "superagent", library}, {"node", "Node.js", library}, {"bun", "Bun", library}, {"deno", "Deno", library},
	{"okhttp", "okhttp", library}, {"apache-httpclient", "Apache-HttpClient", library}, {"reactornetty", "ReactorNetty", library},
	{"java-http-client", "Java-http-client", library}, {"ktor-client", "Ktor-client", library}, {"ktor", "Ktor", library}, {"java", "Java", library},
	{"grpc-go", "grpc-go", library}, {"grpc-java-netty", "grpc-java", library}, {"grpc-python", "grpc-python", library}, {"grpc-node-js", "grpc-node", library}, {"grpc-c++", "grpc-c++", library},
	{"dart", "Dart", library}, {"faraday", "Faraday", library}, {"ruby", "Ruby", library}, {"guzzlehttp", "GuzzleHttp", library},
	{"symfony httpclient", "Symfony HttpClient", library}, {"libwww-perl", "libwww-perl", library}, {"reqwest", "reqwest", library}, {"hyper", "hyper", library},
	{"restsharp", "RestSharp", library}, {"aws-sdk-go", "aws-sdk-go", library}, {"boto3", "Boto3", library}, {"aws-sdk-java", "aws-sdk-java", library},

	{"dalvik", "Dalvik", mobileApp}, {"cfnetwork", "CFNetwork", mobileApp}, {"alamofire", "Alamofire", mobileApp}, {"expo", "Expo", mobileApp},
}

// findProduct looks for a known product at the beginning of a word of the user agent.
func findProduct(agent string) (p product, version string, ok bool) {
	low := strings.ToLower(agent)
	if strings.HasPrefix(low, "mozilla/") || len(low) != len(agent) {
		return product{}, "", false // the library reads the former, and they name what they only resemble
	}
	comment := strings.IndexByte(low, '(')
	if comment < 0 {
		comment = len(low)
	}
	for _, p := range products {
		if i := wordIndex(low[:comment], p.token); i == 0 || i > 0 && p.kind != mobileApp {
			return p, versionAfter(agent[i+len(p.token):]), true
		}
	}
	return product{}, "", false
}

// productKind returns the kind of the known product of that name.
func productKind(name string) (k kind, ok bool) {
	for _, p := range products {
		if strings.EqualFold(p.name, name) {
			return p.kind, true
		}
	}
	return "", false
}

// wordIndex returns where word begins a word of s and is followed by the end, a blank, a slash or a bracket; -1 if
// nowhere.
func wordIndex(s, word string) int {
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return -1
		}
		i += from
		end := i + len(word)
		if (i == 0 || s[i-1] == ' ') && (end == len(s) || strings.IndexByte(" /;(", s[end]) >= 0) {
			return i
		}
		from = i + 1
	}
}

// versionAfter reads the version that follows a product's name: `/8.5.0`, ` v2.8.1`, ` 1.0`.
func versionAfter(s string) string {
	if s == "" || s[0] != '/' && s[0] != ' ' {
		return ""
	}
	s = s[1:]
	if len(s) > 1 && s[0] == 'v' && isDigit(s[1]) {
		s = s[1:]
	}
	if i := strings.IndexAny(s, " ;()"); i >= 0 {
		s = s[:i]
	}
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= '0' && r <= '9' }) {
		return ""
	}
	return s
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

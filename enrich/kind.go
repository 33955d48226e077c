package enrich

// A kind says what sort of program sent a request. Its text is the value of browser_kind.
type kind string

const (
	webBrowser kind = "Web Browser"
	mobileApp  kind = "Mobile App" // an app on a phone, by its own name or its platform's
	cliTool    kind = "CLI Tool"   // a program that people start by hand: curl, Postman, load generators
	library    kind = "Library"    // an HTTP client library inside some program
	probe      kind = "Probe"      // health checks and monitoring
	webhook    kind = "Webhook"    // a service that delivers its events
	bot        kind = "Bot"        // crawlers, link previews, browsers without a screen
	other      kind = "Other"
)

// members holds the finished JSON member of every kind, so that no event has to build one.
var members = func() map[kind]string {
	m := map[kind]string{}
	for _, k := range []kind{webBrowser, mobileApp, cliTool, library, probe, webhook, bot, other} {
		m[k] = `"browser_kind":"` + string(k) + `"`
	}
	return m
}()

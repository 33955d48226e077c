package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor time in /proc.
const clockTick = time.Second / 100

// spent returns the user and system time that a process has used so far, and that of its children that have ended.
func spent(pid int) (own, children time.Duration) {
	fields := statOf(pid)
	if len(fields) < 15 {
		return 0, 0 // it has ended
	}
	number := func(i int) time.Duration {
		n, _ := strconv.ParseInt(fields[i], 10, 64) // the kernel writes numbers
		return time.Duration(n) * clockTick
	}
	return number(11) + number(12), number(13) + number(14)
}

// statOf returns the fields of /proc/PID/stat from the state on; none when the process has ended.
func statOf(pid int) []string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// serverSpent returns the time that a server's processes have used so far, without the process except.
func serverSpent(server, except int) time.Duration {
	own, ended := spent(server)
	sum := own + ended
	stats, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is good
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if fields := statOf(pid); len(fields) > 1 && fields[1] == strconv.Itoa(server) && pid != except {
			used, _ := spent(pid)
			sum += used
		}
	}
	return sum
}

// memory returns how much memory a process has now and the most it ever had, in bytes.
func memory(pid int) (now, peak int64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // nothing when it has ended
	kib := func(name string) int64 {
		_, rest, _ := strings.Cut(string(status), name+":")
		fields := strings.Fields(rest)
		if len(fields) == 0 {
			return 0
		}
		n, _ := strconv.ParseInt(fields[0], 10, 64)
		return n << 10
	}
	return kib("VmRSS"), kib("VmHWM")
}

// descriptors returns how many descriptors a process has open.
func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)) // nothing when it has ended
	return len(entries)
}

// load returns the machine's load average over the last minute.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

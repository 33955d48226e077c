package main

import (
	"fmt"
	"time"
)

// bars are what must hold.
type bars struct {
	start   time.Duration
	idle    float64 // percent of a core
	memory  float64 // MiB
	latency time.Duration
}

var defaultBars = bars{start: 5 * time.Second, idle: 3, memory: 150, latency: 2 * time.Second}

// report prints the table and returns how many figures miss their bar.
func report(p plan, b bars, f figures) (missed int) {
	row := func(what, figure, bar string, ok bool) {
		verdict := ""
		switch {
		case bar == "":
		case ok:
			verdict = "holds"
		default:
			verdict = "missed"
			missed++
		}
		fmt.Printf("| %s | %s | %s | %s |\n", what, figure, bar, verdict)
	}
	plain := func(what, figure string) { row(what, figure, "", true) }
	barred := func(what string, figure, bar time.Duration) {
		row(what, short(figure), "≤ "+short(bar), figure <= bar)
	}
	amount := func(what string, figure, bar float64, unit string) {
		row(what, fmt.Sprintf("%.1f %s", figure, unit), fmt.Sprintf("≤ %g %s", bar, unit), figure <= bar)
	}

	fmt.Printf("%d files in %d directories, %d lines each; load average of the machine at the end: %s\n\n", p.files, p.dirs, p.lines, load())
	fmt.Print("| what | measured | bar | |\n|---|---:|---:|---|\n")
	barred("first start, all files new: until ready with a row each", f.first.complete, b.start)
	plain("… of that until /readyz / processor time", short(f.first.ready)+" / "+short(f.first.cpu))
	plain("… until each line that was there is stored", short(f.allRead))
	amount("… most memory meanwhile", f.firstPeak, b.memory, "MiB")
	barred("second start, all files known: until ready", f.second.complete, b.start)
	plain("… of that until /readyz / processor time", short(f.second.ready)+" / "+short(f.second.cpu))
	amount(fmt.Sprintf("idle for %s: processor time of one core", p.idle), f.idle, b.idle, "%")
	plain("… of PostgreSQL besides", fmt.Sprintf("%.1f %%", f.idleServer))
	amount("… memory", f.memory, b.memory, "MiB")
	plain("… descriptors", fmt.Sprint(f.descriptors))
	row(fmt.Sprintf("%d single lines until stored: p50 / p90 / p99 / max", p.appends), f.single.String(), "max ≤ "+short(b.latency), f.single.most <= b.latency)
	plain("a line to each file at once: written in / all stored after that", short(f.burstWritten)+" / "+short(f.burstStored))
	plain("… processor time, and PostgreSQL's", short(f.burstCPU)+" / "+short(f.burstServer))
	if p.busy > 0 {
		plain(fmt.Sprintf("%d files being written for %s, %.0f lines/s: p50 / p90 / p99 / max", min(p.busy, p.files), p.writing, f.busyRate), f.busy.String())
		plain("… processor time of one core, and PostgreSQL's", fmt.Sprintf("%.0f %% / %.0f %%", f.busyCPU, f.busyServer))
	}
	amount("most memory since the second start", f.peak, b.memory, "MiB")
	return missed
}

package file

import (
	"encoding/hex"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// runModel does the actions and returns what is wrong at the end, and the log.
func runModel(t *testing.T, actions []action) (wrong []string, log string) {
	t.Helper()
	return inBubble(t, modelDir(len(actions)), func(w *modelWorld) {
		for _, a := range actions {
			w.do(a)
		}
	})
}

// modelDir is in memory, where files are fast, but for a part of the runs on a file system that uses inodes again.
func modelDir(n int) string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && n%4 > 0 {
		return "/dev/shm"
	}
	return ""
}

// A failure is what went wrong, and after what.
type failure struct {
	actions []action
	wrong   []string
	log     string
}

// try does the actions a few times, since goroutines take turns as they like.
func try(t *testing.T, actions []action, times int) (f failure, failed bool) {
	for range times {
		if wrong, log := runModel(t, actions); len(wrong) > 0 {
			return failure{actions, wrong, log}, true
		}
	}
	return f, false
}

// shrink leaves out actions as long as it still goes wrong.
func shrink(t *testing.T, f failure) failure {
	for size := len(f.actions) / 2; size > 0; size /= 2 {
		for from := 0; from+size <= len(f.actions); {
			fewer := slices.Concat(f.actions[:from], f.actions[from+size:])
			if smaller, failed := try(t, fewer, 4); failed {
				f = smaller
			} else {
				from += size
			}
		}
	}
	return f
}

func (f failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\nafter\n", strings.Join(f.wrong[:min(len(f.wrong), 8)], "\n"))
	for _, a := range f.actions {
		fmt.Fprintf(&b, "  %s\n", a)
	}
	return fmt.Sprintf("%sLOGFLUME_MODEL=%s\n%s", b.String(), hex.EncodeToString(encode(f.actions)), f.log)
}

// TestModel does random things to files and processes and looks whether every line comes once. LOGFLUME_MODEL=200-5000 is
// for other seeds than the first ones, LOGFLUME_MODEL= and hexadecimal digits for the actions that a failure printed.
func TestModel(t *testing.T) {
	from, to := 0, 700
	if s := os.Getenv("LOGFLUME_MODEL"); s != "" {
		if n, _ := fmt.Sscanf(s, "%d-%d", &from, &to); n < 2 {
			p, err := hex.DecodeString(s)
			must(err)
			if f, failed := try(t, decode(p), 20); failed {
				t.Error(f)
			}
			return
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // worlds are small and many
	t.Run("seeds", func(t *testing.T) {
		for shard := range modelShards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				trySeeds(t, from+shard, to, modelShards)
			})
		}
	})
}

// modelShards is how many sequences are tried at the same time.
const modelShards = 4

func trySeeds(t *testing.T, from, to, step int) {
	t.Helper()
	for seed := from; seed < to; seed += step {
		if f, failed := try(t, randomActions(uint64(seed)), 1); failed {
			t.Errorf("seed %d: %s", seed, shrink(t, f))
			return
		}
	}
}

func FuzzActions(f *testing.F) {
	for seed := range uint64(4) {
		f.Add(encode(randomActions(seed)))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 3*50 {
			t.Skip("longer than need be")
		}
		if f, failed := try(t, decode(p), 1); failed {
			t.Error(f)
		}
	})
}

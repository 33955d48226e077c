package chaos

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

const (
	sizeVariable = "LOGFLUME_CHAOS"
	seedVariable = "LOGFLUME_CHAOS_SEED"
)

// A Size says how much of everything a run has.
type Size struct {
	Lines    int           // per writer
	Rate     float64       // lines per second and writer
	Kills    int           // kill -9 of logflume, at least
	Stops    int           // stops of PostgreSQL, at least
	Restarts int           // SIGTERMs to logflume, at least
	Outage   time.Duration // how long PostgreSQL is away at a stretch
	Rounds   int           // tries that a control has to be caught
}

var (
	small = Size{Lines: 6_000, Rate: 2_000, Kills: 6, Stops: 2, Restarts: 3, Outage: 3 * time.Second, Rounds: 10}
	full  = Size{Lines: 200_000, Rate: 4_000, Kills: 20, Stops: 5, Restarts: 20, Outage: 60 * time.Second, Rounds: 20}
)

// ChosenSize returns the size that the environment asks for.
func ChosenSize() Size {
	if os.Getenv(sizeVariable) == "full" {
		return full
	}
	return small
}

// newRandom returns the randomness of a test and prints its seed.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv(seedVariable); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("random seed: %s=%d", seedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

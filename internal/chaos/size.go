package chaos

import (
	"hash/fnv"
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
	Kills    int           // kill -9 of logflume, at least, unless all lines are stored before
	Stops    int           // stops of PostgreSQL, likewise
	Restarts int           // SIGTERMs to logflume, likewise
	Outage   time.Duration // how long PostgreSQL is away at a stretch
	Away     time.Duration // how long logflume is away when it is killed and not started again at once
	Pause    time.Duration // between a commit and the next fault, at most
	Rounds   int           // tries that a control has to be caught
	Freezes  int           // SIGSTOPs to logflume, each while Lines are written

	Transactions, Records int // transactions of a producer, records of each
}

const pause = 400 * time.Millisecond

var (
	small = Size{
		Lines: 6_000, Rate: 2_000, Kills: 6, Stops: 2, Restarts: 3, Outage: 3 * time.Second, Pause: pause, Rounds: 10,
	}
	full = Size{
		Lines: 200_000, Rate: 4_000, Kills: 20, Stops: 5, Restarts: 20, Outage: 60 * time.Second, Pause: pause, Rounds: 20,
	}

	smallTopic = Size{Lines: 6_000, Rate: 2_000, Kills: 4, Restarts: 2, Freezes: 1, Rounds: 10, Transactions: 20, Records: 100}
	fullTopic  = Size{Lines: 505_000, Rate: 4_000, Kills: 30, Restarts: 10, Freezes: 4, Rounds: 20, Transactions: 200, Records: 500}
)

// ChosenSize returns the size that the environment asks for.
func ChosenSize() Size {
	if isFull() {
		return full
	}
	return small
}

// ChosenTopicSize returns that of a run on a topic.
func ChosenTopicSize() Size {
	if isFull() {
		return fullTopic
	}
	return smallTopic
}

func isFull() bool { return os.Getenv(sizeVariable) == "full" }

// IsFull reports whether the size is a full one, which may take many minutes.
func (s *Size) IsFull() bool { return s.Lines >= full.Lines }

// newRandom returns the randomness of a test and prints its seed, which in the small size is always the same.
func newRandom(t testing.TB) *rand.Rand {
	t.Helper()
	name := fnv.New64a()
	name.Write([]byte(t.Name()))
	seed := name.Sum64()
	if isFull() {
		seed = rand.Uint64()
	}
	if given := os.Getenv(seedVariable); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("%s: %v", seedVariable, err)
		}
	}
	t.Logf("seed: %s=%d", seedVariable, seed)
	return rand.New(rand.NewPCG(seed, 0))
}

package file

import (
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"slices"
)

// randomActions makes up a sequence: of even seeds from nothing, of odd ones from what went wrong once. What is delicate is
// near that, and takes steps in an order that hardly ever comes about by chance.
func randomActions(seed uint64) []action {
	random := rand.New(rand.NewPCG(seed, 7))
	if seed%2 == 1 {
		return variation(random)
	}
	actions := []action{{24, 1, 1}}
	for n := 10 + random.IntN(31); len(actions) < n; {
		if random.IntN(12) == 0 {
			actions = append(actions, anyPhrase(random)...)
			continue
		}
		a := randomAction(random)
		if random.IntN(4) == 0 {
			a.what = 0 // without lines nothing is to be seen
		}
		actions = append(actions, a)
	}
	return actions
}

// phrases are actions that matter when one follows upon another and all are done to one file.
var phrases = [][]byte{
	{0, 31, 9, 0},       // its copy is found late
	{1, 31, 10, 0},      // compressed
	{0, 28, 0, 0, 9},    // cut while its reader rests
	{0, 28, 1, 10, 0},   // compressed
	{0, 25, 0, 9, 0},    // cut before what was read is committed
	{0, 29, 0, 9, 30},   // cut while the database is away
	{0, 15, 2, 9},       // copies of two lengths
	{0, 15, 0, 31, 10},  // one compressed, and found late
	{0, 9, 11, 9},       // the copy is compressed
	{0, 24, 0, 9, 21},   // the other of two instances goes on
	{1, 24, 14, 0, 14},  // grown again the same for two instances
	{1, 14, 9, 0},       // grown again the same and copied
	{1, 6, 31, 11, 20},  // rotated, compressed and restored
	{0, 9, 22, 0, 9, 0}, // killed between two cuts
	{0, 28, 0, 15, 12},  // a copy beside, cut while its reader rests
}

// anyPhrase returns a phrase about one of the services, with pauses that are mostly short.
func anyPhrase(random *rand.Rand) (actions []action) {
	which := byte(random.IntN(2))
	for _, what := range phrases[random.IntN(len(phrases))] {
		a := randomAction(random)
		a.what, a.how = what, a.how&^1|which
		if random.IntN(3) > 0 {
			a.then = byte(random.IntN(8)) // 300 ms at most
		}
		actions = append(actions, a)
	}
	return actions
}

func randomAction(random *rand.Rand) action {
	return action{byte(random.IntN(len(actionKinds))), byte(random.IntN(256)), byte(random.IntN(256))}
}

// variation changes a few actions of a replay, or goes on with another one.
func variation(random *rand.Rand) []action {
	actions := anyReplay(random)
	if random.IntN(4) == 0 {
		actions = append(actions, anyReplay(random)...)
	}
	for range 1 + random.IntN(4) {
		at := random.IntN(len(actions))
		switch random.IntN(5) {
		case 0:
			actions = slices.Delete(actions, at, at+1)
		case 1:
			actions = slices.Insert(actions, at, randomAction(random))
		case 2:
			actions[at].how = byte(random.IntN(256))
		case 3:
			actions[at].then = byte(random.IntN(256))
		case 4:
			actions = slices.Insert(actions, at, actions[random.IntN(len(actions))])
		}
	}
	return actions
}

func anyReplay(random *rand.Rand) []action {
	names := slices.Sorted(maps.Keys(modelReplays))
	p, err := hex.DecodeString(modelReplays[names[random.IntN(len(names))]])
	must(err)
	return decode(p)
}

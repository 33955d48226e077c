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
	for range 10 + random.IntN(31) {
		a := randomAction(random)
		if random.IntN(4) == 0 {
			a.what = 0 // without lines nothing is to be seen
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

package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// The database refuses a row here and there, while connections are lost and the program is killed. Each is one dead letter,
// and an event once the reason is gone and it was replayed.
func TestRefusedRows(t *testing.T) {
	t.Parallel()
	r := chaos.NewRig(t, shortWriters(), testkit.Binary(t)).Outages()
	r.RefuseSome()
	i := r.Loop(r.Start(), times(1, 3))
	r.WaitWriters()
	r.SettleRefused()
	i.Terminate()
	r.RequireLetters()
	r.AcceptAll()
	finish(r.Rig)
}

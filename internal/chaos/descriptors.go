package chaos

import (
	"os"

	"logflume/internal/testkit"
)

// fewDescriptors is what an instance needs besides one for each file: connections, and what the runtime has open.
const fewDescriptors = 32

// RequireDescriptors waits until the instance has let go of every file that is not in the directory any more, and of
// whatever else it needed while it was behind.
func (r *Rig) RequireDescriptors(i *Instance) {
	r.t.Helper()
	testkit.EventuallyWithin(r.t, longPatience, "one descriptor is open for each file that there is", func() bool {
		files, err := os.ReadDir(r.Logs)
		if err != nil {
			r.t.Fatal(err)
		}
		return descriptors(i.command.Process.Pid) <= int64(len(files)+fewDescriptors)
	})
}

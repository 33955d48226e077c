package chaos_test

import (
	"testing"

	"logflume/internal/chaos"
	"logflume/internal/testkit"
)

// There is no room for rows.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	d := chaos.NewTableDisk(t, shortWriters(), testkit.Binary(t), times(256, 1024))
	i := d.TableLoop(d.Start(), times(2, 6))
	finish(d.Rig, i)
}

// There is no room for the write-ahead log, whereupon the server crashes.
func TestLogDiskFull(t *testing.T) {
	t.Parallel()
	if times(0, 1) == 0 {
		t.Skip("in full size only")
	}
	d := chaos.NewLogDisk(t, shortWriters(), testkit.Binary(t), 256)
	i := d.Start()
	d.LogLoop(i, times(0, 4))
	finish(d.Rig, i)
}

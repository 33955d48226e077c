package chaos

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"logflume/internal/privatepg"
	"logflume/internal/testkit"
)

const diskFull = "53100" // the SQLSTATE

// A Disk is a run on a server that keeps a part of its data on a small file system, which can be filled.
type Disk struct {
	*Rig
	dir   string // where it is mounted
	fills int
}

// NewTableDisk prepares a run of the program whose tables are on a disk of so many MiB. It skips the test where nobody may
// mount one.
func NewTableDisk(t testing.TB, size Size, program string, mib int) *Disk {
	t.Helper()
	server := testkit.Server(t, privatepg.Options{})
	dir := mount(t, server, mib)
	conn := testkit.Connect(t, server.URL("postgres"))
	for _, sql := range []string{
		"create tablespace small location '" + dir + "'",
		"alter system set default_tablespace = small", // for the partitions that are made later, too
		"select pg_reload_conf()",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	return newDisk(t, size, program, server, dir)
}

// NewLogDisk prepares a run of the program on a server whose write-ahead log is on a disk of so many MiB. It skips the test
// where nobody may mount one.
func NewLogDisk(t testing.TB, size Size, program string, mib int) *Disk {
	t.Helper()
	server := testkit.Server(t, privatepg.Options{Settings: map[string]string{"min_wal_size": "32MB", "max_wal_size": "64MB"}})
	dir := mount(t, server, mib)
	if err := server.Stop(privatepg.Fast); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(server.Dir, "pg_wal")
	for _, command := range [][]string{{"cp", "-a", log + "/.", dir}, {"rm", "-r", log}, {"ln", "-s", dir, log}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return newDisk(t, size, program, server, dir)
}

func newDisk(t testing.TB, size Size, program string, server *privatepg.Server, dir string) *Disk {
	t.Helper()
	d := &Disk{Rig: newRig(t, size, program, server, server.URL("postgres"), "logs"), dir: dir}
	d.Answering()
	return d
}

// mount mounts a file system in memory where the server may write, until the test ends.
func mount(t testing.TB, server *privatepg.Server, mib int) (dir string) {
	t.Helper()
	dir = filepath.Join(server.SocketDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(server.Dir)
	if err != nil {
		t.Fatal(err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Skip("NOT TESTED, a full disk: this system tells no owner of a directory")
	}
	options := fmt.Sprintf("size=%dm,mode=0700,uid=%d,gid=%d", mib, owner.Uid, owner.Gid)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "logflume-chaos", dir).CombinedOutput(); err != nil {
		t.Skipf("NOT TESTED, a full disk: mount: %v: %s", err, out)
	}
	t.Cleanup(func() { // the server still runs: it lets go of the files when it is closed
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("unmount %s: %v: %s", dir, err, out)
		}
	})
	return dir
}

// TableLoop fills the disk of the tables so often, and makes room again after a while. Every second time the instance is
// killed and started again meanwhile. It returns the instance that is left.
func (d *Disk) TableLoop(i *Instance, times int) *Instance {
	d.t.Helper()
	for n := range times {
		d.KeepWriting()
		d.Progress(5 * time.Second)
		d.fill()
		i.awaitNotReady(diskFull)
		if n%2 == 1 {
			i = d.kill(i)
			i.awaitNotReady(diskFull)
		}
		d.stayFull()
		d.free()
		i.awaitReady()
	}
	return i
}

// LogLoop fills the disk of the write-ahead log so often, until the server gives up; makes room, and starts it again.
func (d *Disk) LogLoop(i *Instance, times int) {
	d.t.Helper()
	for range times {
		d.KeepWriting()
		d.Progress(5 * time.Second)
		d.fill()
		testkit.EventuallyWithin(d.t, longPatience, "the server is gone", func() bool { return d.nextSegment() != nil })
		i.awaitNotReady("unreachable")
		d.stayFull()
		d.free()
		d.disconnect()
		testkit.EventuallyWithin(d.t, longPatience, "the server works", func() bool {
			d.StartServer() // once it has ended: it may still be at that
			return d.nextSegment() == nil
		})
		i.awaitReady()
	}
}

// nextSegment has the server begin another file of its log, for which there may be no room.
func (d *Disk) nextSegment() error {
	conn, err := pgx.Connect(d.t.Context(), d.url)
	if err != nil {
		return err
	}
	defer conn.Close(d.t.Context())
	_, err = conn.Exec(d.t.Context(), "select pg_switch_wal()")
	return err
}

// stayFull lets lines gather for a while; in full size so many that an instance has as many as it may hold.
func (d *Disk) stayFull() {
	d.t.Helper()
	long := time.Second
	if isFull() {
		long = 10 * time.Second
	}
	for end := time.Now().Add(d.upTo(long)); time.Now().Before(end); d.Pause(interval) {
		d.KeepWriting()
	}
}

func (d *Disk) filler() string { return filepath.Join(d.dir, "filler") }

// fill takes all room there is.
func (d *Disk) fill() {
	d.t.Helper()
	file, err := os.Create(d.filler())
	if err != nil {
		d.t.Fatal(err)
	}
	defer file.Close()
	if _, err := io.Copy(file, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatalf("fill the disk: %v", err)
	}
	d.fills++
	d.figures = []figure{{"disk full", d.fills}}
}

// free makes room again.
func (d *Disk) free() {
	d.t.Helper()
	if err := os.Remove(d.filler()); err != nil {
		d.t.Fatal(err)
	}
}

// zeros is a file without an end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

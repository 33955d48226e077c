package privatepg

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// unprivileged is the id of nobody where no such name is known, as in images without /etc/passwd.
const unprivileged = 65534

// serverUser returns whom the server runs as: nil for ourselves, somebody else when we are root.
func serverUser() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		known, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(known.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(known.Gid, 10, 32)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	return &syscall.Credential{Uid: unprivileged, Gid: unprivileged}
}

// give makes who the owner of path and of everything below it. Nothing is done for ourselves.
func give(path string, who *syscall.Credential) error {
	if who == nil {
		return nil
	}
	return filepath.WalkDir(path, func(name string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(name, int(who.Uid), int(who.Gid))
	})
}

// reachable returns an error naming the first directory above path that who may not enter. Only others' permission
// counts: the server's user is in no group of ours.
func reachable(path string, who *syscall.Credential) error {
	if who == nil {
		return nil
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return err
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		own := ok && stat.Uid == who.Uid
		if !own && info.Mode()&0o001 == 0 {
			return fmt.Errorf("the server runs as user %d, who may not enter %s", who.Uid, dir)
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

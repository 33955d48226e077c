package file

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func descriptorLink(f *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(f.Fd())) }

// followName names the inode of f, whatever becomes of its path: the link leads to that very inode.
func followName(f *os.File, _ string) string { return descriptorLink(f) }

// nameNow returns the path that f's inode has now, or "" when it has none or it cannot be told.
func nameNow(f *os.File) string {
	name, err := os.Readlink(descriptorLink(f))
	if err != nil || strings.HasSuffix(name, " (deleted)") {
		return ""
	}
	return name
}

// remote reports whether dir is on a file system whose changes by other hosts raise no event here. Neither are files
// there given to the tail library, which ends the process when such a server answers with an error.
func remote(dir string) bool {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return false
	}
	const (
		ceph   = 0x00C36400
		cifs   = 0xFF534D42
		smb2   = 0xFE534D42
		fuse   = 0x65735546
		afs    = 0x5346414F
		lustre = 0x0BD00BD0
	)
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC, unix.V9FS_MAGIC, unix.SMB_SUPER_MAGIC, ceph, cifs, smb2, fuse, afs, lustre:
		return true
	}
	return false
}

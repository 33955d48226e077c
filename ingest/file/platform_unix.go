//go:build unix

package file

import (
	"io/fs"
	"os"
	"syscall"
)

// openFlags opens without waiting for the writer of a pipe or for a device.
const openFlags = os.O_RDONLY | syscall.O_NONBLOCK

// nameless reports whether an inode has no name any more: it lives as long as somebody has it open.
func nameless(info fs.FileInfo) bool { return info.Sys().(*syscall.Stat_t).Nlink == 0 }

func placeOf(info fs.FileInfo) place {
	st := info.Sys().(*syscall.Stat_t)
	return place{Device: uint64(st.Dev), Inode: uint64(st.Ino)}
}

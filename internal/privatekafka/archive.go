package privatekafka

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// archivePath returns where the classes that a node loads are kept in the form that this version of Java maps into
// memory: with it a node starts in half of the time, and so do the tools.
func archivePath(dir, javaVersion string) string {
	version := sha256.Sum256([]byte(javaVersion))
	return filepath.Join(dir, fmt.Sprintf("classes-%x.jsa", version[:4]))
}

// archiveClasses makes an archive, by running a node that writes it at its end. It fails where Java itself comes without
// the archive that this one builds on.
func (i Installation) archiveClasses(ctx context.Context, archive string) error {
	temporary, err := os.MkdirTemp(i.Dir, "archive-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	written := filepath.Join(temporary, "classes.jsa")
	c, err := start(ctx, Options{Installation: i}, "-XX:ArchiveClassesAtExit="+written)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.StopNode(0); err != nil {
		return err
	}
	return os.Rename(written, archive)
}

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// logrotateCopyTruncate has the real logrotate rotate the file while lines are written.
func (r *rotating) logrotateCopyTruncate() error {
	first, bytes := r.writes+1, r.bytes
	return r.logrotateMeanwhile("copytruncate", func() error {
		r.riskSince(first, bytes)
		return nil
	})
}

// logrotateCreate has the real logrotate rename the file while lines are written, which go to the old one until the end.
func (r *rotating) logrotateCreate() error {
	return r.logrotateMeanwhile("create\n\tcompress\n\tdelaycompress", func() error {
		if err := r.file.Close(); err != nil {
			return err
		}
		return r.open()
	})
}

// logrotateCompress has the real logrotate rename the file and compress it at once. Nothing may be written to it then.
func (r *rotating) logrotateCompress() error {
	r.rotations++
	if err := r.file.Close(); err != nil {
		return err
	}
	if err := r.runLogrotate("create\n\tcompress"); err != nil {
		return err
	}
	return r.open()
}

func (r *rotating) logrotateMeanwhile(directives string, complete func() error) error {
	ended := make(chan error, 1)
	go func() { ended <- r.runLogrotate(directives) }()
	r.during(func() bool { return len(ended) > 0 }, func() error {
		if err := <-ended; err != nil {
			return err
		}
		return complete()
	})
	r.rotations++
	return nil
}

// runLogrotate runs the program with a state and a configuration of its own. No rotated file is deleted.
func (r *rotating) runLogrotate(directives string) error {
	config, state := filepath.Join(r.work, r.name+".conf"), filepath.Join(r.work, r.name+".state")
	text := fmt.Sprintf("%q {\n\trotate 1000\n\t%s\n}\n", r.path, directives)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		return err
	}
	if out, err := exec.Command(r.logrotate, "-f", "-s", state, config).CombinedOutput(); err != nil {
		return fmt.Errorf("logrotate: %w\n%s", err, out)
	}
	return nil
}

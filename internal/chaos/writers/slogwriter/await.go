package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// awaitReader waits until the reader has stored a line of the file, or all of them, if that was asked for. What is done to
// a file that nobody has seen is nobody's fault, and the unread end of one that is deleted while nobody runs is gone.
func (r *rotating) awaitReader() error {
	switch r.await {
	case "seen":
		return r.awaitStored(r.first)
	case "stored":
		return r.awaitStored(r.writes)
	default:
		return nil
	}
}

// awaitStored waits until so many lines of this writer, the only one, are stored.
func (r *rotating) awaitStored(lines int) error {
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-look.C {
		text, err := os.ReadFile(r.stored)
		if err != nil {
			return err
		}
		// It may just be written, and then says nothing.
		if stored, _ := strconv.Atoi(string(text)); stored >= lines {
			return nil
		}
	}
	return fmt.Errorf("waited in vain for line %d to be stored", lines)
}

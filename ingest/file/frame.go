package file

import (
	"bytes"

	"logflume/pipeline"
)

// bytesPerLine bounds the lines of a batch to its arena's size over this, so that many tiny lines do not blow up into
// many times their size in events.
const bytesPerLine = 64

// maxLines is how many lines a batch of room bytes may hold.
func maxLines(room int) int { return room/bytesPerLine + 1 }

// frame adds the whole lines of b.Arena from index from on, where position base is, until the arena ends or the batch
// has most lines. It returns the index after the last newline it took.
func frame(b *pipeline.Batch, from int, base int64, limit, most int) int {
	at := from
	for len(b.Lines) < most {
		i := bytes.IndexByte(b.Arena[at:], '\n')
		if i < 0 {
			break
		}
		addLine(b, at, at+i, base+int64(at-from), limit)
		at += i + 1
	}
	return at
}

// addLine adds the line in b.Arena[start:end] unless it is blank. A carriage return before the newline belongs to the
// terminator. Of a line longer than limit only the head is kept.
func addLine(b *pipeline.Batch, start, end int, offset int64, limit int) {
	if end > start && b.Arena[end-1] == '\r' {
		end--
	}
	if blank(b.Arena[start:end]) {
		return
	}
	length := int64(end - start)
	if length > int64(limit) {
		end = start + headSize(limit)
	}
	b.Lines = append(b.Lines, pipeline.Line{Offset: offset, Start: start, End: end, Length: length})
}

// headSize is how many bytes are kept of a line longer than limit.
func headSize(limit int) int { return min(limit, pipeline.MaxDeadLetter) }

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

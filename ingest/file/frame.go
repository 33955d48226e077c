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
// has most lines, and joins them. It returns the index after the last newline it took. A join that the batch begins with
// is not left open for want of lines.
func (r *blockReader) frame(b *pipeline.Batch, from int, base int64, most int) int {
	r.joins.begin()
	joins := r.joins.active()
	at := from
	for len(b.Lines) < most || r.joins.opened > 0 && r.joins.border(b) == 0 {
		i := bytes.IndexByte(b.Arena[at:], '\n')
		if i < 0 {
			break
		}
		added := addLine(b, at, at+i, base+int64(at-from), r.limit)
		if joins {
			r.joins.add(b, added)
		}
		at += i + 1
	}
	return at
}

// addLine adds one line, which the caller of frame had to find itself.
func (r *blockReader) addLine(b *pipeline.Batch, start, end int, offset int64) {
	if added := addLine(b, start, end, offset, r.limit); r.joins.active() {
		r.joins.add(b, added)
	}
}

// addLine adds the line in b.Arena[start:end] unless it is blank. A carriage return before the newline belongs to the
// terminator. Of a line longer than limit only the head is kept.
func addLine(b *pipeline.Batch, start, end int, offset int64, limit int) (added bool) {
	if end > start && b.Arena[end-1] == '\r' {
		end--
	}
	if isBlank(b.Arena[start:end]) {
		return false
	}
	length := int64(end - start)
	if length > int64(limit) {
		end = start + headSize(limit)
	}
	b.Lines = append(b.Lines, pipeline.Line{Offset: offset, Start: start, End: end, Length: length})
	return true
}

// headSize is how many bytes are kept of a line longer than limit.
func headSize(limit int) int { return min(limit, pipeline.MaxDeadLetter) }

func isBlank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && (c < '\t' || c > '\r') {
			return false
		}
	}
	return true
}

package file

// longer returns a file that has all of f and more, and that is about to be given a stream too. A compressed one waits for
// a plain one that has just as much: that is not known for its copy once the compressed one has the stream.
func (k *keeper) longer(f *openFile) *openFile {
	for o := range k.heads.alike(f.head) {
		undecided := o.row == nil && (o.undecided() || o.state == held)
		more := o.size > f.extent() || o.size == f.extent() && f.packing != plain
		if undecided && o != f && o.packing == plain && more && f.copies(o) {
			return o
		}
	}
	return nil
}

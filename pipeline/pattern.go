package pipeline

// A Pattern is a masked message and its id, as a row of log_patterns holds them.
type Pattern struct {
	ID   int64
	Text string
}

// An Alias says that a pattern is a case of a more general one, which has the words that vary replaced as well. Rows keep
// the id they were written with; queries resolve it.
type Alias struct {
	From     int64
	To       Pattern
	Evidence int // how many patterns To stands for
}

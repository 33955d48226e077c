package file

import (
	"testing"
	"time"
)

const (
	app = "logs/app.log"
)

// modelCases are what went wrong once, and a plain one.
var modelCases = map[string]func(w *modelWorld){
	"rotated by renaming and by copying": func(w *modelWorld) {
		w.start(false)
		w.add(app, w.lines(5, 50, "\n")...)
		w.cascade(app)
		w.add(app, w.lines(5, 50, "\n")...)
		w.sleep(time.Second)
		w.copytruncate(0)
		w.add(app, w.lines(5, 50, "\n")...)
	},
}

func TestModelCases(t *testing.T) {
	for name, do := range modelCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrong, log := inBubble(t, "", do)
			for _, what := range wrong {
				t.Error(what)
			}
			if len(wrong) > 0 {
				t.Log(log)
			}
		})
	}
}

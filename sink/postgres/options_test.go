package postgres

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"logflume/pipeline"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Options{
		URL: "postgres://localhost/x", NewAggregate: func() pipeline.Aggregate { return &count{} },
		Calendar: pipeline.NewCalendar(1, time.Now), Stats: &pipeline.Stats{}, Log: slog.New(slog.DiscardHandler),
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Options){
		"parse database URL": func(o *Options) { o.URL = "postgres://user:secret@localhost:port/x" },
		"maintenance: parse": func(o *Options) { o.MaintenanceURL = "postgres://user:secret@localhost:port/x" },
		"must be set":        func(o *Options) { o.Stats = nil },
		"less than a day":    func(o *Options) { o.Retention = time.Hour },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

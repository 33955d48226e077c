package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"time"

	"logflume/internal/testkit"
)

// Answering has the instances that are started from now on answer /readyz.
func (r *Rig) Answering() {
	r.t.Helper()
	r.listen = "127.0.0.1:0"
	r.Configure(oftenFlushed)
}

// ready asks /readyz and returns whether all is well, and the whole answer.
func (i *Instance) ready() (bool, string) {
	address := i.telemetry()
	if address == "" {
		return false, ""
	}
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + address + "/readyz")
	if err != nil {
		return false, err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return err == nil && answer.StatusCode == http.StatusOK, string(body)
}

// telemetry returns where the instance answers, as its log says; "" when it does not say so yet.
func (i *Instance) telemetry() string {
	log, _ := os.ReadFile(i.log) // what could be read of it counts
	for line := range bytes.Lines(log) {
		var entry struct{ Msg, Address string }
		if json.Unmarshal(line, &entry) == nil && entry.Msg == "telemetry listens" {
			return entry.Address
		}
	}
	return ""
}

// awaitReady waits until the instance says that all is well.
func (i *Instance) awaitReady() {
	i.rig.t.Helper()
	testkit.EventuallyWithin(i.rig.t, longPatience, "logflume is ready", func() bool {
		ready, _ := i.ready()
		return ready
	})
}

// met returns how many lines of all instances' logs contain text.
func (r *Rig) met(text string) (lines int) {
	r.t.Helper()
	for n := range r.starts {
		log, err := os.ReadFile(r.logPath(n + 1))
		if err != nil {
			r.t.Fatal(err)
		}
		for line := range bytes.Lines(log) {
			if bytes.Contains(line, []byte(text)) {
				lines++
			}
		}
	}
	return lines
}

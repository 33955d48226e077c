package privatekafka_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/privatekafka"
)

// Of three nodes one may be killed: what was acknowledged is there, and more can be written. All three come back.
func TestThreeNodes(t *testing.T) {
	t.Parallel()
	c := start(t, privatekafka.Options{Nodes: 3, Settings: map[string]string{"min.insync.replicas": "2"}})
	client, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers()...), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("lines"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var want []string
	write := func() {
		t.Helper()
		value := fmt.Sprint(len(want))
		if err := client.ProduceSync(t.Context(), kgo.StringRecord(value)).FirstErr(); err != nil {
			t.Fatal(err)
		}
		want = append(want, value)
	}
	write()
	if err := c.KillNode(0); err != nil {
		t.Fatal(err)
	}
	write()
	if err := c.StartNode(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	write()
	for i := range 3 {
		if err := c.KillNode(i); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() {
			if err := c.StartNode(t.Context(), i); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := consume(t, len(want), kgo.SeedBrokers(c.Brokers()...)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if tail := c.LogTail(1); strings.Count(tail, "node ") < 3 {
		t.Errorf("log of %s", tail)
	}
}

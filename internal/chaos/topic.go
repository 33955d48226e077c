package chaos

import (
	"bufio"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

// A TopicRig is a run in which the lines go through a topic: producers that are not ours write them, and the instances
// are members of one consumer group.
type TopicRig struct {
	*Rig
	Partitions int

	name    string // of the topic and of the group
	cluster *privatekafka.Cluster
	admin   *kadm.Client
	kcat    string // path of the program

	members              []*Instance
	brokerKills, freezes int
}

// maxTopicMemory is the most that an instance may hold that reads topics, in KiB.
const maxTopicMemory = 128 << 10

// OnTopic has r read a new topic with so many partitions, as a group whose session time-out is session, or the default
// if that is empty.
func (r *Rig) OnTopic(cluster *privatekafka.Cluster, partitions int, session string) *TopicRig {
	r.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.Brokers()...))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(client.Close)
	t := &TopicRig{
		Rig: r, Partitions: partitions, name: "chaos-" + strings.ToLower(rand.Text()[:10]), cluster: cluster,
		admin: kadm.NewClient(client), kcat: testkit.Kcat(r.t),
	}
	made, err := t.admin.CreateTopic(r.t.Context(), int32(partitions), -1, nil, t.name)
	if err = cmp.Or(err, made.Err); err != nil {
		r.t.Fatal(err)
	}
	t.awaitTopic(client)
	if session != "" {
		session = ", session_timeout: " + session
	}
	brokers, _ := json.Marshal(cluster.Brokers()) // texts: no error
	r.input = fmt.Sprintf("kafka: {brokers: %s, topics: [%s], group: %s%s}", brokers, t.name, t.name, session)
	r.maxMemory = maxTopicMemory
	r.Configure("flush: {interval: 100ms}")
	return t
}

// awaitTopic waits until each broker knows all partitions. A producer that has heard of the topic from one broker gives up
// when another one has not.
func (r *TopicRig) awaitTopic(client *kgo.Client) {
	r.t.Helper()
	ask := kmsg.NewPtrMetadataRequest()
	ask.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr(r.name)}}
	for _, broker := range client.SeedBrokers() {
		testkit.EventuallyWithin(r.t, longPatience, "a broker knows the topic", func() bool {
			answer, err := broker.RetriableRequest(r.t.Context(), ask)
			if err != nil {
				return false
			}
			topic := answer.(*kmsg.MetadataResponse).Topics[0]
			return topic.ErrorCode == 0 && len(topic.Partitions) == r.Partitions &&
				!slices.ContainsFunc(topic.Partitions, func(p kmsg.MetadataResponseTopicPartition) bool { return p.ErrorCode != 0 })
		})
	}
}

// Settle waits until all lines are stored, or no more come, and then until the positions are the partitions' ends, which
// may be behind the last line.
func (r *TopicRig) Settle() {
	r.t.Helper()
	if r.Rig.Settle(); r.stored < r.expected() {
		return
	}
	ends := r.ends()
	testkit.Eventually(r.t, "the positions are the ends of the partitions", func() bool {
		positions, err := r.positions(r.t.Context())
		return err == nil && len(difference(ends, positions)) == 0
	})
}

// StoreShare waits until an n-th of the lines are stored.
func (r *TopicRig) StoreShare(n int64) {
	r.t.Helper()
	for r.look(); r.stored < r.expected()/n; {
		if !r.Progress(quiet) {
			r.t.Fatalf("%d of %d lines are stored, and no more come", r.stored, r.expected())
		}
	}
}

// Again runs the program once more on the same topic, which must add nothing but the one line that is new.
func (r *TopicRig) Again() {
	r.t.Helper()
	i := r.Start()
	r.produce("last", 1, 0, r.throughKcat())
	r.WaitWriters()
	r.Settle()
	i.Terminate()
}

// Require fails the test unless the topic holds what was written, and the tables hold what is in the topic.
func (r *TopicRig) Require() {
	r.t.Helper()
	r.requireTopic()
	ends := r.ends()
	positions, err := r.positions(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, problem := range difference(ends, positions) {
		r.t.Error(problem)
	}
	r.figures = []figure{
		{"partitions", r.Partitions}, {"generations", r.generations()}, {"broker kills", r.brokerKills}, {"freezes", r.freezes},
	}
	r.Rig.Require()
}

// ends returns the offset after the last committed message of each partition, as the brokers say.
func (r *TopicRig) ends() map[int32]int64 {
	r.t.Helper()
	listed, err := r.admin.ListCommittedOffsets(r.t.Context(), r.name)
	if err = cmp.Or(err, listed.Error()); err != nil {
		r.t.Fatal(err)
	}
	ends := map[int32]int64{}
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends
}

// positions returns the position of each partition in the tables.
func (r *TopicRig) positions(ctx context.Context) (map[int32]int64, error) {
	conn, err := pgx.Connect(ctx, r.url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "select split_part(source_key, '/', 3)::integer, position from "+r.schema+".log_positions"+
		" where split_part(source_key, '/', 2) = $1", r.name)
	if err != nil {
		return nil, err
	}
	positions := map[int32]int64{}
	var partition int32
	var position int64
	_, err = pgx.ForEachRow(rows, []any{&partition, &position}, func() error {
		positions[partition] = position
		return nil
	})
	return positions, err
}

// difference tells which positions are not the ends.
func difference(ends, positions map[int32]int64) (problems []string) {
	for partition, end := range ends {
		if position, ok := positions[partition]; position != end || !ok {
			problems = append(problems, fmt.Sprintf("partition %d ends at %d, its position is %d", partition, end, position))
		}
	}
	if len(positions) != len(ends) {
		problems = append(problems, fmt.Sprintf("%d positions of %d partitions", len(positions), len(ends)))
	}
	return problems
}

// requireTopic reads the topic with a client that is not ours, and fails the test unless every number is there once: what
// a producer lost or doubled is no fault of the program.
func (r *TopicRig) requireTopic() {
	r.t.Helper()
	command := exec.CommandContext(r.t.Context(), r.kcat, "-C", "-q", "-e", "-b", r.bootstrap(), "-t", r.name, "-o", "beginning")
	output, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		r.t.Fatal(err)
	}
	seen := map[numbered]int{}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		line, err := r.form.parse(lines.Bytes())
		if err != nil {
			r.t.Fatalf("in the topic is %s: %v", lines.Text(), err)
		}
		seen[line]++
	}
	if err := cmp.Or(lines.Err(), command.Wait()); err != nil {
		r.t.Fatalf("read the topic: %v", err)
	}
	const blame = "nothing is proved, for the producers are to blame"
	for _, w := range r.writers {
		for n := range int64(w.Lines) {
			if times := seen[numbered{w.Name, n + 1}]; times != 1 {
				r.t.Fatalf("%s: number %d of %s is in the topic %d times", blame, n+1, w.Name, times)
			}
		}
	}
	if int64(len(seen)) != r.expected() {
		r.t.Fatalf("%s: they wrote %d numbers, %d are in the topic", blame, r.expected(), len(seen))
	}
}

func (r *TopicRig) bootstrap() string { return strings.Join(r.cluster.Brokers(), ",") }

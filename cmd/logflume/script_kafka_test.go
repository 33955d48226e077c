package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"logflume/internal/privatekafka"
	"logflume/internal/testkit"
)

// A secureKafka is a broker that lets nobody do what was not granted: on its plaintext port everybody may do all, on the
// others users and certificates may do nothing.
type secureKafka struct {
	*privatekafka.Cluster
	client *kgo.Client // of somebody who may do everything
	admin  *kadm.Client
}

const (
	kafkaUser     = "logflume"
	kafkaPassword = "hunter2.kafka"
)

// newSecureKafka starts one with these settings besides and topics of 3 partitions each, and writes certificates into dir: ca.pem is that of
// its authority, client.pem and client.key are what it wants to see on its TLS port; other.pem and other.key are of
// another authority.
func newSecureKafka(t testing.TB, dir string, settings map[string]string, topics ...string) *secureKafka {
	t.Helper()
	ours, other := testkit.NewAuthority(t), testkit.NewAuthority(t)
	encryption := &privatekafka.TLS{ClientCAs: ours.PEM}
	encryption.Certificate, encryption.Key = ours.Server()
	files := map[string]string{"ca.pem": ours.PEM, "other-ca.pem": other.PEM}
	files["client.pem"], files["client.key"] = ours.Client()
	files["other.pem"], files["other.key"] = other.Client()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := os.WriteFile(dir+"/"+name, []byte(files[name]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
	settings["super.users"] = "User:ANONYMOUS" // on the plaintext ports: we, and the broker itself
	k := &secureKafka{Cluster: testkit.KafkaCluster(t, privatekafka.Options{
		TLS: encryption, Users: []privatekafka.User{{Name: kafkaUser, Password: kafkaPassword}}, Settings: settings,
	})}
	var err error
	if k.client, err = kgo.NewClient(kgo.SeedBrokers(k.Brokers()...)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.client.Close)
	k.admin = kadm.NewClient(k.client)
	for _, topic := range topics {
		if made, err := k.admin.CreateTopic(t.Context(), 3, 1, nil, topic); err != nil || made.Err != nil {
			t.Fatal(err, made.Err)
		}
	}
	return k
}

// grant lets the principal do these things.
func (k *secureKafka) grant(ctx context.Context, rights *kadm.ACLBuilder) error {
	made, err := k.admin.CreateACLs(ctx, rights)
	if err != nil {
		return err
	}
	for _, m := range made {
		if m.Err != nil {
			return fmt.Errorf("%s: %w", m.ErrMessage, m.Err)
		}
	}
	return nil
}

// grantReading lets principals read the topics as members of the group, and nothing else.
func (k *secureKafka) grantReading(ctx context.Context, group string, topics []string, principals ...string) error {
	return errors.Join(
		k.grant(ctx, kadm.NewACLs().Allow(principals...).Topics(topics...).Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)),
		k.grant(ctx, kadm.NewACLs().Allow(principals...).Groups(group).Operations(kadm.OpRead).ResourcePatternType(kadm.ACLPatternLiteral)),
	)
}

// scriptKafka starts a [secureKafka] for the script, or stops or starts the one that it has, or writes to it.
func scriptKafka(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: kafka need | new [MECHANISMS] | stop | start | produce FROM TO TOPIC")
	}
	ctx := context.Background()
	k, _ := ts.Value("kafka").(*secureKafka)
	switch args[0] {
	case "need":
		testkit.KafkaInstallation(ts.Value("t").(testing.TB))
		for _, name := range []string{"HOME", "XDG_CACHE_HOME", "JAVA_HOME"} {
			ts.Setenv(name, os.Getenv(name))
		}
	case "new":
		settings := map[string]string{}
		if len(args) > 1 {
			settings["sasl.enabled.mechanisms"] = args[1]
		}
		k = newSecureKafka(ts.Value("t").(testing.TB), ts.Getenv("WORK"), settings, "logs", "private", "described")
		values := ts.Value("values").(map[any]any)
		values["kafka"] = k
		ts.Setenv("KAFKA_CLEAR", k.Brokers()[0])
		ts.Setenv("KAFKA_TLS", k.TLSBrokers()[0])
		ts.Setenv("KAFKA_SASL", k.SASLBrokers()[0])
		ts.Setenv("KAFKA_PASSWORD", kafkaPassword)
		ts.Check(k.grantReading(ctx, "logflume", []string{"logs"}, "User:"+kafkaUser, "User:CN=logflume test"))
		ts.Check(k.grant(ctx, kadm.NewACLs().Allow("User:"+kafkaUser).Topics("described").Groups("described").
			Operations(kadm.OpDescribe).ResourcePatternType(kadm.ACLPatternLiteral)))
	case "stop":
		ts.Check(k.StopNode(0))
	case "start":
		ts.Check(k.StartNode(ctx, 0))
	case "produce":
		from, err := strconv.Atoi(args[1])
		ts.Check(err)
		to, err := strconv.Atoi(args[2])
		ts.Check(err)
		for i := from; i <= to; i++ {
			k.client.Produce(ctx, &kgo.Record{Topic: args[3], Value: []byte(numberedLine(i))}, nil)
		}
		ts.Check(k.client.Flush(ctx))
	default:
		ts.Fatalf("kafka %s is not known", args[0])
	}
}

// Package privatekafka runs Apache Kafka brokers that belong to this process alone, for tests and development.
//
// An [Installation] stands for a Java machine and a folder with Kafka's jars; [Obtain] finds the one and has Maven fetch
// the other, once. A [Cluster] stands for one or several nodes, each broker and controller in one (KRaft): each can be
// stopped, also abruptly, and started again at the same place and addresses.
//
// Reach: nodes listen on the loopback interface only.
//
// Lifetime: a node never outlives the process that started it, see package keeper, and the cluster's directory goes with
// it.
//
// Concurrency: an Installation is a value; a Cluster is safe for concurrent use and keeps no goroutine of its own.
package privatekafka

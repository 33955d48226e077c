// Package kafka reads the topics of a Kafka cluster as a member of a consumer group. Every message goes into the
// pipeline exactly once, whatever happens to members, brokers and the database.
//
// One row of log_positions stands for one partition of one topic of one cluster: kafka:<cluster id>/<topic>/<partition>.
// Its position is the offset of the next message. It is moved in the transaction that stores the messages; the group
// divides the partitions and nothing else. Offsets are committed to the group as well, a little later, so that tools
// show its lag; nobody reads them.
//
// Words: a generation is the time between two rebalances of the group; a reading one started reading of a partition,
// as pipeline.Stream is; a piece what one fetch brought for one partition.
//
// Units: positions are offsets; times are microseconds, where Kafka has milliseconds; sizes are bytes, of keys and
// values as the producer gave them unless they are called packed.
//
// Ownership: a piece belongs to the reading that it is handed to, which gives its memory back when it was read. Records
// are copied from it into the batch's arena, the only copy there is.
//
// Concurrency: [Source.Run] has a goroutine for the group's membership (the library's, with its own for heartbeats). In
// a generation there is one for each partition, which unpacks and sends, one for each broker that leads some of them,
// which fetches, and one that looks after layout, progress and offsets. They end with the generation, which ends with
// Run. A connection may outlive that by the time of one answer.
//
// # What a source does
//
//  1. It asks the brokers for the topics, and the database for a row, before it joins the group: a member that cannot
//     store anything takes partitions from one that can.
//  2. A topic without a row for its partition 0 is read for the first time. All its partitions get a row that says where
//     reading begins, partition 0 last. So where to begin is decided once, and what has no row later was added later.
//  3. A broker is asked for all its partitions at once, in the transaction isolation read committed; a partition with two
//     pieces waiting is left out, so a slow or locked one holds up no other. What waits is at most an eighth of the
//     budget, and is charged to it.
//  4. A generation that ends waits up to 5 s for the commits of what was sent, then abandons it. A member that commits
//     nevertheless, frozen or cut off, is refused by the compare-and-set, and so is the new owner if it was too fast: it
//     reads its row again and goes on there.
//  5. When lines have waited for their commit for Options.Progress the member leaves the group, and joins again when the
//     database answers.
//
// # What can happen to a partition
//
//   - Aborted transactions and control records are passed over, and so are offsets that compaction has emptied.
//   - The position is below the first offset there is: retention was faster than we. The range is written to meta.gaps and
//     counted in lost_messages, in the transaction that moves the position past it.
//   - The position is behind the end: the log was cut, by an unclean election or a restored backup. The end goes to
//     meta.beyond, and the partition is not read until an operator has removed that: its offsets mean other messages now.
//   - The topic has another id than the row: it was deleted and made again. The position returns to 0 and the epoch
//     rises. Brokers older than Kafka 3.1 fetch by name, so there this is noticed up to 5 s late.
//   - A batch is damaged, or in a message format older than Kafka 0.11: the partition is tried again, in the end every 30 s.
//
// # What is not seen
//
//   - An unclean election after which the log has grown past the position again before it is looked at: leaders' epochs
//     are checked at each fetch, but not those of what was read.
//   - Messages that were deleted before a topic's first reading, or together with their topic.
package kafka

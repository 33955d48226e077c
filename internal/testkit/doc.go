// Package testkit gives tests the real things: a PostgreSQL server, a Kafka broker, a proxy that breaks connections, the
// built program.
//
// A [DB] stands for one schema of a server that all tests of a test binary share. That server starts when the first
// test asks for it and ends with the binary; the environment variable LOGFLUME_TEST_DATABASE_URL names another one to
// use instead, whose login must be a superuser's. Tests that stop their server take one of their own with [Server].
//
// A machine without PostgreSQL fails the tests, saying what to install: a skipped proof would look like a proof. One
// without Java for Kafka skips the few tests that need a broker, and says on standard error which; with CI=true it fails
// them as well.
//
// [Kafka] returns a broker that all tests of a test binary share, or the one that the environment variable KAFKA_BROKERS
// names. Tests that stop their broker, or want several nodes, take a cluster of their own with [KafkaCluster].
//
// Nothing here sleeps for a fixed time, [Eventually] is the only place that waits by polling.
package testkit

// Package testkit gives tests the real things: a PostgreSQL server, a proxy that breaks connections, the built program.
//
// A [DB] stands for one schema of a server that all tests of a test binary share. That server starts when the first
// test asks for it and ends with the binary; the environment variable LOGFLUME_TEST_DATABASE_URL names another one to
// use instead, whose login must be a superuser's. Tests that stop their server take one of their own with [Server].
//
// A machine without PostgreSQL fails the tests, saying what to install: a skipped proof would look like a proof.
//
// Nothing here sleeps for a fixed time, [Eventually] is the only place that waits by polling.
package testkit

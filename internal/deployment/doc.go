// Package deployment holds tests of what is in deploy/: that each file works as it stands there.
//
// Dashboards are asked of a real PostgreSQL, every panel and variable, as Grafana would send it and as the role that Grafana
// has. Alert rules are tested by promtool. The container's program is built with the command of the Dockerfile and runs in
// a folder that holds what the image holds.
package deployment

//go:build linux

// Package machine makes computers out of network namespaces: each with an
// address of its own, files of its own in /etc, and processes. Everything lives
// in namespaces of one process - network, mounts, processes - so that nothing is
// left when that process is gone, however it ended, and two labs on one machine
// do not meet.
package machine

// Package cli holds what every command needs of its environment: the standard
// streams and the properties of their terminals, log lines and progress, the
// typed errors that decide the exit code, and the clock.
package cli

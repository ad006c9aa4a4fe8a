// Package cli holds what every command needs from the world outside: the
// standard streams and what is known about the terminal behind them, the typed
// errors that decide the exit code, and the clock.
package cli

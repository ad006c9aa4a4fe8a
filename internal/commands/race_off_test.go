//go:build !race

package commands

// raceDetector is true if the race detector is enabled.
const raceDetector = false

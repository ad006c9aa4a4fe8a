//go:build race

package commands

// raceDetector says whether the tests run with the race detector.
const raceDetector = true

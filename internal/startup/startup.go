// Package startup keeps the garbage collector from running while the packages
// of Kubernetes fill their tables, nearly all of which stay: for a short command
// that is a quarter of its CPU time.
package startup

import "runtime/debug"

// percent is the pace of the collector that the environment asks for (GOGC).
// Initialising a variable is the only way to run before other packages are
// initialised: those whose import paths sort behind this one's, with everything
// of Kubernetes among them, come later.
//
//nolint:gochecknoglobals // see above
var percent = debug.SetGCPercent(-1)

// Done gives the collector its usual pace. A program that imports the package
// calls it before it does anything that takes memory; until then nothing is
// collected.
func Done() { debug.SetGCPercent(percent) }

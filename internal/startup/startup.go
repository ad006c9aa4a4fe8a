// Package startup disables the garbage collector while the packages of Kubernetes are
// initialised. Nearly all memory allocated by them is permanent, and collecting it would take
// a quarter of the CPU time of a short command.
package startup

import "runtime/debug"

// percent is the garbage collection target percentage from the environment (GOGC).
// Initialising a variable is the only way to run code before other packages are initialised:
// those with import paths that sort after this one, including all of Kubernetes, are
// initialised later.
//
//nolint:gochecknoglobals // see above
var percent = debug.SetGCPercent(-1)

// Done restores the garbage collection target percentage. A program that imports the package
// must call it before it allocates much memory; until then nothing is collected.
func Done() { debug.SetGCPercent(percent) }

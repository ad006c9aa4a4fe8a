//go:build unix && !linux

package clustertest

import "syscall"

// dieWithParent does nothing: only Linux offers it. Killed tests leave their
// processes behind here.
func dieWithParent(*syscall.SysProcAttr) {}

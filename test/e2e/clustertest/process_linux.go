package clustertest

import "syscall"

// dieWithParent has the process killed when the thread ends that started it.
func dieWithParent(attributes *syscall.SysProcAttr) {
	attributes.Pdeathsig = syscall.SIGKILL
}

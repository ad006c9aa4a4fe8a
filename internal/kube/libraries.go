package kube

import (
	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// SilenceLibraries keeps the Kubernetes libraries from writing to the terminal.
// What they log is about requests that fail, and those are errors of meshctl
// with words of its own. It is for the start of the program, before anything
// else runs.
func SilenceLibraries() {
	klog.SetLogger(logr.Discard())
}

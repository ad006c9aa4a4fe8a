package kube

import "k8s.io/apimachinery/pkg/version"

// CheckVersion returns an *Error if a cluster runs a version of Kubernetes that
// is too old for meshctl, nil if it does not or if the version says nothing.
func CheckVersion(c *Connection, info version.Info) error { return checkVersion(c, info) }

// Package kube talks to Kubernetes clusters: the one that meshctl's own
// resources live in, registered ones, and those of the user's contexts.
//
// A Connection (connection*.go) is one cluster with its credentials; it costs
// nothing until it is used. List* (list*.go) reads it page by page, Ask puts
// several questions to one cluster under one deadline, Each does something with
// many clusters at the same time. Apply, Delete and EnsureNamespace (apply*.go)
// write. What goes wrong is translated once (errors*.go): every error of a
// cluster is an *Error that says which cluster, what failed, why, and what to
// do next.
package kube

// Package kube talks to Kubernetes clusters: the management cluster, registered
// clusters, and those of the user's contexts.
//
// A Connection (connection*.go) is one cluster with its credentials; it makes no
// request until it is used. List* (list*.go) reads it page by page, Ask sends
// several requests to one cluster under one deadline, and Each processes many
// clusters in parallel. Apply, Delete and EnsureNamespace (apply*.go) write.
// Errors are translated in one place (errors*.go): every error about a cluster is
// an *Error with the cluster, the failed action, the cause and the next step.
package kube

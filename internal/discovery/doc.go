// Package discovery turns the raw Kubernetes objects of one cluster into the
// meshes, workloads and destinations that policies are about (semantics 1,
// D1 to D5). It only computes: who lists the objects, and what becomes of the
// result, is decided elsewhere.
//
// The order is that of Discover: meshes first (istio.go, othermeshes.go,
// appmesh.go), then workloads, which need to know the meshes (workloads.go,
// sidecar.go, revision.go), then destinations, which need both
// (destinations.go, endpoints.go, addresses.go). Whatever cannot be used
// becomes a Note; it never stops the rest.
package discovery

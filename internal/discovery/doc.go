// Package discovery turns the raw Kubernetes objects of one cluster into the
// meshes, workloads and destinations that policies refer to (D1 to D5). It is pure:
// callers list the objects and decide what to do with the result.
//
// Discover works in this order: meshes (istio.go, othermeshes.go, appmesh.go),
// then workloads, which refer to meshes (workloads.go, sidecar.go, revision.go),
// then destinations, which refer to both (destinations.go, endpoints.go,
// addresses.go). Objects that cannot be used become a Note and never stop the
// rest.
package discovery

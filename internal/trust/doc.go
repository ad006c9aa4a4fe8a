// Package trust holds the rules of shared trust: how root
// and intermediate certificates are issued and judged, the content of their
// Secrets, and the steps of a root CA rotation, which keep the meshes of a
// VirtualMesh trusting each other at all times.
//
// The package is pure: time is an argument, and clusters are neither read nor
// written.
package trust

// Package trust holds the rules of shared trust (semantics, section 7): how
// root and intermediate certificates are made and judged, what the Secrets hold
// that carry them, and in which order a rotation exchanges them so that the
// meshes of a VirtualMesh always accept each other.
//
// It turns values into values. Time is an argument, and nothing is read from or
// written to a cluster.
package trust

// Package sharedtrust establishes the shared trust of virtual meshes, reports its state, and
// rotates its root. It reads and writes Secrets in clusters by the rules of package trust.
//
// The steps are always the same: Of returns the configuration of a VirtualMesh (subject.go),
// Look reads the current state (survey.go), Plan compares the two (plan.go), and Issue or a
// rotation step writes the differences (issue.go, rotate*.go). All state is in the clusters,
// so an interrupted run can be repeated.
package sharedtrust

// Package sharedtrust establishes the shared trust of virtual meshes, says how
// it stands, and rotates its root. It reads and writes the Secrets of clusters by
// the rules of package trust.
//
// One way leads through it: Of says what a VirtualMesh asks for (subject.go),
// Look reads how things are (survey.go), Plan compares the two (plan.go), and
// Issue or one step of a rotation writes what differs (issue.go, rotate*.go).
// Nothing is remembered between two runs but what the clusters hold, so that a
// run that was stopped can be repeated.
package sharedtrust

// Package rollout applies the rendered configuration to clusters. NewPlan compares the Istio
// configuration of a world with that of the clusters. Plan.Run writes the differences stage by
// stage, prunes objects, and updates the status of meshctl's resources. Watch does this
// whenever something changes. The package is independent of the command line and prints
// nothing: a Plan holds the changes and their outcomes as values.
package rollout

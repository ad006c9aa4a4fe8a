// Package check verifies that everything meshctl works with is in order: the
// management cluster, registered clusters, meshes and the configuration.
//
// Checks are values (catalogue.go): each belongs to a category, has a severity
// for failures, and judges facts. Facts are gathered first (gather*.go), from all
// clusters in parallel and with a deadline for each, so that judging needs no
// requests and an unreachable cluster does not affect the results of others. Run
// does both; Wait repeats Run until no check fails.
package check

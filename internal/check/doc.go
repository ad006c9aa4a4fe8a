// Package check finds out whether everything that meshctl works with is in
// order: the management cluster, registered clusters, meshes and what is
// configured.
//
// Checks are values (catalogue.go): each belongs to a category, says how bad it
// is if it does not hold, and judges facts. Facts are gathered first (gather*.go),
// from all clusters at the same time and with one deadline for each, so that
// judging them asks nobody anything, and one dead cluster hides nothing of the
// others. Run does both, Wait repeats them until everything is in order.
package check

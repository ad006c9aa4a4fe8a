// Package load reads the objects of a world: from files and directories, from
// what a cluster was dumped to, from the management cluster, and from clusters
// that it discovers. Whatever the source, objects pass the same checks, and what
// cannot be used becomes a world.Problem instead of a failure.
package load

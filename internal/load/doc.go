// Package load reads the objects of a world from files and directories, from dumps of
// clusters, from the management cluster, and from discovery. Objects of all sources pass the
// same checks. An object that cannot be used becomes a world.Problem instead of an error.
package load

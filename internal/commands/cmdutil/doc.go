// Package cmdutil holds what commands share: the factory with their dependencies, the flags
// that select clusters and the world, completion, confirmation, and common result texts.
package cmdutil

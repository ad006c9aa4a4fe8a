// Package cmdutil has what several commands share: the factory that hands them
// their dependencies, the flags that name clusters and the world, completion of
// names, confirmation, and the wording of results that look alike everywhere.
package cmdutil

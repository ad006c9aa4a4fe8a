// Package commands is the root of meshctl's command line: the tree of commands,
// help topics, completion scripts and exit codes. Each noun has a package of its own
// below, and cmdutil has what they share. Every command follows one shape:
//
//	options                    injected dependencies first, then flag values
//	newXxxCmd(f)               declares help and flags, and fills the options
//	run(ctx)                   does the work; knows no cobra
//
// version.go is the smallest example; it also hands its options to a test.
package commands

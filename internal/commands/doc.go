// Package commands is the root of meshctl's command line: the tree of commands,
// help topics, completion scripts and exit codes. Each noun has its own package below
// it; shared code is in cmdutil. All commands have the same structure:
//
//	options                    injected dependencies first, then flag values
//	newXxxCmd(f)               declares help and flags, and fills the options
//	run(ctx)                   does the work; independent of cobra
//
// version.go is the smallest example; it also hands its options to a test.
package commands

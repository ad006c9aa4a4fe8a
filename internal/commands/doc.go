// Package commands is the command line of meshctl: one file per command, and
// around them what all of them share. Every command follows one shape:
//
//	xxxOptions                 injected dependencies first, then flag values
//	newXxxCmd(f)               declares help and flags, and fills the options
//	runXxx(ctx, opts)          does the work; knows no cobra
//
// version.go is the smallest example; it also hands its options to a test.
package commands

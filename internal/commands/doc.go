// Package commands is the command line of meshctl: one file per command, and
// around them what all of them share. Every command follows one shape:
//
//	xxxOptions                 injected dependencies first, then flag values
//	newXxxCmd(f, runF)         declares help and flags, fills the options and
//	                           calls runF, or runXxx if runF is nil
//	runXxx(ctx, opts)          does the work; knows no cobra
//
// version.go is the smallest example.
package commands

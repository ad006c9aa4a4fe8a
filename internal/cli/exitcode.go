package cli

import (
	"context"
	"errors"
)

// The exit codes of every command but diff, which follows kubectl. They are a
// contract with scripts and never depend on the output format.
const (
	ExitOK        = 0
	ExitFailure   = 1
	ExitUsage     = 2
	ExitFindings  = 3
	ExitTimeout   = 4
	ExitCancelled = 130

	// ExitDifferences and ExitTrouble are those of diff: it ran fine and found
	// differences, or it failed.
	ExitDifferences = 1
	ExitTrouble     = 2
)

// ExitCode returns the exit code for what a command returned, joined with what
// flushing its output returned. Where several kinds of errors are joined, the
// user's own interruption explains the others, then what kept the command from
// running or ending comes before what it found.
func ExitCode(err error) int {
	var trouble *TroubleError
	code := exitCode(err)
	if code == ExitFailure && errors.As(err, &trouble) {
		return ExitTrouble
	}
	return code
}

func exitCode(err error) int {
	var (
		usage   *UsageError
		output  *OutputError
		timeout *TimeoutError
	)
	switch {
	case err == nil:
		return ExitOK
	case errors.Is(err, ErrCancelled), errors.Is(err, context.Canceled):
		return ExitCancelled
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &output):
		if output.ReaderGone() {
			return ExitOK
		}
		return ExitFailure
	case errors.As(err, &timeout), errors.Is(err, context.DeadlineExceeded):
		return ExitTimeout
	case errors.Is(err, ErrFindings) && !errors.Is(err, ErrReported) && len(Untold(err)) == 0:
		return ExitFindings
	default:
		return ExitFailure
	}
}

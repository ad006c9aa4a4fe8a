package cli

import (
	"context"
	"errors"
)

// The exit codes of every command except diff, which follows kubectl. Scripts
// rely on them; they never depend on the output format.
const (
	ExitOK        = 0
	ExitFailure   = 1
	ExitUsage     = 2
	ExitFindings  = 3
	ExitTimeout   = 4
	ExitCancelled = 130

	// ExitDifferences and ExitTrouble are the exit codes of diff: differences
	// found, and failed.
	ExitDifferences = 1
	ExitTrouble     = 2
)

// ExitCode returns the exit code for the error of a command, joined with that of
// flushing its output. Of several joined errors, a cancellation by the user comes
// first, then failures to run or finish, then findings.
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
	case errors.Is(err, ErrFindings) && !errors.Is(err, ErrReported) && len(Unreported(err)) == 0:
		return ExitFindings
	default:
		return ExitFailure
	}
}

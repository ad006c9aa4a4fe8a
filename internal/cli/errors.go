package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrCancelled says that the user stopped the command before it was done: with
// a signal or by declining a question.
var ErrCancelled = errors.New("cancelled")

// ErrFindings says that the command ran fine and found problems, which are
// part of what it printed. Nothing more is printed for it.
var ErrFindings = errors.New("problems were found")

// ErrReported says that the command failed and has printed the reason itself.
var ErrReported = errors.New("failed, see above")

// ErrDifferences says that diff ran fine and found differences, which are what it
// printed.
var ErrDifferences = errors.New("there are differences")

// TroubleError is a failure of diff, whose exit code must differ from that for
// differences.
type TroubleError struct {
	Err error
}

// Error implements error.
func (e *TroubleError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TroubleError) Unwrap() error { return e.Err }

// Untold returns the parts of a possibly joined error that the user has not been
// told yet, that is all but ErrReported, ErrFindings and
// ErrDifferences.
func Untold(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoined(err, joined.Unwrap()) {
		var untold []error
		for _, part := range joined.Unwrap() {
			untold = append(untold, Untold(part)...)
		}
		return untold
	}
	if errors.Is(err, ErrReported) || errors.Is(err, ErrFindings) || errors.Is(err, ErrDifferences) {
		return nil
	}
	return []error{err}
}

// isJoined tells errors.Join, which adds nothing to its parts, from an error
// that wraps several others in a message of its own.
func isJoined(err error, parts []error) bool {
	return err.Error() == errors.Join(parts...).Error()
}

// UsageError says that the command line cannot be run as it was typed. The user
// is shown where the help is.
type UsageError struct {
	Err error
}

// Usagef returns a *UsageError with a message formatted as by fmt.Errorf.
func Usagef(format string, args ...any) error {
	return &UsageError{Err: fmt.Errorf(format, args...)}
}

// Error implements error.
func (e *UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *UsageError) Unwrap() error { return e.Err }

// TimeoutError says that what the command waited for did not come in time. The
// message must name what was not ready.
type TimeoutError struct {
	Err error
}

// Timeoutf returns a *TimeoutError with a message formatted as by fmt.Errorf.
func Timeoutf(format string, args ...any) error {
	return &TimeoutError{Err: fmt.Errorf(format, args...)}
}

// Error implements error.
func (e *TimeoutError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TimeoutError) Unwrap() error { return e.Err }

// OutputError says that standard output does not take what the command prints,
// for example because the disk is full.
type OutputError struct {
	Err error
}

// Error implements error.
func (e *OutputError) Error() string {
	reason := e.Err
	var path *fs.PathError
	if errors.As(reason, &path) {
		reason = path.Err // the name of the device adds nothing
	}
	return "cannot write to standard output: " + reason.Error()
}

// Unwrap returns the cause.
func (e *OutputError) Unwrap() error { return e.Err }

// ReaderGone reports whether the other end of a pipe was closed, as by
// `meshctl ... | head`. That is no failure: the reader has all it wanted.
func (e *OutputError) ReaderGone() bool { return errors.Is(e.Err, syscall.EPIPE) }

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrCancelled is returned when the user stopped the command with a signal or by
// declining a question.
var ErrCancelled = errors.New("cancelled")

// ErrFindings is returned when the command succeeded and found problems, which
// are part of its output. No error message is printed for it.
var ErrFindings = errors.New("problems were found")

// ErrReported is returned when the command failed and has already printed the
// reason.
var ErrReported = errors.New("failed, see above")

// ErrDifferences is returned when diff succeeded and found differences, which it
// has printed.
var ErrDifferences = errors.New("there are differences")

// TroubleError is a failure of diff. Its exit code must differ from that of
// differences.
type TroubleError struct {
	Err error
}

// Error implements error.
func (e *TroubleError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *TroubleError) Unwrap() error { return e.Err }

// Unreported returns the parts of a possibly joined error that still have to be
// printed: all but ErrReported, ErrFindings and ErrDifferences.
func Unreported(err error) []error {
	if err == nil {
		return nil
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok && isJoined(err, joined.Unwrap()) {
		var unreported []error
		for _, part := range joined.Unwrap() {
			unreported = append(unreported, Unreported(part)...)
		}
		return unreported
	}
	if errors.Is(err, ErrReported) || errors.Is(err, ErrFindings) || errors.Is(err, ErrDifferences) {
		return nil
	}
	return []error{err}
}

// isJoined distinguishes errors.Join, which adds no text, from an error that
// wraps several others in its own message.
func isJoined(err error, parts []error) bool {
	return err.Error() == errors.Join(parts...).Error()
}

// UsageError means that the command line is invalid. The message is followed by a
// reference to --help.
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

// TimeoutError means that a wait timed out. The message must name what was not
// ready.
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

// OutputError means that writing to standard output failed, for example because
// the disk is full.
type OutputError struct {
	Err error
}

// Error implements error.
func (e *OutputError) Error() string {
	reason := e.Err
	var path *fs.PathError
	if errors.As(reason, &path) {
		reason = path.Err // the name of the device is of no use to users
	}
	return "cannot write to standard output: " + reason.Error()
}

// Unwrap returns the cause.
func (e *OutputError) Unwrap() error { return e.Err }

// ReaderGone reports whether the reader of the pipe has closed it, as in `meshctl
// ... | head`. This is not a failure.
func (e *OutputError) ReaderGone() bool { return errors.Is(e.Err, syscall.EPIPE) }

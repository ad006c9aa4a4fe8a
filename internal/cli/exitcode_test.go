package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"testing"
)

func TestExitCode(t *testing.T) {
	t.Parallel()
	failure := errors.New("no such file")
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"success", nil, 0},
		{"failure", failure, 1},
		{"failure that was reported", ErrReported, 1},
		{"usage", Usagef("unknown flag %s", "--x"), 2},
		{"wrapped usage", fmt.Errorf("parse: %w", Usagef("unknown flag")), 2},
		{"findings", ErrFindings, 3},
		{"findings of an incomplete answer", errors.Join(ErrReported, ErrFindings), 1},
		{"findings next to a failure", errors.Join(ErrFindings, failure), 1},
		{"findings that could not be printed", errors.Join(ErrFindings, &OutputError{Err: syscall.ENOSPC}), 1},
		{"timeout", Timeoutf("waited 5m for istiod"), 4},
		{"deadline", fmt.Errorf("list meshes: %w", context.DeadlineExceeded), 4},
		{"cancelled", ErrCancelled, 130},
		{"cancelled inside a request", fmt.Errorf("list meshes: %w", context.Canceled), 130},
		{"cancelled while waiting", errors.Join(Timeoutf("waited"), ErrCancelled), 130},
		{"full disk", &OutputError{Err: syscall.ENOSPC}, 1},
		{"reader gone", fmt.Errorf("print: %w", &OutputError{Err: syscall.EPIPE}), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(tt.err); got != tt.want {
				t.Errorf("ExitCode(%v) = %d, want %d", tt.err, got, tt.want)
			}
		})
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	for _, err := range []error{Usagef("what: %w", cause), Timeoutf("what: %w", cause)} {
		if err.Error() != "what: cause" || !errors.Is(err, cause) {
			t.Errorf("%T: message %q, is its cause: %t; want %q and true", err, err, errors.Is(err, cause), "what: cause")
		}
	}
}

func TestUnreported(t *testing.T) {
	t.Parallel()
	first, second := errors.New("first"), errors.New("second")
	both := fmt.Errorf("both: %w, %w", first, second)
	tests := []struct {
		name string
		err  error
		want []error
	}{
		{"nothing", nil, nil},
		{"one", first, []error{first}},
		{"several", errors.Join(first, errors.Join(second, both)), []error{first, second, both}},
		{"reported", ErrReported, nil},
		{"findings", fmt.Errorf("describe: %w", ErrFindings), nil},
		{"reported next to another", errors.Join(ErrReported, first, ErrFindings), []error{first}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Unreported(tt.err); !slices.Equal(got, tt.want) {
				t.Errorf("Unreported(%v) = %v, want %v", tt.err, got, tt.want)
			}
		})
	}
}

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
)

func TestColor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		mode     ColorMode
		terminal bool
		env      map[string]string
		want     bool
	}{
		{name: "terminal", mode: ColorAuto, terminal: true, want: true},
		{name: "pipe", mode: ColorAuto},
		{name: "NO_COLOR", mode: ColorAuto, terminal: true, env: map[string]string{"NO_COLOR": "1"}},
		{name: "NO_COLOR is empty", mode: ColorAuto, terminal: true, env: map[string]string{"NO_COLOR": ""}, want: true},
		{name: "dumb terminal", mode: ColorAuto, terminal: true, env: map[string]string{"TERM": "dumb"}},
		{name: "always on a pipe", mode: ColorAlways, want: true},
		{name: "always beats NO_COLOR", mode: ColorAlways, env: map[string]string{"NO_COLOR": "1"}, want: true},
		{name: "never on a terminal", mode: ColorNever, terminal: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, _ := Test("")
			streams.Color = tt.mode
			streams.Getenv = func(name string) string { return tt.env[name] }
			if streams.OutTerminal = tt.terminal; streams.OutColor() != tt.want {
				t.Errorf("OutColor() = %t, want %t", streams.OutColor(), tt.want)
			}
			streams.OutTerminal, streams.ErrTerminal = false, tt.terminal
			if streams.ErrColor() != tt.want {
				t.Errorf("ErrColor() = %t, want %t", streams.ErrColor(), tt.want)
			}
		})
	}
}

func TestWidth(t *testing.T) {
	t.Parallel()
	streams, _, _ := Test("")
	if got := streams.Width(); got != 0 {
		t.Errorf("Width() of a buffer = %d, want 0", got)
	}
	streams.outColumns = func() int { return 80 }
	if got := streams.Width(); got != 0 {
		t.Errorf("Width() of what is no terminal = %d, want 0", got)
	}
	streams.OutTerminal = true
	if got := streams.Width(); got != 80 {
		t.Errorf("Width() of a terminal = %d, want 80", got)
	}
	streams.errColumns = func() int { return 100 }
	if got := streams.ErrWidth(); got != 0 {
		t.Errorf("ErrWidth() of what is no terminal = %d, want 0", got)
	}
	streams.ErrTerminal = true
	if got := streams.ErrWidth(); got != 100 {
		t.Errorf("ErrWidth() of a terminal = %d, want 100", got)
	}
}

// brokenWriter fails every write with the same error.
type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestFlush(t *testing.T) {
	t.Parallel()

	t.Run("buffers until flushed", func(t *testing.T) {
		t.Parallel()
		var sink bytes.Buffer
		streams, _, _ := Test("")
		streams.bufferOut(&sink)
		fmt.Fprint(streams.Out, "answer")
		if sink.Len() != 0 {
			t.Errorf("%q was written before the flush", sink.String())
		}
		if err := streams.Flush(); err != nil || sink.String() != "answer" {
			t.Errorf("Flush() = %v after which %q is written, want nil and %q", err, sink.String(), "answer")
		}
	})

	t.Run("does not make a terminal wait", func(t *testing.T) {
		t.Parallel()
		var sink bytes.Buffer
		streams, _, _ := Test("")
		streams.OutTerminal = true
		streams.bufferOut(&sink)
		fmt.Fprint(streams.Out, "answer")
		if sink.String() != "answer" {
			t.Errorf("written before the flush: %q, want %q", sink.String(), "answer")
		}
	})

	t.Run("reports a full disk", func(t *testing.T) {
		t.Parallel()
		streams, _, _ := Test("")
		streams.bufferOut(brokenWriter{syscall.ENOSPC})
		fmt.Fprint(streams.Out, "answer")
		err := streams.Flush()
		if want := "cannot write to standard output: no space left on device"; err == nil || err.Error() != want {
			t.Errorf("Flush() = %v, want %s", err, want)
		}
	})

	t.Run("reports a write that failed earlier", func(t *testing.T) {
		t.Parallel()
		streams, _, _ := Test("")
		streams.bufferOut(brokenWriter{syscall.ENOSPC})
		_, err := fmt.Fprint(streams.Out, strings.Repeat("x", 2*outputSize))
		var output *OutputError
		if !errors.As(err, &output) {
			t.Errorf("the write returns %v, want an OutputError", err)
		}
		if err := streams.Flush(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("Flush() = %v, want %v", err, syscall.ENOSPC)
		}
	})

	t.Run("ends quietly when the reader is gone", func(t *testing.T) {
		t.Parallel()
		streams, _, _ := Test("")
		streams.bufferOut(brokenWriter{syscall.EPIPE})
		fmt.Fprint(streams.Out, "answer")
		if err := streams.Flush(); err != nil {
			t.Errorf("Flush() = %v, want nil", err)
		}
	})
}

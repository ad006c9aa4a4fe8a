package cli

import (
	"bufio"
	"io"
)

// outputSize is large enough that a long JSON answer takes few system calls.
const outputSize = 64 * 1024

// outputBuffer buffers standard output and remembers the first write that
// failed, so that a full disk is noticed even where a command ignores the error
// of a single print.
type outputBuffer struct {
	buffered *bufio.Writer
	// terminal is behind the buffer if a person is watching: every write is passed
	// on at once.
	terminal *terminalWriter
	// before is called before anything is passed on to a terminal.
	before func()
}

func newOutputBuffer(w io.Writer, isTerminal bool) *outputBuffer {
	b := &outputBuffer{before: func() {}}
	if isTerminal {
		b.terminal = &terminalWriter{terminal: w}
		w = b.terminal
	}
	b.buffered = bufio.NewWriterSize(w, outputSize)
	return b
}

// Write implements io.Writer. Errors are *OutputError.
func (b *outputBuffer) Write(p []byte) (int, error) {
	n, err := b.buffered.Write(p)
	if err == nil && b.terminal != nil {
		b.before()
		err = b.buffered.Flush()
	}
	if err != nil {
		return n, &OutputError{Err: err}
	}
	return n, nil
}

// finish writes the rest. bufio keeps the first error, so it also reports
// writes that failed earlier.
func (b *outputBuffer) finish() error {
	err := b.buffered.Flush()
	if err == nil && b.terminal != nil {
		err = b.terminal.finish()
	}
	if err == nil {
		return nil
	}
	if failed := (&OutputError{Err: err}); !failed.ReaderGone() {
		return failed
	}
	return nil
}

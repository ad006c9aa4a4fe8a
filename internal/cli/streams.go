package cli

import (
	"bytes"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Streams are the three standard streams of one run together with what output
// may look like on them. Data goes to Out and nowhere else; progress, warnings,
// prompts and errors go to Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// InTerminal, OutTerminal and ErrTerminal say which streams are terminals.
	InTerminal, OutTerminal, ErrTerminal bool

	// Color is what the user asked for; OutColor and ErrColor decide.
	Color ColorMode

	// NoInput says that the user wants no questions; CanPrompt decides.
	NoInput bool

	// Verbosity counts how often the user asked to be told more.
	Verbosity int

	// Complete completes the commands that messages suggest, so that they reach the
	// clusters of this run when they are pasted; nil leaves them alone.
	Complete func(message string) string

	// Getenv reads an environment variable, empty if it is not set.
	Getenv func(name string) string

	log *logger
	// outColumns and errColumns measure the terminals behind Out and Err.
	outColumns, errColumns func() int
	// buffer is the buffered writer behind Out; nil if Out is not buffered.
	buffer *outputBuffer
	// outFile is the file behind Out; nil if there is none.
	outFile *os.File
}

// System returns the streams of this process. Out is buffered: call Flush
// before the process ends and report its error.
func System() *Streams {
	s := &Streams{
		In:          os.Stdin,
		Err:         os.Stderr,
		InTerminal:  isTerminal(os.Stdin),
		OutTerminal: isTerminal(os.Stdout),
		ErrTerminal: isTerminal(os.Stderr),
		Color:       ColorAuto,
		Getenv:      os.Getenv,
		log:         &logger{},
		outColumns:  columnsOf(os.Stdout),
		errColumns:  columnsOf(os.Stderr),
		outFile:     os.Stdout,
	}
	s.bufferOut(os.Stdout)
	return s
}

// Test returns streams for a test that read stdin and collect what is written:
// no stream is a terminal and the environment is empty. Change the fields to
// test other cases.
func Test(stdin string) (streams *Streams, out, errOut *bytes.Buffer) {
	out, errOut = &bytes.Buffer{}, &bytes.Buffer{}
	return &Streams{
		In:     strings.NewReader(stdin),
		Out:    out,
		Err:    errOut,
		Color:  ColorAuto,
		Getenv: func(string) string { return "" },
		log:    &logger{},
	}, out, errOut
}

// Discard returns streams for a run whose output nobody reads.
func Discard() *Streams {
	streams, _, _ := Test("")
	streams.Out, streams.Err = io.Discard, io.Discard
	return streams
}

// WithErr returns streams that write messages to w instead, which is no terminal.
func (s *Streams) WithErr(w io.Writer) *Streams {
	other := *s
	other.Err, other.ErrTerminal, other.log = w, false, &logger{}
	return &other
}

// bufferOut makes Out a buffer in front of w.
func (s *Streams) bufferOut(w io.Writer) {
	s.buffer = newOutputBuffer(w, s.OutTerminal)
	s.buffer.before = s.hideStatus
	s.Out = s.buffer
}

// Flush writes what is still buffered for Out. It returns an *OutputError if
// this or any earlier write to Out failed, and nil if the reader of a pipe went
// away: it has read all it wanted.
func (s *Streams) Flush() error {
	if s.buffer == nil {
		return nil
	}
	return s.buffer.finish()
}

// Width returns the number of columns of the terminal behind Out, or 0 if Out
// is not a terminal or its size is unknown: then nothing must be cut or wrapped.
func (s *Streams) Width() int {
	if !s.OutTerminal || s.outColumns == nil {
		return 0
	}
	return s.outColumns()
}

// ErrWidth is Width for the terminal behind Err.
func (s *Streams) ErrWidth() int {
	if !s.ErrTerminal || s.errColumns == nil {
		return 0
	}
	return s.errColumns()
}

// SetWidth says that Out and Err are terminals of a number of columns, for tests.
func (s *Streams) SetWidth(columns int) {
	s.OutTerminal, s.ErrTerminal = true, true
	s.outColumns = func() int { return columns }
	s.errColumns = s.outColumns
}

func columnsOf(f *os.File) func() int {
	return func() int { width, _ := terminalSize(f); return width }
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
}

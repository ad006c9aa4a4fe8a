package cli

import (
	"bytes"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Streams are the three standard streams of one run and the properties of their
// terminals. Data goes to Out only; progress, warnings, prompts and errors go to
// Err.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer

	// InTerminal, OutTerminal and ErrTerminal are true for streams that are
	// terminals.
	InTerminal, OutTerminal, ErrTerminal bool

	// Color is the value of --color; OutColor and ErrColor combine it with the
	// terminals.
	Color ColorMode

	// NoInput is true if the user disabled questions; see CanPrompt.
	NoInput bool

	// Verbosity is the number of -v flags.
	Verbosity int

	// Complete adds flags such as --context to the commands that messages
	// suggest, so that pasting them targets the clusters of this run; nil leaves
	// them unchanged.
	Complete func(message string) string

	// Getenv reads an environment variable, empty if it is not set.
	Getenv func(name string) string

	log *logger
	// outColumns and errColumns return the widths of the terminals of Out and
	// Err.
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

// Test returns streams for a test: they read stdin and collect the output, no
// stream is a terminal and the environment is empty. Set the fields to test other
// cases.
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

// Discard returns streams that discard all output.
func Discard() *Streams {
	streams, _, _ := Test("")
	streams.Out, streams.Err = io.Discard, io.Discard
	return streams
}

// WithErr returns a copy of the streams that writes messages to w, which is not a
// terminal.
func (s *Streams) WithErr(w io.Writer) *Streams {
	other := *s
	other.Err, other.ErrTerminal, other.log = w, false, &logger{}
	return &other
}

// bufferOut buffers Out in front of w.
func (s *Streams) bufferOut(w io.Writer) {
	s.buffer = newOutputBuffer(w, s.OutTerminal)
	s.buffer.before = s.hideStatus
	s.Out = s.buffer
}

// Flush writes the buffered output of Out. It returns an *OutputError if any
// write to Out failed, and nil if the reader of a pipe has closed it.
func (s *Streams) Flush() error {
	if s.buffer == nil {
		return nil
	}
	return s.buffer.finish()
}

// Width returns the width of the terminal of Out in columns, or 0 if Out is not a
// terminal or its size is not known: output must then not be cut or wrapped.
func (s *Streams) Width() int {
	if !s.OutTerminal || s.outColumns == nil {
		return 0
	}
	return s.outColumns()
}

// ErrWidth is Width for Err.
func (s *Streams) ErrWidth() int {
	if !s.ErrTerminal || s.errColumns == nil {
		return 0
	}
	return s.errColumns()
}

// SetWidth makes Out and Err terminals with a number of columns, for tests.
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

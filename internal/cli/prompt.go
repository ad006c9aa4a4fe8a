package cli

import (
	"os"

	"golang.org/x/term"
)

// Dialogue is the terminal for questions.
type Dialogue struct {
	In, Out *os.File
	// Size returns the size of the terminal in columns and rows; 0 if it is not
	// known.
	Size func() (width, height int)
}

// CanPrompt reports whether meshctl may ask questions: standard input and output
// are terminals that can move the cursor, and neither NoInput (--no-input,
// MESHCTL_NO_INPUT) nor a CI environment forbids it (design, section 5).
func (s *Streams) CanPrompt() bool {
	return s.InTerminal && s.OutTerminal && !s.NoInput &&
		s.Getenv("CI") == "" && s.Getenv("TERM") != "dumb"
}

// Dialogue returns the terminal for questions; nil if CanPrompt is false or the
// streams are not files. Questions go to Err, so that Out carries data only; if
// Err is redirected, they go to the terminal of Out.
func (s *Streams) Dialogue() *Dialogue {
	in, isFile := s.In.(*os.File)
	if !isFile || !s.CanPrompt() {
		return nil
	}
	out, isFile := s.Err.(*os.File)
	if !isFile || !s.ErrTerminal {
		out = s.outFile
	}
	if out == nil {
		return nil
	}
	return &Dialogue{In: in, Out: out, Size: func() (int, int) { return terminalSize(out) }}
}

func terminalSize(f *os.File) (width, height int) {
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

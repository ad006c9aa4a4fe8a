package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// maxLine limits the length of a log line in characters, so that a hostile name
// cannot fill the screen.
const maxLine = 400

// Level is the severity of a message.
type Level int

// The levels of messages in ascending order of severity.
const (
	LevelInfo Level = iota
	LevelWarning
	LevelError
)

// label returns the prefix of lines of the level, and its colour.
func (l Level) label() (label, color string) {
	switch l {
	case LevelError:
		return "error:", "\x1b[31m"
	case LevelWarning:
		return "warning:", "\x1b[33m"
	default:
		return "", ""
	}
}

// logger is the state of Err. Copies of Streams share it.
type logger struct {
	mu sync.Mutex
	// progress and waiting are what the status line is to say; progress comes first.
	progress, waiting string
	// shown is the status line that will be overwritten; "" if there is none.
	shown string
	// ended says that there is no status line any more.
	ended bool
}

// status returns what the status line is to say.
func (l *logger) status() string {
	if l.ended {
		return ""
	}
	return cmp.Or(l.progress, l.waiting)
}

// Say prints one line on Err. What could control the terminal is escaped, as it
// is by all functions that print messages; several goroutines may call them.
func (s *Streams) Say(format string, args ...any) {
	s.line(LevelInfo, fmt.Sprintf(format, args...))
}

// Warn prints one line on Err with the prefix `warning:`.
func (s *Streams) Warn(format string, args ...any) {
	s.line(LevelWarning, fmt.Sprintf(format, args...))
}

// Fail prints one line on Err with the prefix `error:`. It is for partial
// failures after which the command continues.
func (s *Streams) Fail(format string, args ...any) {
	s.line(LevelError, fmt.Sprintf(format, args...))
}

// Debug is Say for users who passed -v.
func (s *Streams) Debug(format string, args ...any) {
	if s.Verbosity > 0 {
		s.Say(format, args...)
	}
}

// Error prints an error, each part of a joined error separately, without those
// that were already reported. Continuation lines are indented, so that none looks
// like a message of its own.
func (s *Streams) Error(err error) {
	for _, part := range Unreported(err) {
		lines := strings.Split(text.PrintableLines(part.Error()), "\n")
		for i := range lines[1:] {
			if line := &lines[i+1]; !strings.HasPrefix(*line, "  ") {
				*line = "  " + *line
			}
		}
		s.write(s.labelled(LevelError, "error: "+strings.Join(lines, "\n")) + "\n")
	}
}

// Paragraph prints prose, wrapped to the width of the terminal.
func (s *Streams) Paragraph(level Level, format string, args ...any) {
	label, _ := level.label()
	// Commands are completed first: they could be wrapped.
	whole := s.Completed(label + " " + text.Printable(fmt.Sprintf(format, args...)))
	s.put(s.labelled(level, text.Wrap(whole, s.ErrWidth(), "  ")) + "\n")
}

// Block prints text of several lines without wrapping it.
func (s *Streams) Block(format string, args ...any) {
	s.write(strings.TrimSuffix(text.PrintableLines(fmt.Sprintf(format, args...)), "\n") + "\n")
}

func (s *Streams) line(level Level, message string) {
	if label, _ := level.label(); label != "" {
		message = label + " " + message
	}
	s.write(s.labelled(level, oneLine(message)) + "\n")
}

// oneLine escapes a message and limits its length.
func oneLine(message string) string {
	if runes := []rune(message); len(runes) > maxLine {
		message = string(runes[:maxLine]) + "..."
	}
	return text.Printable(message)
}

// labelled adds the coloured prefix of the level to a message.
func (s *Streams) labelled(level Level, message string) string {
	label, color := level.label()
	if rest, found := strings.CutPrefix(message, label); found && label != "" && s.ErrColor() {
		return color + label + "\x1b[0m" + rest
	}
	return message
}

// write completes and writes escaped text to Err.
func (s *Streams) write(printable string) { s.put(s.Completed(printable)) }

// put writes escaped text to Err, above the status line.
func (s *Streams) put(printable string) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.showStatus("")
	_, _ = io.WriteString(s.Err, printable)
	s.showStatus(s.log.status())
}

// Completed completes the commands that a text suggests, as messages do. It is
// for data that contains such suggestions.
func (s *Streams) Completed(text string) string {
	if s.Complete == nil {
		return text
	}
	return s.Complete(text)
}

// setProgress shows a line below all messages until another one replaces it; ""
// removes it. It does nothing unless Err is a terminal on which a line can be
// overwritten.
func (s *Streams) setProgress(message string) { s.setStatus(&s.log.progress, message) }

// setWaiting is setProgress for a line that gives way to others.
func (s *Streams) setWaiting(message string) { s.setStatus(&s.log.waiting, message) }

func (s *Streams) setStatus(status *string, message string) {
	if !s.ErrTerminal || s.Getenv("TERM") == "dumb" {
		return
	}
	message = text.Printable(message)
	if width := s.ErrWidth(); width > 1 {
		message = text.Cut(message, width-1)
	}
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	*status = message
	s.showStatus(s.log.status())
}

// EndStatus takes the status line away for good: the command has ended, although
// something that it waited for has not.
func (s *Streams) EndStatus() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.ended = true
	s.showStatus("")
}

// hideStatus takes the status line away, because something else is about to be
// written where it is, until there is a new one.
func (s *Streams) hideStatus() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.showStatus("")
}

func (s *Streams) showStatus(status string) {
	if s.log.shown == status {
		return
	}
	erase := ""
	if s.log.shown != "" {
		erase = "\r\x1b[K"
	}
	_, _ = io.WriteString(s.Err, erase+status)
	s.log.shown = status
}

package wizard

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/AlecAivazis/survey/v2/terminal"
)

const (
	// tick is how long to wait for the rest of a key.
	tick = 50 * time.Millisecond
	// answerTicks is how many of them a terminal has to say where its cursor is.
	answerTicks = 40

	askCursor = "\x1b[6n"
	askCorner = "\x1b[999;999f"
	pasteOn   = "\x1b[?2004h"
	pasteOff  = "\x1b[?2004l"
)

// console stands between the prompts and the terminal. It hands over one whole
// key per read, which keeps what is typed ahead for the next question, and it
// answers for a terminal that does not say where its cursor is.
type console struct {
	in, out *os.File
	// size measures the terminal; both are at least 1.
	size func() (width, height int)
	// colors is what to remove from the output, nil to keep it.
	colors *regexp.Regexp
	// done ends the input when it is closed; nil is never.
	done <-chan struct{}

	keys keys
	// held are keys that were read and not handed over.
	held [][]byte
	// err ended the input; it is returned once everything before it was read.
	err error

	// asked says that the prompt waits for the place of the cursor, corner that it
	// went to the lower right corner before, to learn the size.
	asked, corner bool
	// listening says that the answer of the terminal is awaited; later it is a
	// key that only looks like one.
	listening bool
	// mute says that the terminal was asked once and did not answer.
	mute bool
	// line is what was written since the last line break.
	line string
}

// Fd implements terminal.FileReader for prompts that set the terminal's mode.
func (c *console) Fd() uintptr { return c.in.Fd() }

// Read hands over one key. A prompt that waits for the cursor's place gets that
// first, whatever is typed meanwhile.
func (c *console) Read(p []byte) (int, error) {
	key, err := c.next()
	if err != nil {
		return 0, err
	}
	n := copy(p, key)
	if n < len(key) {
		c.held = append([][]byte{key[n:]}, c.held...)
	}
	return n, nil
}

func (c *console) next() ([]byte, error) {
	if c.asked {
		c.asked = false
		return c.cursor(), nil
	}
	for len(c.held) == 0 {
		if c.err != nil {
			return nil, c.err
		}
		c.fill()
	}
	key := c.held[0]
	c.held = c.held[1:]
	if len(key) == 1 && key[0] == keyEnd {
		return nil, io.EOF
	}
	return key, nil
}

// cursor returns where the terminal's cursor is, in the form that terminals
// answer in. It always returns something: a prompt without an answer would wait
// for ever, or break.
func (c *console) cursor() []byte {
	width, height := c.size()
	if c.corner {
		c.corner = false
		return position(height, width)
	}
	c.listening = true
	defer func() { c.listening = false }()
	for wait := answerTicks; !c.mute && c.err == nil; wait-- {
		for i, key := range c.held {
			switch {
			case isCursorPosition(key):
				c.held = append(c.held[:i:i], c.held[i+1:]...)
				return key
			case key[0] == keyInterrupt:
				return c.guess()
			}
		}
		c.mute = wait == 0
		c.fill()
	}
	return c.guess()
}

// guess is the place of the cursor as far as the output tells.
func (c *console) guess() []byte {
	width, height := c.size()
	return position(height, terminal.StringWidth(c.line)%width+1)
}

func position(row, column int) []byte {
	return fmt.Appendf(nil, "\x1b[%d;%dR", row, column)
}

// fill waits a tick for input and holds the keys in it.
func (c *console) fill() {
	select {
	case <-c.done:
		c.err = io.EOF
		return
	default:
	}
	ready, err := waitReadable(c.in, tick)
	switch {
	case err != nil:
		c.err = err
	case ready:
		c.read()
	default:
		c.hold(c.keys.pause()...)
	}
}

func (c *console) read() {
	buffer := make([]byte, 1024)
	n, err := c.in.Read(buffer)
	for _, b := range buffer[:n] {
		c.hold(c.keys.feed(b)...)
	}
	switch {
	case errors.Is(err, syscall.EIO):
		c.err = io.EOF // the terminal is gone
	case err != nil:
		c.err = err
	}
}

func (c *console) hold(keys ...[]byte) {
	for _, key := range keys {
		if c.listening || !isCursorPosition(key) {
			c.held = append(c.held, key)
		}
	}
}

// screen is the console as prompts write to it.
type screen struct{ *console }

// Fd implements terminal.FileWriter.
func (s screen) Fd() uintptr { return s.out.Fd() }

// Write implements io.Writer. Prompts ask for the cursor's place in a write of
// its own.
func (s screen) Write(p []byte) (int, error) {
	text := string(p)
	switch text {
	case askCorner:
		s.corner = true
	case askCursor:
		s.asked = true
		if s.corner || s.mute {
			return len(p), nil // answered without the terminal
		}
	default:
		s.line += text
		if i := strings.LastIndexAny(s.line, "\r\n"); i >= 0 {
			s.line = s.line[i+1:]
		}
	}
	if s.colors != nil {
		text = s.colors.ReplaceAllString(text, "")
	}
	if _, err := io.WriteString(s.out, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

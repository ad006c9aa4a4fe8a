package wizard

import (
	"bytes"
	"unicode/utf8"
)

// What terminals send for keys that are handled here.
const (
	keyInterrupt  = 0x03
	keyEnd        = 0x04
	keyBell       = 0x07
	keyEscape     = 0x1b
	keyUp         = "\x1b[A"
	keyHome       = "\x1b[H"
	keyLineEnd    = "\x1b[F"
	pasteStart    = "\x1b[200~"
	pasteEnd      = "\x1b[201~"
	maxSequence   = 64
	x10MouseBytes = 3
)

// keys splits what a terminal sends into keys and drops the sequences that the
// prompts do not know: they would abort on one, and people press F5 or Alt with
// an arrow without thinking. Every key comes out whole, so that nobody who
// reads one at a time can tear a sequence or a character apart.
type keys struct {
	state keyState
	// pending are the bytes of a sequence or character that is not complete.
	pending []byte
	// skip is how many bytes of a mouse report are still to come.
	skip int
	// escapes are the escapes in a row that may start a sequence, or be keys.
	escapes int
	// pasting is true between the marks that terminals put around pasted text.
	pasting bool
}

type keyState int

const (
	stateGround keyState = iota
	stateCharacter
	stateEscape
	stateControl
	stateKeypad
	stateText
	stateTextEscape
	stateConsoleKey
	stateMouse
)

// feed takes one byte and returns the keys that it completes.
func (k *keys) feed(b byte) [][]byte {
	escapes := k.escapes
	key := k.next(b)
	if key == nil {
		return nil
	}
	k.escapes = 0
	if isCursorPosition(key) {
		// The terminal answers with a single escape: those before are keys.
		return append(presses(escapes-1), key)
	}
	return [][]byte{key}
}

// presses returns the key Esc so many times.
func presses(n int) [][]byte {
	var list [][]byte
	for range n {
		list = append(list, []byte{keyEscape})
	}
	return list
}

// next returns the key that a byte completes, nil if it completes none.
func (k *keys) next(b byte) []byte {
	if b == keyInterrupt {
		// Whatever it is in the middle of, the user wants out.
		k.reset()
		return []byte{b}
	}
	switch k.state {
	case stateGround:
		return k.ground(b)
	case stateCharacter:
		return k.character(b)
	case stateEscape:
		k.escape(b)
	case stateControl:
		return k.control(b)
	case stateKeypad:
		return k.keypad(b)
	case stateText:
		switch b {
		case keyBell:
			k.reset()
		case keyEscape:
			k.state = stateTextEscape
		}
	case stateTextEscape:
		k.reset()
		if b != '\\' {
			k.state, k.escapes = stateEscape, 1
			k.escape(b)
		}
	case stateConsoleKey:
		k.reset()
	case stateMouse:
		if k.skip--; k.skip <= 0 {
			k.reset()
		}
	}
	return nil
}

// pause is told that nothing followed for a while: an incomplete sequence will
// not be completed. An escape that stands alone is the key Esc.
func (k *keys) pause() [][]byte {
	alone, escapes := k.state == stateEscape, k.escapes
	k.reset()
	k.escapes = 0
	if alone && !k.pasting {
		return presses(escapes)
	}
	return nil
}

func (k *keys) reset() {
	k.state, k.pending, k.skip = stateGround, nil, 0
}

func (k *keys) ground(b byte) []byte {
	switch {
	case b == keyEscape:
		k.state, k.escapes = stateEscape, 1
		return nil
	case b >= utf8.RuneSelf:
		k.state, k.pending = stateCharacter, append(k.pending, b)
		if utf8.FullRune(k.pending) {
			k.reset() // no character starts like this
		}
		return nil
	case k.pasting && (b == '\r' || b == '\n' || b == '\t'):
		// A pasted line break must not answer the question.
		return []byte{' '}
	case k.pasting && b < ' ':
		return nil
	default:
		return []byte{b}
	}
}

func (k *keys) character(b byte) []byte {
	if utf8.RuneStart(b) {
		k.reset()
		return k.ground(b)
	}
	k.pending = append(k.pending, b)
	if !utf8.FullRune(k.pending) {
		return nil
	}
	key := k.pending
	k.reset()
	if !utf8.Valid(key) {
		return nil
	}
	return key
}

func (k *keys) escape(b byte) {
	switch b {
	case '[':
		k.state, k.pending = stateControl, []byte("\x1b[")
	case 'O':
		k.state = stateKeypad
	case ']', 'P', 'X', '^', '_':
		k.state = stateText
	case keyEscape:
		// Some terminals send Alt as one more escape.
		k.escapes++
	default:
		k.reset()
	}
}

func (k *keys) control(b byte) []byte {
	first := len(k.pending) == len("\x1b[")
	switch {
	case b == keyEscape:
		k.reset()
		k.state, k.escapes = stateEscape, 1
	case first && b == '[':
		k.state = stateConsoleKey
	case first && b == 'M':
		k.state, k.skip = stateMouse, x10MouseBytes
	case b >= '@' && b <= '~':
		sequence := string(append(k.pending, b))
		k.reset()
		return k.known(sequence)
	case len(k.pending) < maxSequence:
		k.pending = append(k.pending, b)
	}
	return nil
}

func (k *keys) keypad(b byte) []byte {
	if b >= '0' && b <= '?' {
		return nil
	}
	k.reset()
	if b == 'M' {
		return []byte{'\r'}
	}
	return k.known("\x1b[" + string(rune(b)))
}

// known returns what the prompts understand for a complete sequence, nil for
// those that they do not.
func (k *keys) known(sequence string) []byte {
	switch sequence {
	case keyUp, "\x1b[B", "\x1b[C", "\x1b[D", keyHome, keyLineEnd, "\x1b[3~":
	case "\x1b[1~", "\x1b[7~":
		sequence = keyHome
	case "\x1b[4~", "\x1b[8~":
		sequence = keyLineEnd
	case "\x1b[Z":
		sequence = keyUp
	case pasteStart, pasteEnd:
		k.pasting = sequence == pasteStart
		return nil
	default:
		if !isCursorPosition([]byte(sequence)) {
			return nil
		}
	}
	if k.pasting {
		return nil
	}
	return []byte(sequence)
}

// isCursorPosition says whether the key is a terminal's answer to the question
// where its cursor is. Shift+F3 looks the same, so only who asked may believe
// it.
func isCursorPosition(key []byte) bool {
	inner, opened := bytes.CutPrefix(key, []byte("\x1b["))
	inner, closed := bytes.CutSuffix(inner, []byte("R"))
	row, column, two := bytes.Cut(inner, []byte(";"))
	return opened && closed && two && isNumber(row) && isNumber(column)
}

func isNumber(text []byte) bool {
	for _, b := range text {
		if b < '0' || b > '9' {
			return false
		}
	}
	return len(text) > 0 && len(text) < 6
}

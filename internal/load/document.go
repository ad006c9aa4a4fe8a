package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/meshctl/meshctl/internal/world"
)

// form is the notation of a piece of text.
type form int

const (
	formYAML form = iota
	// formJSON is text that looks like JSON; it may still turn out to be a YAML flow mapping.
	formJSON
)

// role is the part of a document that a piece contains.
type role int

const (
	// roleWhole is a complete document.
	roleWhole role = iota
	// roleItem is one item of a List; a YAML item is a sequence of one element.
	roleItem
	// roleRest is a List without its items. It comes after the items and ends the document.
	roleRest
)

// piece is a part of a file that can be decoded on its own.
type piece struct {
	origin world.Origin
	form   form
	role   role
	text   []byte
	// line is the line of the file where text starts.
	line int
	// list is the type of the List, if the text before the first item tells it; only for
	// roleItem.
	list listType
	// whole is the complete document, in case the split was wrong; nil if it is
	// larger than maxWhole. Only for roleRest.
	whole []byte
	// itemLines are the lines where the items of a List start, if known; only for a roleWhole
	// that had been split before.
	itemLines []int
}

// errUTF16 reports a file in an unsupported encoding.
var errUTF16 = errors.New("the file is UTF-16 text; save it as UTF-8")

// readBufferSize limits how much of a file is read at once; a longer line arrives in several
// fragments.
const readBufferSize = 128 << 10

// maxWhole limits how much of a List is kept besides its items, and how much is parsed at once
// if a document cannot be split: a syntax tree takes many times the memory of its text.
const maxWhole = 1 << 20

// splitDocuments reads a file of YAML or JSON documents and passes its pieces to emit, in the
// order of the file. Lists are split into their items so that a large List need not be held in
// memory. Empty documents are counted but not emitted.
//
// The split looks only at lines and brackets. It is exact for the output of programs. It can
// be wrong for an item that refers to an anchor in another item, or a quoted scalar that
// continues at the left margin. Such pieces do not parse, and roleRest then carries the whole
// document to parse instead.
//
// It returns errors of reading, of emit, and of ctx.
func splitDocuments(ctx context.Context, file string, r io.Reader, emit func(piece) error) error {
	s := &splitter{file: file, emit: emit, line: 1}
	in := bufio.NewReaderSize(r, readBufferSize)
	if err := s.skipByteOrderMark(in); err != nil {
		return err
	}
	startsLine := true
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		fragment, err := in.ReadSlice('\n')
		if len(fragment) > 0 {
			if err := s.fragment(fragment, startsLine); err != nil {
				return err
			}
			startsLine = fragment[len(fragment)-1] == '\n'
			if startsLine {
				s.line++
			}
		}
		switch {
		case err == io.EOF:
			return s.endDocument()
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			// Keep what was read so far: a pipe may end with an error.
			return errors.Join(s.endDocument(), err)
		}
	}
}

// mode is the state of the splitter.
type mode int

const (
	// modeBlank: only comments and blank lines so far.
	modeBlank mode = iota
	// modeYAML: in a document that is not split, so far.
	modeYAML
	// modeBeforeItems: after a top-level "items:", before its first item.
	modeBeforeItems
	// modeItems: in the block sequence below "items:".
	modeItems
	// modeJSON: inside a value in braces or brackets.
	modeJSON
	// modeAfterJSON: after a complete value; another one may follow.
	modeAfterJSON
)

// splitter holds the state between fragments of a file.
type splitter struct {
	file string
	emit func(piece) error
	// line is the line of the current fragment.
	line int
	// skipLine is true if the rest of the line is a comment.
	skipLine bool

	mode mode
	// document counts the documents so far. opened is true if the current one has been counted,
	// because of its marker or its content.
	document int
	opened   bool
	// unsplittable is true if the document must be kept in one piece. tagged is true if the
	// reason is a %TAG directive, which also requires the document marker.
	unsplittable, tagged bool

	// text is the document so far, without the items already emitted.
	text []byte
	// origin is where the document starts, textLine the line where text starts.
	origin   world.Origin
	textLine int

	// split is true if items of this document were emitted on their own. header is the List's
	// type as stated before them, whole the complete document.
	split  bool
	header listType
	whole  []byte
	// item is the text of the current item, itemLine its line, count its number.
	item     []byte
	itemLine int
	count    int
	// indent is the column of the dashes of a YAML List. held are the lines between "items:" and
	// the first dash.
	indent int
	held   []byte

	json jsonState
}

func (s *splitter) skipByteOrderMark(in *bufio.Reader) error {
	start, _ := in.Peek(3)
	if bytes.HasPrefix(start, []byte{0xff, 0xfe}) || bytes.HasPrefix(start, []byte{0xfe, 0xff}) {
		return errUTF16
	}
	if bytes.Equal(start, []byte{0xef, 0xbb, 0xbf}) {
		if _, err := in.Discard(3); err != nil {
			return err
		}
	}
	return nil
}

// fragment processes the next part of the file, at most one line.
func (s *splitter) fragment(text []byte, startsLine bool) error {
	if startsLine {
		s.skipLine = false
		switch {
		case isMarker(text, "---"):
			return s.startMarker(text)
		case isMarker(text, "..."):
			// Text up to the next marker is a separate document.
			s.skipLine = true
			return s.endDocument()
		}
	}
	switch {
	case s.skipLine:
		return nil
	case s.mode == modeBlank:
		return s.blankLine(text)
	case s.mode == modeJSON || s.mode == modeAfterJSON:
		return s.jsonFragment(text)
	case startsLine:
		return s.yamlLine(text)
	default:
		s.appendYAML(text)
		return nil
	}
}

// isMarker reports whether a line is a document marker, optionally followed by a comment or
// content.
func isMarker(line []byte, marker string) bool {
	if !bytes.HasPrefix(line, []byte(marker)) {
		return false
	}
	return len(line) == len(marker) || isJSONSpace(line[len(marker)])
}

func (s *splitter) startMarker(line []byte) error {
	if s.opened {
		if err := s.endDocument(); err != nil {
			return err
		}
	}
	s.document++
	s.opened = true
	if s.tagged {
		directives := bytes.Count(s.text, []byte{'\n'})
		s.startYAML()
		s.textLine -= directives
		s.text = append(s.text, line...)
		return nil
	}
	// Content may follow the marker on the same line.
	return s.blankLine(append([]byte("   "), line[len("---"):]...))
}

// blankLine processes a line while the document has no content yet.
func (s *splitter) blankLine(line []byte) error {
	content := bytes.TrimLeft(line, " \t\r\n")
	if len(content) == 0 {
		return nil
	}
	directive := content[0] == '%' && !s.opened && len(content) == len(line)
	switch {
	case directive && bytes.HasPrefix(content, []byte("%TAG")):
		s.tagged, s.unsplittable = true, true
		s.text = append(s.text, line...)
		return nil
	case directive || content[0] == '#':
		s.skipLine = true
		return nil
	}
	if !s.opened {
		s.document++
		s.opened = true
	}
	if content[0] == '{' || content[0] == '[' {
		return s.jsonFragment(line)
	}
	s.startYAML()
	return s.yamlLine(line)
}

func (s *splitter) startYAML() {
	s.mode = modeYAML
	s.origin = world.Origin{File: s.file, Document: s.document, Line: s.line}
	s.textLine = s.line
}

// endDocument emits the rest of the document and resets the state for the next one.
func (s *splitter) endDocument() error {
	err := s.flushDocument()
	*s = splitter{
		file: s.file, emit: s.emit, line: s.line, skipLine: s.skipLine, document: s.document,
	}
	return err
}

func (s *splitter) flushDocument() error {
	switch s.mode {
	case modeBlank, modeAfterJSON:
		return nil
	case modeYAML:
	case modeJSON:
		// The brackets are unbalanced. Decoding reports the error, or finds that the text is YAML.
		s.text = append(s.text, s.item...)
		return s.flushText(formJSON)
	case modeBeforeItems:
		s.releaseHeld()
	case modeItems:
		if err := s.flushItem(formYAML); err != nil {
			return err
		}
	}
	return s.flushText(formYAML)
}

// flushText emits the document without its items.
func (s *splitter) flushText(notation form) error {
	p := piece{origin: s.origin, form: notation, text: s.text, line: s.textLine}
	if s.split {
		p.role = roleRest
		if len(s.whole) <= maxWhole {
			p.whole = s.whole
		}
	}
	s.text, s.whole = nil, nil
	return s.emit(p)
}

func (s *splitter) flushItem(notation form) error {
	p := piece{
		origin: world.Origin{File: s.file, Document: s.document, Item: s.count, Line: s.itemLine},
		form:   notation, role: roleItem, text: s.item, line: s.itemLine, list: s.header,
	}
	s.item = nil
	return s.emit(p)
}

// keepWhole adds text to the copy of a document that is being split.
func (s *splitter) keepWhole(text ...byte) {
	if s.split && len(s.whole) <= maxWhole {
		s.whole = append(s.whole, text...)
	}
}

package load

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/meshctl/meshctl/internal/world"
)

// form is the notation that a piece of text is written in.
type form int

const (
	formYAML form = iota
	// formJSON is text that looks like JSON; it may still turn out to be a YAML
	// flow mapping.
	formJSON
)

// role is the part that a piece plays in its document.
type role int

const (
	// roleWhole is a complete document.
	roleWhole role = iota
	// roleItem is one item of a List; a YAML item is a sequence of one element.
	roleItem
	// roleRest is a List without its items. It follows the items and ends the
	// document.
	roleRest
)

// piece is a part of a file that decodes on its own.
type piece struct {
	origin world.Origin
	form   form
	role   role
	text   []byte
	// line is where text starts in the file.
	line int
	// list is what the List says about its items, as far as it was known before
	// the first of them; only for roleItem.
	list listType
	// whole is the complete document, in case the split was wrong; nil if it is
	// larger than maxWhole. Only for roleRest.
	whole []byte
	// itemLines are where the items of a List start, as far as is known; only for
	// a roleWhole that was split before.
	itemLines []int
}

// errUTF16 reports a file in an encoding that manifests do not come in.
var errUTF16 = errors.New("the file is UTF-16 text; save it as UTF-8")

// readBufferSize bounds how much of a file is read at once; a longer line
// arrives in several fragments.
const readBufferSize = 128 << 10

// maxWhole bounds what is kept of a List besides its items, and what is parsed
// in one go because it could not be split: the syntax tree of a text takes many
// times the memory of the text.
const maxWhole = 1 << 20

// splitDocuments reads a file of YAML or JSON documents and passes on its
// pieces in the order of the file, with Lists split into their items so that
// none of them has to be in memory as a whole. Documents without content are
// left out but counted.
//
// The split goes by lines and brackets alone. It is exact for what programs
// write; where it may cut wrongly (an item that refers to an anchor of another
// one, a quoted scalar that continues at the margin), the pieces do not parse,
// and the section of the rest tells what to read instead.
//
// It returns the errors of reading, of emit, and of ctx.
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
			// What was read so far is not lost: a pipe may end with an error.
			return errors.Join(s.endDocument(), err)
		}
	}
}

// mode is what the splitter is in the middle of.
type mode int

const (
	// modeBlank: nothing but comments and blank lines so far.
	modeBlank mode = iota
	// modeYAML: a document that is kept whole, so far.
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

// splitter holds the state between two fragments of a file.
type splitter struct {
	file string
	emit func(piece) error
	// line is that of the current fragment.
	line int
	// skipLine: the rest of the line is a comment.
	skipLine bool

	mode mode
	// document counts the documents so far; opened says whether the current one
	// is counted already, by its marker or by its content.
	document int
	opened   bool
	// unsplittable: the document has to be kept in one piece; tagged: because
	// of a %TAG directive, which also needs the marker.
	unsplittable, tagged bool

	// text is the document so far, without the items that were passed on.
	text []byte
	// origin is that of the document, textLine where text starts.
	origin   world.Origin
	textLine int

	// split says that items of this document are pieces of their own; header is
	// what the List said before them, whole the document with them.
	split  bool
	header listType
	whole  []byte
	// item is the text of the current item, count its number.
	item     []byte
	itemLine int
	count    int
	// indent is the column of the dashes of a YAML List, held the lines between
	// "items:" and the first dash.
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

// fragment takes the next part of the file, at most one line.
func (s *splitter) fragment(text []byte, startsLine bool) error {
	if startsLine {
		s.skipLine = false
		switch {
		case isMarker(text, "---"):
			return s.startMarker(text)
		case isMarker(text, "..."):
			// What follows up to the next marker is a document of its own.
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

// isMarker reports whether a line consists of a document marker, perhaps
// followed by a comment or by content.
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
	// Content may follow on the same line.
	return s.blankLine(append([]byte("   "), line[len("---"):]...))
}

// blankLine takes a line while the document has no content.
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

// endDocument passes on what is left of the document and gets ready for the
// next one.
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
		// The brackets do not add up. The error, or that it is YAML after all,
		// shows when it is decoded.
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

// flushText passes on what there is of the document apart from its items.
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

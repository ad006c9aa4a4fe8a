package load

import (
	"github.com/meshctl/meshctl/internal/world"
)

// jsonState is the splitter's state inside a value in braces or brackets.
type jsonState struct {
	// depth counts the open braces and brackets. object is true if the outermost one is a brace.
	depth  int
	object bool
	// inString is true inside quotes, escaped after a backslash there.
	inString, escaped bool
	// key is the start of the string read last. keyed is true if a colon followed it.
	key   []byte
	keyed bool
	// inItems is true between the brackets of the top-level "items", started once an element of
	// it has begun.
	inItems, started bool
}

// maxKey is how much of a key must be kept to recognise "items".
const maxKey = len("items") + 1

// jsonFragment processes the next part of a document that starts with a brace or bracket.
func (s *splitter) jsonFragment(text []byte) error {
	for i, c := range text {
		if s.mode != modeJSON {
			switch {
			case isJSONSpace(c):
				continue
			case c == '#':
				s.skipLine = true
				return nil
			}
			s.startJSON()
		}
		if !s.json.inString && !isJSONByte(c) {
			s.becomeYAML(text[i:])
			return nil
		}
		if err := s.jsonByte(c); err != nil {
			return err
		}
	}
	return nil
}

// startJSON begins a value. The first value of a document has been counted already.
func (s *splitter) startJSON() {
	if s.mode == modeAfterJSON {
		s.document++
	}
	s.mode = modeJSON
	s.json = jsonState{}
	s.split, s.header, s.count = false, listType{}, 0
	s.origin = world.Origin{File: s.file, Document: s.document, Line: s.line}
	s.textLine = s.line
}

// jsonByte processes one byte of a value.
func (s *splitter) jsonByte(c byte) error {
	if s.split {
		s.keepWhole(c)
	}
	st := &s.json
	if st.inString {
		st.stringByte(c)
		s.appendJSON(c)
		return nil
	}
	if st.inItems && st.depth == 2 {
		switch {
		case c == ',' || c == ']':
			return s.endJSONItem(c)
		case !st.started && isJSONSpace(c):
			return nil
		case !st.started:
			st.started = true
			s.count++
			s.itemLine = s.line
		}
	}
	s.appendJSON(c)
	switch c {
	case '"':
		st.inString, st.key = true, st.key[:0]
	case ':':
		st.keyed = true
	case ',':
		st.keyed = false
	case '{', '[':
		st.depth++
		st.object = st.object || st.depth == 1 && c == '{'
		if c == '[' && st.depth == 2 && s.atJSONItems() {
			s.split, st.inItems = true, true
			s.keepWhole(s.text...)
			s.header = listTypeOf(append(s.text[:len(s.text):len(s.text)], "]}"...), formJSON)
		}
	case '}', ']':
		st.depth--
		if st.depth <= 0 {
			s.mode = modeAfterJSON
			return s.flushText(formJSON)
		}
	}
	return nil
}

// atJSONItems reports whether the bracket just read opens the items of a List.
func (s *splitter) atJSONItems() bool {
	return s.json.object && s.json.keyed && string(s.json.key) == "items" && !s.split && !s.unsplittable
}

// endJSONItem processes the comma or closing bracket after an item.
func (s *splitter) endJSONItem(c byte) error {
	st := &s.json
	started := st.started
	st.started = false
	if c == ']' {
		st.inItems = false
		st.depth--
		s.appendJSON(c)
	}
	if !started {
		return nil
	}
	return s.flushItem(formJSON)
}

// becomeYAML treats the document as YAML, because its end cannot be found by brackets:
// everything up to the next marker belongs to it.
func (s *splitter) becomeYAML(text []byte) {
	s.mode = modeYAML
	s.unsplittable = true
	s.text = append(s.text, s.item...)
	s.text = append(s.text, text...)
	s.item = nil
	s.keepWhole(text...)
}

// appendJSON adds a byte to the current item, or to the text around the items.
func (s *splitter) appendJSON(c byte) {
	if s.json.inItems && s.json.started {
		s.item = append(s.item, c)
		return
	}
	s.text = append(s.text, c)
}

func (st *jsonState) stringByte(c byte) {
	switch {
	case st.escaped:
		st.escaped = false
	case c == '\\':
		st.escaped = true
	case c == '"':
		st.inString = false
		return
	}
	if len(st.key) < maxKey {
		st.key = append(st.key, c)
	}
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// isJSONByte reports whether a byte may occur in JSON outside strings.
func isJSONByte(c byte) bool {
	switch c {
	case '{', '}', '[', ']', ',', ':', '"', '+', '-', '.':
		return true
	case 't', 'r', 'u', 'e', 'f', 'a', 'l', 's', 'n', 'E':
		return true
	}
	return isJSONSpace(c) || c >= '0' && c <= '9'
}

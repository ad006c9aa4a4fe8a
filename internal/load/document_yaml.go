package load

import "bytes"

// noItems replaces the items that were cut out of a List.
const noItems = "items: []\n"

// yamlLine processes one line, or the first fragment of one, of a YAML document that has
// content.
func (s *splitter) yamlLine(line []byte) error {
	content := bytes.TrimLeft(line, " ")
	indent := len(line) - len(content)
	blank := len(bytes.TrimSpace(content)) == 0 || content[0] == '#'
	switch s.mode {
	case modeBeforeItems:
		switch {
		case blank:
			s.held = append(s.held, line...)
			return nil
		case isDash(content):
			s.startItems(indent)
		default:
			s.releaseHeld()
			return s.yamlLine(line)
		}
	case modeItems:
		switch {
		case blank || indent > s.indent:
			s.appendYAML(line)
			return nil
		case indent == s.indent && isDash(content):
			if err := s.flushItem(formYAML); err != nil {
				return err
			}
		default:
			s.mode = modeYAML
			if err := s.flushItem(formYAML); err != nil {
				return err
			}
			return s.yamlLine(line)
		}
	default:
		if !s.unsplittable && !s.split && isItemsKey(line) {
			s.mode = modeBeforeItems
			s.held = append(s.held, line...)
			return nil
		}
		s.appendYAML(line)
		return nil
	}
	s.count++
	s.itemLine = s.line
	s.appendYAML(line)
	return nil
}

func (s *splitter) startItems(indent int) {
	s.mode = modeItems
	s.split = true
	s.indent = indent
	s.keepWhole(s.text...)
	s.keepWhole(s.held...)
	s.held = nil
	s.text = append(s.text, noItems...)
	s.header = listTypeOf(s.text, formYAML)
}

// releaseHeld stops waiting for items after an "items:" that is not followed by a block
// sequence.
func (s *splitter) releaseHeld() {
	s.mode = modeYAML
	s.text = append(s.text, s.held...)
	s.held = nil
}

// appendYAML adds text to the part of the document that is being read.
func (s *splitter) appendYAML(text []byte) {
	s.keepWhole(text...)
	switch s.mode {
	case modeItems:
		s.item = append(s.item, text...)
	case modeBeforeItems:
		s.held = append(s.held, text...)
	default:
		s.text = append(s.text, text...)
	}
}

// isDash reports whether a line, without its indentation, starts an element of a block
// sequence.
func isDash(content []byte) bool {
	return content[0] == '-' && (len(content) == 1 || isJSONSpace(content[1]))
}

// isItemsKey reports whether a line is the top-level key "items" of a block sequence, without
// an anchor, a tag or a value.
func isItemsKey(line []byte) bool {
	value, found := bytes.CutPrefix(line, []byte("items:"))
	if !found {
		return false
	}
	trimmed := bytes.TrimSpace(value)
	return len(trimmed) == 0 || (trimmed[0] == '#' && (value[0] == ' ' || value[0] == '\t'))
}

package render

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// term is one of the comma-separated parts of a flag's value: KEY, KEY=VALUE,
// KEY:ARGUMENT, KEY:ARGUMENT=VALUE or KEY:ARGUMENT~REGEX.
type term struct {
	key, argument, value piece
	hasArgument          bool
	// operator is '=' or '~', 0 without a value.
	operator byte
}

// text is the term's value as a plain string.
func (t term) text() string { return t.value.text }

// splitTerms splits a value at its commas. Argument and value may stand in
// double quotes, with the escapes of Go.
func splitTerms(p piece) ([]term, error) {
	var terms []term
	s := scanner{piece: p}
	for {
		t, err := s.term()
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
		if s.i == len(p.text) {
			return terms, nil
		}
		s.i++ // the comma
	}
}

// scanner reads terms one after the other.
type scanner struct {
	piece piece
	i     int
}

func (s *scanner) term() (term, error) {
	s.skipBlanks()
	t := term{key: s.until(":=~,").trim()}
	if t.key.text == "" {
		if s.i == len(s.piece.text) && len(s.piece.text) > 0 && strings.Trim(s.piece.text, blanks) != "" {
			return t, s.piece.errorAt(s.i, "a term is missing after the comma")
		}
		return t, s.piece.errorAt(s.i, "a term is missing; write KEY=VALUE")
	}
	if quote := strings.IndexByte(t.key.text, '"'); quote >= 0 {
		return t, t.key.errorAt(quote, "a key takes no quotes; only what follows it does")
	}
	var err error
	if s.at(":") {
		s.i++
		t.hasArgument = true
		if t.argument, err = s.word("=~,"); err != nil {
			return t, err
		}
	}
	if s.at("=~") {
		t.operator = s.piece.text[s.i]
		s.i++
		if t.value, err = s.word(","); err != nil {
			return t, err
		}
	} else {
		t.value = s.piece.slice(s.i, s.i)
	}
	return t, nil
}

func (s *scanner) skipBlanks() {
	for s.at(blanks) {
		s.i++
	}
}

// at reports whether the next byte is one of these.
func (s *scanner) at(bytes string) bool {
	return s.i < len(s.piece.text) && strings.IndexByte(bytes, s.piece.text[s.i]) >= 0
}

// until reads up to one of the bytes, or to the end.
func (s *scanner) until(bytes string) piece {
	start := s.i
	for s.i < len(s.piece.text) && !s.at(bytes) {
		s.i++
	}
	return s.piece.slice(start, s.i)
}

// word reads a text in quotes, or up to one of the bytes and without the blanks
// around it.
func (s *scanner) word(end string) (piece, error) {
	s.skipBlanks()
	if !s.at(`"`) {
		word := s.until(end).trim()
		if quote := strings.IndexByte(word.text, '"'); quote >= 0 {
			return word, word.errorAt(quote, `a quote within a value; put all of the value in quotes and write \" for this one`)
		}
		return word, nil
	}
	word, err := s.quoted()
	if err != nil {
		return word, err
	}
	s.skipBlanks()
	if s.i < len(s.piece.text) && !s.at(end) {
		return word, s.piece.errorAt(s.i, "unexpected text after the closing quote")
	}
	return word, nil
}

// quoted reads a text in double quotes.
func (s *scanner) quoted() (piece, error) {
	opening := s.i
	s.i++
	word := piece{source: s.piece.source, start: s.piece.offset(s.i), offsets: []int{}}
	var text strings.Builder
	for {
		if s.i == len(s.piece.text) {
			return word, s.piece.errorAt(opening, "the closing quote is missing")
		}
		if s.at(`"`) {
			break
		}
		rest := s.piece.text[s.i:]
		r, multibyte, tail, err := strconv.UnquoteChar(rest, '"')
		if err != nil {
			return word, s.piece.errorAt(s.i, `unknown escape; write \\ for a backslash`)
		}
		before := text.Len()
		if multibyte {
			text.WriteRune(r)
		} else {
			text.WriteByte(byte(r)) //nolint:gosec // UnquoteChar returns a byte then
		}
		for range text.Len() - before {
			word.offsets = append(word.offsets, s.piece.offset(s.i))
		}
		s.i += len(rest) - len(tail)
	}
	word.text = text.String()
	word.offsets = append(word.offsets, s.piece.offset(s.i))
	s.i++
	return word, checkText(word)
}

// termKey is one key that the terms of a flag may have. T collects what they
// say.
type termKey[T any] struct {
	key string
	// argument names what follows the key and a colon, empty if nothing does.
	argument string
	// value names the value, empty if the key has none.
	value string
	// optional: the value may be left out.
	optional bool
	// regex: the value may follow a tilde, and is a regular expression then.
	regex bool
	// repeatable: the key may be given several times.
	repeatable bool
	// forms are the ways to write the term, if there is more than one.
	forms []string
	set   func(into *T, t term, names Names) error
}

// usage returns how the term is written.
func (k termKey[T]) usage() string {
	text := k.key
	if k.argument != "" {
		text += ":" + k.argument
	}
	if k.value != "" {
		text += "=" + k.value
	}
	return text
}

// usages returns how the terms are written, those of several keys.
func usages[T any](keys []termKey[T]) []string {
	var forms []string
	for _, k := range keys {
		if k.forms != nil {
			forms = append(forms, k.forms...)
		} else {
			forms = append(forms, k.usage())
		}
	}
	return forms
}

// parseTerms reads a value made of terms.
func parseTerms[T any](p piece, names Names, keys []termKey[T]) (T, error) {
	var into T
	terms, err := splitTerms(p)
	if err != nil {
		return into, err
	}
	seen := map[string]bool{}
	for _, t := range terms {
		k, err := findKey(t, keys)
		if err != nil {
			return into, err
		}
		id := k.key + "\x00" + t.argument.text
		if seen[id] && !k.repeatable {
			return into, t.key.errorf("%s is given twice", strings.TrimSuffix(k.key+":"+t.argument.text, ":"))
		}
		seen[id] = true
		if err := k.set(&into, t, names); err != nil {
			return into, err
		}
	}
	return into, nil
}

// findKey returns what a term means, and checks its form.
func findKey[T any](t term, keys []termKey[T]) (termKey[T], error) {
	var known, forms []string
	for _, k := range keys {
		known, forms = append(known, k.key), append(forms, strings.TrimSuffix(k.key+":"+k.argument, ":"))
		if k.key != t.key.text {
			continue
		}
		switch {
		case k.argument == "" && t.hasArgument:
			return k, t.argument.errorf("%s takes no argument; write %s", k.key, k.usage())
		case k.argument != "" && t.argument.text == "":
			return k, t.key.errorAt(len(t.key.text), "%s needs an argument; write %s", k.key, k.usage())
		case t.operator == '~' && !k.regex:
			return k, t.value.errorf("%s cannot be compared with a regular expression; write %s", k.key, k.usage())
		case k.value == "" && t.operator != 0:
			return k, t.value.errorf("%s takes no value", k.key)
		case k.value != "" && !k.optional && t.operator == 0:
			return k, t.value.errorf("%s needs a value; write %s", k.key, k.usage())
		}
		return k, nil
	}
	if near := spelling.Nearest(t.key.text, known); near != "" {
		return termKey[T]{}, t.key.errorf("unknown key %q; did you mean %s?", t.key.text, near)
	}
	return termKey[T]{}, t.key.errorf("unknown key %q: must be one of: %s", t.key.text, strings.Join(forms, ", "))
}

// termWriter writes terms so that splitTerms reads them back.
type termWriter struct{ text strings.Builder }

func (w *termWriter) String() string { return w.text.String() }

// add writes a term: the operator is "=", "~" or empty for a term without value.
func (w *termWriter) add(key, argument, operator, value string) {
	if w.text.Len() > 0 {
		w.text.WriteByte(',')
	}
	w.text.WriteString(key)
	if argument != "" {
		w.text.WriteString(":" + quoteWord(argument, "=~,"))
	}
	if operator != "" {
		w.text.WriteString(operator + quoteWord(value, ","))
	}
}

func (w *termWriter) bare(key string)        { w.add(key, "", "", "") }
func (w *termWriter) pair(key, value string) { w.add(key, "", "=", value) }

// optional writes a term unless its value is empty.
func (w *termWriter) optional(key, value string) {
	if value != "" {
		w.pair(key, value)
	}
}

// pairs writes one term for every value.
func (w *termWriter) pairs(key string, values []string) {
	for _, v := range values {
		w.pair(key, v)
	}
}

// arguments writes one term for every entry of a map, sorted.
func (w *termWriter) arguments(key string, entries map[string]string) {
	for _, name := range sortedNames(entries) {
		w.add(key, name, "=", entries[name])
	}
}

// quoteWord puts a word in quotes if it could be misread without.
func quoteWord(word, end string) string {
	if strings.ContainsAny(word, end+`"`) || strings.Trim(word, blanks) != word ||
		strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(word)
	}
	return word
}

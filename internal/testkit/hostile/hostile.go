// Package hostile puts what an attacker would write into the strings of a value, and
// finds what of it could harm a reader.
package hostile

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"unicode"
)

// Text is what an attacker would put into a name: sequences that set the title of a
// window and clear the screen, controls of C1, marks that reverse the direction of
// writing, and line ends.
const Text = "\x1b]0;owned\a\x1b[2J\u009b31m\x9b\u202eevil\u2066\u200b\u2028\r\nFORGED:  yes\n\tFORGED"

// Escaped is how a part of Text is shown.
const Escaped = `\x1b]0;owned\a`

// Attacker puts Text at the end of strings.
type Attacker struct {
	random *rand.Rand
	// everything says that no string is spared; otherwise some are, the same in
	// all places, so that references keep leading somewhere.
	everything bool
	suffix     string
	chosen     map[string]bool
	seen       map[uintptr]bool
}

// New returns an attacker that spares some strings, or none.
func New(random *rand.Rand, everything bool) *Attacker {
	return &Attacker{random: random, everything: everything, suffix: Text, chosen: map[string]bool{}, seen: map[uintptr]bool{}}
}

// Long makes the strings that are attacked n characters longer.
func (a *Attacker) Long(n int) *Attacker {
	a.suffix = Text + strings.Repeat("日", n)
	return a
}

// Change attacks the strings behind a pointer.
func (a *Attacker) Change(value any) { a.change(reflect.ValueOf(value)) }

func (a *Attacker) hits(s string) bool {
	if a.everything {
		return s != ""
	}
	if s == "" {
		return a.random.IntN(20) == 0
	}
	hit, known := a.chosen[s]
	if !known {
		hit = a.random.IntN(4) == 0
		a.chosen[s] = hit
	}
	return hit
}

func (a *Attacker) text(s string) string {
	if a.hits(s) {
		return s + a.suffix
	}
	return s
}

// change goes through a value; strings of named types are words of the API.
func (a *Attacker) change(v reflect.Value) {
	switch v.Kind() { //nolint:exhaustive // nothing else holds strings
	case reflect.Pointer:
		if !v.IsNil() && !a.seen[v.Pointer()] {
			a.seen[v.Pointer()] = true
			a.change(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; v.Field(i).CanSet() && name != "TypeMeta" && name != "CreationTimestamp" {
				a.change(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			a.change(v.Index(i))
		}
	case reflect.Map:
		if v.Type() == reflect.TypeFor[map[string]string]() && v.Len() > 0 {
			changed := map[string]string{}
			for key, value := range v.Interface().(map[string]string) {
				changed[a.text(key)] = a.text(value)
			}
			v.Set(reflect.ValueOf(changed))
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanSet() {
			v.SetString(a.text(v.String()))
		}
	}
}

// Harm says what in a text could harm a reader, empty if nothing could; whole says
// that no line is wrapped.
func Harm(printed string, whole bool) string {
	for line := range strings.Lines(printed) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			return fmt.Sprintf("a character that is not printable (%q)", line[i:])
		}
		if whole && strings.HasPrefix(strings.TrimSpace(line), "FORGED") {
			return fmt.Sprintf("a forged line (%q)", line)
		}
	}
	return ""
}

package wizard

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// split feeds text to keys; | stands for a pause.
func split(k *keys, text string) []string {
	got := []string{}
	for _, b := range []byte(text) {
		var keys [][]byte
		if b == '|' {
			keys = k.pause()
		} else {
			keys = k.feed(b)
		}
		for _, key := range keys {
			got = append(got, string(key))
		}
	}
	return got
}

func TestKeys(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []string
	}{
		{"plain", "aB\r", []string{"a", "B", "\r"}},
		{"not ASCII", "ü東🙂", []string{"ü", "東", "🙂"}},
		{"invalid UTF-8", "a\xff\xc3b\x80\xe6\x9d", []string{"a", "b"}},
		{"arrows", "\x1b[A\x1b[B\x1bOC\x1bOD", []string{"\x1b[A", "\x1b[B", "\x1b[C", "\x1b[D"}},
		{"home, end, delete", "\x1b[1~\x1b[7~\x1bOH\x1b[4~\x1b[8~\x1b[F\x1b[3~", []string{"\x1b[H", "\x1b[H", "\x1b[H", "\x1b[F", "\x1b[F", "\x1b[F", "\x1b[3~"}},
		{"back tab goes up, enter of the keypad enters", "\x1b[Z\x1bOM", []string{"\x1b[A", "\r"}},
		{"other keys", "\x1b[1;3A\x1b[15~\x1bOP\x1b[5~\x1b[I\x1b[2;5R;x\x1bf\x1b\rz", []string{"\x1b[2;5R", ";", "x", "z"}},
		{"Alt as a second escape", "\x1b\x1b[Ax", []string{"\x1b[A", "x"}},
		{"function keys of the console", "\x1b[[Ax", []string{"x"}},
		{"mouse", "\x1b[M !!x\x1b[<0;1;2Mx", []string{"x", "x"}},
		{"answers to questions nobody asked", "\x1b]11;rgb:00\x07x\x1bP1$r\x1b\\y\x1b]2;a\x1b[Az", []string{"x", "y", "\x1b[A", "z"}},
		{"a lone escape is a key", "a\x1b|b", []string{"a", "\x1b", "b"}},
		{"several escapes", "\x1b\x1b|\x1bx\x1b|", []string{"\x1b", "\x1b", "\x1b"}},
		{"escape just before the terminal says where its cursor is", "\x1b\x1b[2;5R", []string{"\x1b", "\x1b[2;5R"}},
		{"an incomplete sequence is dropped", "\x1b[1;|a\xc3|b", []string{"a", "b"}},
		{"an interrupt always gets through", "\x1b\x03\x1b[1\x03\x1b]2;\x03\xc3\x03", []string{"\x03", "\x03", "\x03", "\x03"}},
		{"pasted lines", "\x1b[200~a\r\nb\tü\x1b[A\x04\x1b[201~\r", []string{"a", " ", " ", "b", " ", "ü", "\r"}},
		{"far too long", "\x1b[" + strings.Repeat("1;", 5000) + "Ax", []string{"x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, split(&keys{}, tt.text)); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("a\x1b[200~\xc3\xbc\x1b[3~|")
	f.Add("\x1b[M\x1bO5A\x1b]2;\x07")
	f.Fuzz(func(t *testing.T, text string) {
		k := &keys{}
		for _, key := range split(k, text) {
			switch {
			case !utf8.ValidString(key):
				t.Fatalf("%q is not text", key)
			case len(key) > 1 && key[0] == keyEscape && !isCursorPosition([]byte(key)):
				if !strings.ContainsAny(key[2:3], "ABCDHF3") {
					t.Fatalf("%q gets through", key)
				}
			case key[0] != keyEscape && utf8.RuneCountInString(key) != 1:
				t.Fatalf("%q is not one key", key)
			}
		}
		// Whatever came before, an interrupt and then text are read.
		if diff := cmp.Diff([]string{"\x03", "x"}, split(k, "\x03x")); diff != "" {
			t.Fatalf("afterwards (-want +got):\n%s", diff)
		}
	})
}

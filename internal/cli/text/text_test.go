package text_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli/text"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, line, lines string }{
		{"plain", `web.shop, 5% "of" a\b`, `web.shop, 5% "of" a\b`, `web.shop, 5% "of" a\b`},
		{"other scripts", "größe 日本 e\u0301 😀", "größe 日本 e\u0301 😀", "größe 日本 e\u0301 😀"},
		{"empty", "", "", ""},
		{"forged lines", "a\nerror: b\r\n\tc", `a\nerror: b\r\n\tc`, "a\nerror: b\\r\n\tc"},
		{"escape sequence", "\x1b[2Jgone", `\x1b[2Jgone`, `\x1b[2Jgone`},
		{"control characters", "\x00\a\b\v\f\x7f", `\x00\a\b\v\f\x7f`, `\x00\a\b\v\f\x7f`},
		{"C1", "\u0085\u009b31m", `\u0085\u009b31m`, `\u0085\u009b31m`},
		{"bidirectional override", "a\u202eb\u202c", `a\u202eb\u202c`, `a\u202eb\u202c`},
		{"bidirectional isolate", "\u2066a\u2069\u200f\u061c", `\u2066a\u2069\u200f\u061c`, `\u2066a\u2069\u200f\u061c`},
		{"line and paragraph separator", "a\u2028b\u2029c", `a\u2028b\u2029c`, `a\u2028b\u2029c`},
		{"invisible", "a\u200bb\u00adc\ufeff\U000e0041", `a\u200bb\u00adc\ufeff\U000e0041`, `a\u200bb\u00adc\ufeff\U000e0041`},
		{"spaces that look like one", "a\u00a0b", `a\u00a0b`, `a\u00a0b`},
		{"invalid UTF-8", "a\xff\xc3(\xe2\x82", `a\xff\xc3(\xe2\x82`, `a\xff\xc3(\xe2\x82`},
		{"a C1 control as a bare byte", "\x9b31m", `\x9b31m`, `\x9b31m`},
		{"replacement character", "\ufffd", "\ufffd", "\ufffd"},
		{"surrogate", "\xed\xa0\x80", `\xed\xa0\x80`, `\xed\xa0\x80`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := text.Printable(tt.in); got != tt.line {
				t.Errorf("Printable(%q) = %q, want %q", tt.in, got, tt.line)
			}
			if got := text.PrintableLines(tt.in); got != tt.lines {
				t.Errorf("PrintableLines(%q) = %q, want %q", tt.in, got, tt.lines)
			}
		})
	}
}

func TestPrintableColored(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"plain\n\ttext", "plain\n\ttext"},
		{"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"},
		{"\x1b[1;38;5;12mblue\x1b[m", "\x1b[1;38;5;12mblue\x1b[m"},
		{"\x1b]0;title\a", `\x1b]0;title\a`},
		{"\x1b[2J\x1b[31mred\x1b[0m\x1b[1A\u009b2J", `\x1b[2J` + "\x1b[31mred\x1b[0m" + `\x1b[1A\u009b2J`},
		{"\x1b[31", `\x1b[31`},
		{"\x1b", `\x1b`},
		{"\x1b\x1b[0m", `\x1b` + "\x1b[0m"},
		{"caf\u00e9\u202e\xff", "caf\u00e9" + `\u202e\xff`},
		{"", ""},
	} {
		if got := text.PrintableColored(tt.in); got != tt.want {
			t.Errorf("PrintableColored(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b]0;title\a", "a\u202eb", "\xff\xfe", "\\x1b", "a\r\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		line, lines := text.Printable(in), text.PrintableLines(in)
		if i := strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("Printable(%q) = %q, not printable at %d", in, line, i)
		}
		if i := strings.IndexFunc(lines, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("PrintableLines(%q) = %q, not printable at %d", in, lines, i)
		}
		if again := text.Printable(line); again != line {
			t.Errorf("Printable is not idempotent: %q becomes %q", line, again)
		}
		if again := text.PrintableLines(lines); again != lines {
			t.Errorf("PrintableLines is not idempotent: %q becomes %q", lines, again)
		}
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	tests := []struct {
		items                []string
		and, or, two, ofFive string
	}{
		{nil, "", "", "", "5 more"},
		{[]string{"a"}, "a", "a", "a", "a and 4 more"},
		{[]string{"a", "b"}, "a and b", "a or b", "a, b", "a, b and 3 more"},
		{[]string{"a", "b", "c"}, "a, b and c", "a, b or c", "a, b and 1 more", "a, b and 3 more"},
		{[]string{"a", "b", "c", "d", "e"}, "a, b, c, d and e", "a, b, c, d or e", "a, b and 3 more", "a, b and 3 more"},
	}
	for _, tt := range tests {
		for _, got := range []struct{ call, got, want string }{
			{"And", text.And(tt.items), tt.and},
			{"Or", text.Or(tt.items), tt.or},
			{"Bounded to 2", text.Bounded(tt.items, 2), tt.two},
			{"BoundedOf 5 to 2", text.BoundedOf(tt.items, 5, 2), tt.ofFive},
		} {
			if got.got != got.want {
				t.Errorf("%s of %q is %q, want %q", got.call, tt.items, got.got, got.want)
			}
		}
	}
	if got, want := text.Bounded([]string{"a", "b"}, 0), "2 more"; got != want {
		t.Errorf("Bounded to nothing is %q, want %q", got, want)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	tests := []struct {
		n          int
		noun, want string
	}{
		{0, "cluster", "0 clusters"},
		{1, "cluster", "1 cluster"},
		{2, "cluster", "2 clusters"},
		{1, "policy", "1 policy"},
		{2, "access policy", "2 access policies"},
		{2, "AccessPolicy", "2 AccessPolicies"},
		{2, "gateway", "2 gateways"},
		{2, "mesh", "2 meshes"},
		{2, "VirtualMesh", "2 VirtualMeshes"},
		{2, "address", "2 addresses"},
		{2, "branch", "2 branches"},
		{2, "index", "2 indexes"},
		{2, "CA", "2 CAs"},
		{2, "y", "2 ys"},
		{2, "", "2 "},
	}
	for _, tt := range tests {
		if got := text.Count(tt.n, tt.noun); got != tt.want {
			t.Errorf("Count(%d, %q) = %q, want %q", tt.n, tt.noun, got, tt.want)
		}
	}
	for n, want := range []string{"are", "is", "are"} {
		if got := text.Choose(n, "is", "are"); got != want {
			t.Errorf("Choose(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	if got, want := text.Named("cluster", []string{"east"}), "cluster east"; got != want {
		t.Errorf("one name: %q, want %q", got, want)
	}
	if got, want := text.Named("mesh", []string{"a", "b"}), "meshes a, b"; got != want {
		t.Errorf("two names: %q, want %q", got, want)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		width    int
		indent   string
		want     string
	}{
		{"fits", "a few words", 11, "  ", "a few words"},
		{"breaks", "a few words", 10, "", "a few\nwords"},
		{"indents what follows", "one two three four", 9, "  ", "one two\n  three\n  four"},
		{"unknown width", "one  two three", 0, "  ", "one two three"},
		{"a long word", "see https://example.com/ there", 10, "", "see\nhttps://example.com/\nthere"},
		{"paragraphs", "one two\n\nthree four", 9, "", "one two\n\nthree\nfour"},
		{"wide characters", "日本 日本", 8, "", "日本\n日本"},
		{"combining marks", "e\u0301e\u0301 e\u0301", 4, "", "e\u0301e\u0301 e\u0301"},
		{"nothing", "", 5, "  ", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := text.Wrap(tt.in, tt.width, tt.indent); got != tt.want {
				t.Errorf("Wrap(%q, %d, %q) = %q, want %q", tt.in, tt.width, tt.indent, got, tt.want)
			}
		})
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in    string
		width int
		want  string
	}{
		{"reviews", 7, "reviews"},
		{"reviews", 6, "rev..."},
		{"reviews", 3, "..."},
		{"reviews", 2, ".."},
		{"reviews", 0, ""},
		{"reviews", -1, ""},
		{"日本日本", 8, "日本日本"},
		{"日本日本", 6, "日..."},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301", 4, "e\u0301..."},
	}
	for _, tt := range tests {
		if got := text.Cut(tt.in, tt.width); got != tt.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" denied\n\tby  policy ": "denied by policy",
		"denied by policies":     "denied by polici...",
		"\x1b[31mred":            `\x1b[31mred`,
		"":                       "",
	} {
		if got := text.OneLine(in, 16); got != want {
			t.Errorf("OneLine(%q, 16) = %q, want %q", in, got, want)
		}
	}
}

func TestFit(t *testing.T) {
	t.Parallel()
	items := []string{"alpha", "beta", "gamma", "delta"}
	for _, tt := range []struct {
		items        []string
		limit, width int
		want         string
	}{
		{items, 0, 0, "alpha, beta, gamma, delta"},
		{items, 2, 0, "alpha, beta and 2 more"},
		{items, 0, 25, "alpha, beta, gamma, delta"},
		{items, 0, 24, "alpha, beta and 2 more"},
		{items, 0, 22, "alpha, beta and 2 more"},
		{items, 0, 21, "alpha and 3 more"},
		{items, 1, 25, "alpha and 3 more"},
		{items, 0, 15, "a... and 3 more"},
		{items, 0, 13, "alpha..."},
		{items, 0, 7, "alph..."},
		{items, 9, 30, "alpha, beta, gamma, delta"},
		{[]string{"a-very-long-name"}, 0, 10, "a-very-..."},
		{[]string{"日本", "日本"}, 0, 9, "日本..."},
		{[]string{"日本", "日本"}, 0, 10, "日本, 日本"},
		{nil, 3, 5, ""},
	} {
		if got := text.Fit(tt.items, tt.limit, tt.width); got != tt.want {
			t.Errorf("Fit(%q, %d, %d) = %q, want %q", tt.items, tt.limit, tt.width, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in    string
		width, hang int
		want        []string
	}{
		{"fits", "State:  a few words", 20, 2, []string{"State:  a few words"}},
		{"unknown width", "a  few  words", 0, 2, []string{"a  few  words"}},
		{"between words", "one two three four five", 20, 2, []string{"one two three four", "  five"}},
		{"keeps blanks", "a:  one two three four five", 22, 2, []string{"a:  one two three four", "  five"}},
		{"indented", "  hint: run the other command", 24, 2, []string{"  hint: run the other", "    command"}},
		{"a long word", "see https://example.com/a/long/path/ there", 20, 0, []string{"see", "https://example.com/a/long/path/", "there"}},
		{"a long list", "paths /first,/second,/third,/fourth", 20, 2, []string{"paths", "  /first,/second,", "  /third,/fourth"}},
		{"narrow terminals get some room", "one two three four five", 3, 2, []string{"one two three four", "  five"}},
		{"wide characters", "日本語 日本語 日本語 日本語", 20, 0, []string{"日本語 日本語 日本語", "日本語"}},
		{"combining marks", strings.Repeat("e\u0301", 10) + " " + strings.Repeat("e\u0301", 10), 21, 0, []string{strings.Repeat("e\u0301", 10) + " " + strings.Repeat("e\u0301", 10)}},
		{"nothing", "", 20, 2, []string{""}},
		{"blanks only", "                         ", 20, 2, []string{""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, text.Fold(tt.in, tt.width, tt.hang)); diff != "" {
				t.Errorf("Fold(%q, %d, %d) (-want +got)\n%s", tt.in, tt.width, tt.hang, diff)
			}
		})
	}
}

func TestCutWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		width int
		want  string
	}{
		{"denied by policy", 16, "denied by policy"},
		{"denied by policy", 14, "denied by..."},
		{"denied by policy", 12, "denied by..."},
		{"denied by policy", 11, "denied..."},
		{"a supercalifragilistic word", 16, "a supercalifr..."},
		{"supercalifragilistic", 10, "superca..."},
	} {
		if got := text.CutWords(tt.in, tt.width); got != tt.want {
			t.Errorf("CutWords(%q, %d) = %q, want %q", tt.in, tt.width, got, tt.want)
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, seed := range []string{"one two three", "  a,b,c", "日本 語", "e\u0301 e", strings.Repeat("x", 30)} {
		f.Add(seed, 20, 2)
	}
	f.Fuzz(func(t *testing.T, in string, width, hang int) {
		width, hang = width%200, max(hang%20, 0)
		in = text.Printable(in)
		lines := text.Fold(in, width, hang)
		got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.ReplaceAll(in, " ", "")
		if got != want {
			t.Errorf("Fold(%q, %d, %d) = %q, which loses text", in, width, hang, lines)
		}
	})
}

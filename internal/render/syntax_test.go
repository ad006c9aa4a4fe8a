package render_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/meshctl/meshctl/internal/render"
)

// TestErrors reads testdata/errors.txtar: what each wrong flag is answered
// with. The name of a file is the kind; its first line is the flag.
func TestErrors(t *testing.T) {
	t.Parallel()
	const path = "testdata/errors.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range archive.Files {
		flags, want, _ := strings.Cut(string(f.Data), "\n\n")
		got := ""
		if err := parseAs(f.Name, arguments(flags)); err != nil {
			got = err.Error() + "\n"
		}
		if got == "" {
			t.Errorf("%s: %s: no error", f.Name, flags)
		}
		if diff := cmp.Diff(want, got); diff != "" && os.Getenv("UPDATE") == "" {
			t.Errorf("%s: %s: (-want +got)\n%s", f.Name, flags, diff)
		}
		archive.Files[i].Data = []byte(strings.TrimRight(flags, "\n") + "\n\n" + got)
	}
	if os.Getenv("UPDATE") != "" { // make update-golden
		if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// parseAs reads flags of a kind and builds a resource from them.
func parseAs(noun string, arguments []render.Argument) error {
	switch noun {
	case "virtualmesh":
		return buildError(render.VirtualMesh(), arguments)
	case "trafficpolicy":
		return buildError(render.TrafficPolicy(), arguments)
	default:
		return buildError(render.AccessPolicy(), arguments)
	}
}

func buildError[I any, O render.Object](kind render.Kind[I, O], arguments []render.Argument) error {
	in, err := kind.Parse(arguments, render.Names{})
	if err != nil {
		return err
	}
	_, err = kind.Build(render.Meta{Name: "x", Namespace: "n"}, in, nil)
	return err
}

// TestSyntaxErrorShowsTheCharacter looks at texts that a terminal could not show
// as they are.
func TestSyntaxErrorShowsTheCharacter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		offset     int
		want       string
	}{
		{"start", "abc", 0, "wrong\n  abc\n  ^"},
		{"end", "abc", 3, "wrong\n  abc\n     ^"},
		{"nothing to show", "", 0, "wrong"},
		{"before the text", "abc", -1, "wrong\n  abc\n  ^"},
		{"behind the text", "abc", 9, "wrong\n  abc\n     ^"},
		{"control characters", "a\tb\x1b[31mc\n", 3, "wrong\n  a\\tb\\x1b[31mc\\n\n      ^"},
		{"broken bytes", "a\xff\xfeb", 3, "wrong\n  a\\xff\\xfeb\n           ^"},
		{"wide characters", "世界=x", 7, "wrong\n  世界=x\n       ^"},
		{"combining marks", "e\u0301=x", 4, "wrong\n  e\u0301=x\n    ^"},
		{
			"long, in the middle", strings.Repeat("a", 100) + "!" + strings.Repeat("b", 100), 100,
			"wrong\n  ..." + strings.Repeat("a", 37) + "!" + strings.Repeat("b", 26) + "...\n  " + strings.Repeat(" ", 40) + "^",
		},
		{
			"long, at the start", "!" + strings.Repeat("b", 100), 0,
			"wrong\n  !" + strings.Repeat("b", 26) + "...\n  ^",
		},
		{
			"long, at the end", strings.Repeat("a", 100), 100,
			"wrong\n  ..." + strings.Repeat("a", 37) + "\n  " + strings.Repeat(" ", 40) + "^",
		},
	}
	for _, tt := range tests {
		err := &render.SyntaxError{Text: tt.text, Offset: tt.offset, Message: "wrong"}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSyntaxErrorsAreTyped shows that callers can find the character.
func TestSyntaxErrorsAreTyped(t *testing.T) {
	t.Parallel()
	kind := render.TrafficPolicy()
	_, err := kind.Parse([]render.Argument{{Name: "match", Value: `exact="/a\"b",methd=GET`}}, render.Names{})
	var syntax *render.SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("%v is no SyntaxError", err)
	}
	if want := strings.Index(syntax.Text, "methd"); syntax.Offset != want {
		t.Errorf("offset %d, want %d", syntax.Offset, want)
	}
}

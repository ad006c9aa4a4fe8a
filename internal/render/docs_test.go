package render_test

import (
	"os"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestDocumentedExamples runs every command that docs/flags.md shows, up to the
// resource.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	v := validation.New()
	examples := 0
	for line := range strings.Lines(string(text)) {
		command, isCommand := strings.CutPrefix(line, "meshctl create ")
		if !isCommand {
			continue
		}
		examples++
		words := shellWords(strings.TrimSpace(command))
		switch words[0] {
		case "virtualmesh":
			runExample(t, v, render.VirtualMesh(), words[1:])
		case "trafficpolicy":
			runExample(t, v, render.TrafficPolicy(), words[1:])
		case "accesspolicy":
			runExample(t, v, render.AccessPolicy(), words[1:])
		default:
			t.Errorf("%s: there is no kind %s", line, words[0])
		}
	}
	if examples < 10 {
		t.Errorf("only %d examples found", examples)
	}
}

func runExample[I any, O render.Object](t *testing.T, v *validation.Validator, kind render.Kind[I, O], words []string) {
	t.Helper()
	var given []render.Argument
	for i := 1; i < len(words); i++ {
		name := strings.TrimPrefix(words[i], "--")
		value := "true"
		if field := kind.Field(name); field != nil && field.Value != "" && i+1 < len(words) {
			i++
			value = words[i]
		}
		given = append(given, render.Argument{Name: name, Value: value})
	}
	in, err := kind.Parse(given, render.Names{Namespace: "gloo-mesh"})
	if err != nil {
		t.Errorf("%s: %v", words, err)
		return
	}
	o, err := kind.Build(render.Meta{Name: words[0], Namespace: "gloo-mesh"}, in, nil)
	if err != nil {
		t.Errorf("%s: %v", words, err)
		return
	}
	if err := render.Validate(v, o); err != nil {
		t.Errorf("%s: %v", words, err)
	}
	if _, exact := kind.Arguments(o); !exact {
		t.Errorf("%s: the flags do not lead back", words)
	}
}

// shellWords splits a command line with single quotes.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	quoted := false
	for _, r := range line {
		switch {
		case r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted:
			words = append(words, word.String())
			word.Reset()
		default:
			word.WriteRune(r)
		}
	}
	return append(words, word.String())
}

// TestDocumentedKeys shows that the page names every key that terms may have.
func TestDocumentedKeys(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	checkKeys(t, string(text), render.VirtualMesh())
	checkKeys(t, string(text), render.TrafficPolicy())
	checkKeys(t, string(text), render.AccessPolicy())
}

func checkKeys[I any, O render.Object](t *testing.T, page string, kind render.Kind[I, O]) {
	t.Helper()
	for _, field := range kind.Fields {
		if field.Value == "TERMS" && len(field.Keys) == 0 {
			t.Errorf("--%s takes terms, but has no keys", field.Name)
		}
		for _, key := range field.Keys {
			name, _, _ := strings.Cut(key, "=")
			if name != "external:TERM" && !strings.Contains(page, "`"+name+"`") {
				t.Errorf("docs/flags.md does not mention `%s` of --%s", name, field.Name)
			}
		}
	}
}

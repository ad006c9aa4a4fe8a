package describe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// answers returns all that describe says about a world, by what it is about.
func answers(result *policy.Result) map[string]describe.Answer {
	w := result.World
	meshes, destinations := make([]*world.Mesh, 0, len(w.Meshes)), make([]*world.Destination, 0, len(w.Destinations))
	for i := range w.Meshes {
		meshes = append(meshes, &w.Meshes[i])
	}
	for i := range w.Destinations {
		destinations = append(destinations, &w.Destinations[i])
	}
	all := map[string]describe.Answer{
		"workloads in full": describe.Workloads(result, w.WorkloadPointers(), describe.WorkloadOptions{Details: true, AllDestinations: true}),
		"workloads":         describe.Workloads(result, w.WorkloadPointers(), describe.WorkloadOptions{WholeWorld: true}),
	}
	for _, details := range []bool{false, true} {
		suffix, opts := "", describe.Options{Details: details}
		if details {
			suffix = " in full"
		}
		all["destinations"+suffix] = describe.Destinations(result, destinations, opts)
		all["meshes"+suffix] = describe.Meshes(result, meshes, opts)
		all["virtual meshes"+suffix] = describe.VirtualMeshes(result, positions(len(w.VirtualMeshes)), opts)
		all["traffic policies"+suffix] = describe.TrafficPolicies(result, positions(len(w.TrafficPolicies)), opts)
		all["access policies"+suffix] = describe.AccessPolicies(result, positions(len(w.AccessPolicies)), opts)
		all["clusters"+suffix] = describe.Clusters(result, w.Clusters(), opts)
	}
	return all
}

// shown returns what people and scripts see of an answer in all forms that are no
// documents.
func shown(t *testing.T, answer describe.Answer) map[string]string {
	t.Helper()
	forms := map[string]string{}
	for _, format := range []output.Format{output.FormatTable, output.FormatWide, output.FormatName} {
		for _, width := range []int{0, 60, 100} {
			var out bytes.Buffer
			if err := (output.Printer{Out: &out, Width: width}).Print(format, answer.View()); err != nil {
				t.Fatal(err)
			}
			forms[fmt.Sprintf("%s at %d columns", format, width)] = out.String()
		}
	}
	return forms
}

// attack is what an attacker would put into a name: sequences that set the title
// of a window and clear the screen, controls of C1, marks that reverse the
// direction of writing, and line ends.
const attack = "\x1b]0;owned\a\x1b[2J\u009b31m\x9b\u202eevil\u2066\u200b\u2028\r\nFORGED:  yes\n\tFORGED"

// attacker puts attack at the end of strings of a world.
type attacker struct {
	random *rand.Rand
	// everything says that no string is spared; otherwise some are, the same in
	// all places, so that references keep leading somewhere.
	everything bool
	chosen     map[string]bool
	seen       map[uintptr]bool
}

func (a *attacker) hits(s string) bool {
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

func (a *attacker) text(s string) string {
	if a.hits(s) {
		return s + attack
	}
	return s
}

// change goes through a value; strings of named types are words of the API.
func (a *attacker) change(v reflect.Value) {
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

// TestHostileTextIsHarmless puts control sequences into the strings of worlds, and
// looks for them in all that describe prints.
func TestHostileTextIsHarmless(t *testing.T) {
	t.Parallel()
	attacked := map[string]int{}
	for seed := range uint64(12) {
		objects := randomworld.Objects(rand.New(rand.NewPCG(seed, 1)))
		a := &attacker{random: rand.New(rand.NewPCG(seed, 2)), everything: seed == 0, chosen: map[string]bool{}, seen: map[uintptr]bool{}}
		a.change(reflect.ValueOf(&objects))
		for about, answer := range answers(policy.Evaluate(world.New(objects))) {
			for form, printed := range shown(t, answer) {
				if strings.Contains(printed, `\x1b]0;owned\a`) {
					attacked[about]++
				}
				if problem := harm(printed, strings.HasSuffix(form, " 0 columns")); problem != "" {
					t.Fatalf("world of seed %d: %s as %s has %s\n%s", seed, about, form, problem, printed)
				}
			}
			mustRoundTrip(t, about, answer)
		}
	}
	for about := range answers(policy.Evaluate(world.New(world.Objects{}))) {
		if attacked[about] == 0 {
			t.Errorf("no attack reaches what is said about %s: the test shows nothing", about)
		}
	}
}

// harm says what in a text could harm a reader; whole says that no line is
// wrapped.
func harm(printed string, whole bool) string {
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

// mustRoundTrip reads JSON and YAML back, and compares them with the value.
func mustRoundTrip(t *testing.T, about string, answer describe.Answer) {
	t.Helper()
	encoded, err := json.Marshal(answer)
	if err != nil {
		t.Fatal(err)
	}
	var want any
	if err := json.Unmarshal(encoded, &want); err != nil {
		t.Fatal(err)
	}
	for _, format := range []output.Format{output.FormatJSON, output.FormatYAML} {
		var out bytes.Buffer
		if err := output.Write(&out, format, false, answer.View()); err != nil {
			t.Fatal(err)
		}
		if i := strings.IndexFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
			t.Errorf("%s as %s has a control character at %q", about, format, out.String()[i:min(i+20, out.Len())])
		}
		var got any
		if err := yaml.Unmarshal(out.Bytes(), &got); err != nil {
			t.Errorf("%s as %s is invalid: %v\n%s", about, format, err, out.String())
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s as %s says something else (-value +read)\n%s", about, format, diff)
		}
	}
}

// TestPluralsFitTheirCounts looks for counts in all that describe says about
// worlds that are so small that many counts are 1.
func TestPluralsFitTheirCounts(t *testing.T) {
	t.Parallel()
	counted := regexp.MustCompile(`\b(\d+) ([A-Za-z]+(?:-[A-Za-z]+)*)`)
	nouns := map[string]string{}
	for _, noun := range []string{
		"mesh", "Mesh", "VirtualMesh", "workload", "Workload", "destination", "Destination", "cluster", "policy", "TrafficPolicy", "AccessPolicy", "finding",
		"service", "Service", "namespace", "port", "pod", "day", "bit", "setting", "field", "column", "source", "target", "gateway", "address",
		"attempt", "error", "item", "object", "row", "selector", "match", "label", "name", "caller", "reason", "warning", "endpoint", "subset",
	} {
		nouns[noun], nouns[text.Plural(noun)] = noun, noun
	}
	ones := 0
	for seed := range uint64(10) {
		result := policy.Evaluate(world.New(randomworld.Objects(rand.New(rand.NewPCG(seed, 3)))))
		for about, answer := range answers(result) {
			for form, printed := range shown(t, answer) {
				for _, found := range counted.FindAllStringSubmatch(printed, -1) {
					noun, known := nouns[found[2]]
					if !known {
						continue
					}
					want := text.Plural(noun)
					if found[1] == "1" {
						want = noun
						ones++
					}
					if found[2] != want {
						t.Fatalf("world of seed %d: %s as %s says %q, want %q:\n%s", seed, about, form, found[0], found[1]+" "+want, printed)
					}
				}
			}
		}
	}
	if ones == 0 {
		t.Error("no count is 1: the test shows nothing")
	}
}

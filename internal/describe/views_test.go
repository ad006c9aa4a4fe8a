package describe_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
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
	"github.com/meshctl/meshctl/internal/testkit/hostile"
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

// TestHostileTextIsHarmless puts control sequences into the strings of worlds, and
// looks for them in all that describe prints.
func TestHostileTextIsHarmless(t *testing.T) {
	t.Parallel()
	attacked := map[string]int{}
	for seed := range uint64(12) {
		objects := randomworld.Objects(rand.New(rand.NewPCG(seed, 1)))
		hostile.New(rand.New(rand.NewPCG(seed, 2)), seed == 0).Change(&objects)
		for about, answer := range answers(policy.Evaluate(world.New(objects))) {
			for form, printed := range shown(t, answer) {
				if strings.Contains(printed, hostile.Escaped) {
					attacked[about]++
				}
				if problem := hostile.Harm(printed, strings.HasSuffix(form, " 0 columns")); problem != "" {
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

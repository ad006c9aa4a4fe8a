package feature_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

const service = `{"name":"api","namespace":"shop","clusterName":"east"}`

// samples are two values of every field that conflict with each other, as
// manifests have them.
func samples() map[string][2]string {
	const elsewhere = `{"name":"web","namespace":"shop","clusterName":"east"}`
	opaque := [2]string{`{"a":1}`, `{"a":2}`}
	return map[string][2]string{
		feature.TrafficShift:           {`{"destinations":[{"kubeService":` + elsewhere + `}]}`, `{"destinations":[{"kubeService":` + service + `}]}`},
		feature.FaultInjection:         {`{"fixedDelay":"1s"}`, `{"abort":{"httpStatus":503}}`},
		feature.RequestTimeout:         {`"1s"`, `"2s"`},
		feature.Retries:                {`{"attempts":1}`, `{"attempts":2}`},
		feature.CORSPolicy:             {`{"allowMethods":["GET"]}`, `{"allowMethods":["PUT"]}`},
		feature.Mirror:                 {`{"kubeService":` + elsewhere + `}`, `{"kubeService":` + elsewhere + `,"percentage":5}`},
		feature.HeaderManipulation:     {`{"removeRequestHeaders":["a"]}`, `{"removeRequestHeaders":["b"]}`},
		feature.OutlierDetection:       {`{"consecutiveErrors":3}`, `{"consecutiveErrors":4}`},
		feature.MTLS:                   {`{"istio":{"tlsMode":"SIMPLE"}}`, `{"istio":{"tlsMode":"DISABLE"}}`},
		feature.ConnectionPoolSettings: {`{"tcp":{"maxConnections":3}}`, `{"http":{"maxRetries":4}}`},
		"csrf":                         opaque,
		"extauth":                      opaque,
		"extauthSettings":              opaque,
		"rateLimit":                    opaque,
		"rateLimitSettings":            opaque,
		"transformations":              opaque,
	}
}

// TestEverybodyKnowsEveryFeature adds policies with one field each, for every
// field of the API, to a small world, and asks all that have to know the feature:
// the engine, describe, rendering to Istio, the flags, the questions and the docs.
func TestEverybodyKnowsEveryFeature(t *testing.T) {
	t.Parallel()
	table := feature.All()
	fields := fieldsOf(reflect.TypeFor[networkingv1.TrafficPolicyPolicy]())
	if diff := cmp.Diff(slices.Sorted(slices.Values(fields)), slices.Sorted(maps.Keys(samples()))); diff != "" {
		t.Fatalf("the fields of TrafficPolicyPolicy and the samples of this test differ; give a new field two samples (-API +samples):\n%s", diff)
	}
	var rows []string
	for _, f := range table {
		if f.Field != feature.TCPKeepalive { // VirtualMeshes have it, policies do not
			rows = append(rows, f.Field)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(fields)), slices.Sorted(slices.Values(rows))); diff != "" {
		t.Fatalf("the fields of TrafficPolicyPolicy and the rows of feature.All differ (-API +table):\n%s", diff)
	}
	validator := validation.New()
	page, reference := read(t, "docs/features.md"), read(t, "docs/cli/meshctl_create_trafficpolicy.md")
	asked := questions(t)
	for _, f := range table {
		if f.Field == feature.TCPKeepalive {
			continue
		}
		t.Run(f.Field, func(t *testing.T) {
			first, second := samples()[f.Field][0], samples()[f.Field][1]
			engine(t, f, evaluate(t, validator, manifest("a", f.Field, first), manifest("b", f.Field, second)))

			result := evaluate(t, validator, manifest("a", f.Field, first))
			shown(t, f, result)
			objects, omissions := rendered(t, result)
			other, _ := rendered(t, evaluate(t, validator, manifest("a", f.Field, second)))
			switch {
			case f.Authored() && objects == other:
				t.Errorf("internal/render/istio renders the same for two values of %s", f.Field)
			case !f.Authored() && !strings.Contains(omissions, "spec.policy."+f.Field+" is not supported on Istio"):
				t.Errorf("internal/render/istio does not say that %s is left out:\n%s", f.Field, omissions)
			}

			flags := flagsOf(t, f, result.TrafficPolicies[0].Resource)
			if f.Authored() != slices.Contains(asked, f.Title) {
				t.Errorf("internal/wizard asks about %q: %t, want %t; it asks about %q", f.Title, !f.Authored(), f.Authored(), asked)
			}
			if !strings.Contains(page, "`"+f.Field+"`") {
				t.Errorf("docs/features.md does not name %s; run make generate", f.Field)
			}
			for _, flag := range flags {
				if !strings.Contains(reference, flag) || !strings.Contains(page, "`"+flag+"`") {
					t.Errorf("the docs do not name %s; run make generate", flag)
				}
			}
		})
	}
}

// engine checks that a setting is read, and that two of them conflict.
func engine(t *testing.T, f feature.Feature, result *policy.Result) {
	t.Helper()
	for i := range result.TrafficPolicies {
		p := &result.TrafficPolicies[i]
		if !p.Valid() || !slices.Equal(p.Fields, []string{f.Field}) {
			t.Errorf("internal/policy finds the fields %q in %s, errors %q; want %s alone", p.Fields, p.Resource.Name, p.Errors, f.Field)
		}
		if settings := result.Settings(i); len(settings) != 1 || settings[0].Field != f.Field || settings[0].Value == nil {
			t.Errorf("internal/policy reads the settings %v, want %s", settings, f.Field)
		}
	}
	conflicts := slices.ContainsFunc(result.Findings, func(x finding.Finding) bool {
		return x.Code == finding.CodeConflict && strings.HasPrefix(x.Message, f.Field+" ")
	})
	if conflicts != f.Authored() {
		t.Errorf("internal/policy compares two values of %s: %t, want %t", f.Field, conflicts, f.Authored())
	}
}

// shown checks that describe has the setting, and that it has words.
func shown(t *testing.T, f feature.Feature, result *policy.Result) {
	t.Helper()
	var list struct {
		Items []struct {
			Settings []struct {
				Field string
				Value any
			}
		}
	}
	data, err := json.Marshal(describe.TrafficPolicies(result, []int{0}, describe.Options{Details: true}).Items)
	if err == nil {
		err = json.Unmarshal(data, &list.Items)
	}
	if err != nil {
		t.Fatal(err)
	}
	if settings := list.Items[0].Settings; len(settings) != 1 || settings[0].Field != f.Field || settings[0].Value == nil {
		t.Errorf("internal/describe shows the settings %v, want %s", settings, f.Field)
	}
	if words := strings.Join(feature.Lines(f.Field, result.Settings(0)[0].Value), ""); words == "" {
		t.Errorf("the table shows nothing for a value of %s", f.Field)
	}
	if f.Authored() && (f.Title == "" || f.About == "") {
		t.Errorf("the table does not explain %s", f.Field)
	}
}

// flagsOf checks that the flags of a feature recreate the policy, and returns
// them.
func flagsOf(t *testing.T, f feature.Feature, p *networkingv1.TrafficPolicy) []string {
	t.Helper()
	kind := render.TrafficPolicy()
	var flags []string
	for _, flag := range kind.Fields {
		if flag.Feature == f.Field {
			flags = append(flags, "--"+flag.Name)
		}
	}
	arguments, exact := kind.Arguments(p)
	used := slices.ContainsFunc(arguments, func(a render.Argument) bool { return slices.Contains(flags, "--"+a.Name) })
	if exact != f.Authored() || used != f.Authored() {
		t.Errorf("internal/render recreates %s by its flags %q: %t, want %t; it writes %v", f.Field, flags, exact && used, f.Authored(), arguments)
	}
	return flags
}

// rendered returns all objects of a world, and what is left out.
func rendered(t *testing.T, result *policy.Result) (objects, omissions string) {
	t.Helper()
	renderer := istio.New(result, istio.Options{})
	omissions = fmt.Sprintln(renderer.Omissions())
	for _, cluster := range renderer.Clusters() {
		list, left := renderer.Cluster(cluster)
		for i := range list {
			list[i].Parents = nil // which policy it comes from
			text, err := list[i].YAML()
			if err != nil {
				t.Fatal(err)
			}
			objects += string(text)
		}
		omissions += fmt.Sprintln(left)
	}
	return objects, omissions
}

// questions returns what the wizard offers a policy to do.
func questions(t *testing.T) []string {
	t.Helper()
	ref := core.ClusterObjectRef{Name: "api", Namespace: "shop", ClusterName: "east"}
	p := &listening{}
	draft := &wizard.Draft[render.TrafficPolicyInput]{Name: "a", Namespace: "b", Input: &render.TrafficPolicyInput{
		Sources: []core.KubeWorkloadMatcher{}, Destinations: []core.DestinationSelector{},
	}}
	err := wizard.TrafficPolicy(p, wizard.Catalogue{Services: []wizard.ServiceChoice{{Ref: ref}}}, draft)
	if !errors.Is(err, errEnough) {
		t.Fatalf("the wizard did not ask what the policy should do: %v", err)
	}
	return p.labels
}

var errEnough = errors.New("enough")

// listening notes the options of the first question that has several answers.
type listening struct {
	wizard.Prompter
	labels []string
}

func (l *listening) MultiSelect(_ wizard.Question, options []wizard.Option, _ []int) ([]int, error) {
	for _, o := range options {
		l.labels = append(l.labels, o.Label)
	}
	return nil, errEnough
}

// fieldsOf returns the names of a type's fields in manifests.
func fieldsOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// manifest returns a policy with one field.
func manifest(name, field, value string) string {
	return fmt.Sprintf(`{"apiVersion":"networking.mesh.gloo.solo.io/v1","kind":"TrafficPolicy","metadata":{"name":%q,"namespace":"gloo-mesh"},
"spec":{"destinationSelector":[{"kubeServiceRefs":{"services":[%s]}}],"policy":{%q:%s}}}`, name, service, field, value)
}

// evaluate evaluates two clusters with a shop and some policies.
func evaluate(t *testing.T, validator *validation.Validator, policies ...string) *policy.Result {
	t.Helper()
	objects, err := load.Files(context.Background(), load.FileOptions{
		Paths: []string{filepath.Join(root, "testdata", "grid", "two-clusters.yaml"), "-"}, Stdin: strings.NewReader(strings.Join(policies, "\n---\n")),
	}, validator)
	if err != nil {
		t.Fatal(err)
	}
	return policy.Evaluate(world.New(objects))
}

const root = "../../.."

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

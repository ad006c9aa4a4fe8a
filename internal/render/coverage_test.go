package render_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TestFlagsReachEveryField holds the cases of testdata against the types of the
// API: what no flag sets must be one of the exceptions, and an exception that a
// flag sets is none.
func TestFlagsReachEveryField(t *testing.T) {
	t.Parallel()
	testReach(t, render.VirtualMesh(), networkingv1.VirtualMeshSpec{},
		"federation.permissive",                       // deprecated: everything is `selectors: [{}]`
		"federation.eastWestIngressGatewaySelectors.", // the older spelling
	)
	testReach(t, render.TrafficPolicy(), networkingv1.TrafficPolicySpec{},
		"routeSelector.", "policy.csrf", "policy.rateLimit", "policy.rateLimitSettings", "policy.extauth", // not supported (D29)
		"policy.extauthSettings", "policy.transformations",
		"policy.trafficShift.destinations.virtualDestination.", "policy.trafficShift.destinations.staticDestination.",
		"policy.trafficShift.destinations.clusterHeader",
		"httpRequestMatchers.prefix", "httpRequestMatchers.exact", "httpRequestMatchers.regex", // the older spelling of uri
	)
	testReach(t, render.AccessPolicy(), networkingv1.AccessPolicySpec{})
}

func testReach[I any, O render.Object](t *testing.T, kind render.Kind[I, O], spec any, exceptions ...string) {
	t.Helper()
	reached := map[string]bool{}
	for _, f := range flagCases(t, kind.Noun).Files {
		if strings.HasSuffix(f.Name, ".flags") {
			var fields map[string]any
			if err := yaml.Unmarshal([]byte(yamlOf(t, build(t, kind, arguments(string(f.Data))))), &fields); err != nil {
				t.Fatal(err)
			}
			collect(fields["spec"], "", reached)
		}
	}
	for _, path := range leaves(reflect.TypeOf(spec), "") {
		excepted := strings.Contains(path, ".virtualDestinationMatcher.") || strings.Contains(path, ".virtualDestinationRefs.") ||
			slices.ContainsFunc(exceptions, func(e string) bool {
				return path == e || (strings.HasSuffix(e, ".") && strings.HasPrefix(path, e))
			})
		switch {
		case excepted && reached[path]:
			t.Errorf("%s: spec.%s is an exception, but a flag sets it", kind.Noun, path)
		case !excepted && !reached[path]:
			t.Errorf("%s: no case of testdata/%s.txtar sets spec.%s", kind.Noun, kind.Noun, path)
		}
	}
}

// collect notes the path of everything in a value.
func collect(value any, path string, into map[string]bool) {
	into[path] = true
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			collect(inner, strings.TrimPrefix(path+"."+key, "."), into)
		}
	case []any:
		for _, inner := range v {
			collect(inner, path, into)
		}
	}
}

// leaves returns the paths of the fields of a type that have no fields
// themselves.
func leaves(t reflect.Type, path string) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t == reflect.TypeFor[core.Duration]() || t == reflect.TypeFor[apiextensionsv1.JSON]() {
		return []string{path}
	}
	var paths []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		paths = append(paths, leaves(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."))...)
	}
	return paths
}

// TestEveryFlagHasACase shows that no flag is left out of testdata, and that
// help can be made of every flag.
func TestEveryFlagHasACase(t *testing.T) {
	t.Parallel()
	testCases(t, render.VirtualMesh())
	testCases(t, render.TrafficPolicy())
	testCases(t, render.AccessPolicy())
}

func testCases[I any, O render.Object](t *testing.T, kind render.Kind[I, O]) {
	t.Helper()
	used := map[string]bool{}
	for _, f := range flagCases(t, kind.Noun).Files {
		if strings.HasSuffix(f.Name, ".flags") {
			for _, a := range arguments(string(f.Data)) {
				used[a.Name] = true
			}
		}
	}
	seen := map[string]bool{}
	for _, f := range kind.Fields {
		if !used[f.Name] {
			t.Errorf("%s: no case uses --%s", kind.Noun, f.Name)
		}
		if seen[f.Name] || f.Group == "" || f.Usage == "" || strings.Contains(f.Usage, "\n") {
			t.Errorf("%s: --%s is there twice, or lacks a group or one line of help: %+v", kind.Noun, f.Name, f)
		}
		seen[f.Name] = true
	}
}

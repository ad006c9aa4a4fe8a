package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

const (
	baseMesh = `apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
metadata:
  annotations: {team: a}
  name: base
  namespace: gloo-mesh
spec:
  meshes: [{name: a, namespace: gloo-mesh}]
  mtlsConfig:
    autoRestartPods: true
    shared:
      intermediateCertOptions: {ttlDays: 7}
      rootCertificateAuthority: {generated: {ttlDays: 10, orgName: x}}
  federation:
    permissive: {}
    eastWestIngressGatewaySelectors: [{portName: tls}]
    hostnameSuffix: old
`
	basePolicy = `apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata: {name: base, namespace: gloo-mesh}
spec:
  sourceSelector: [{kubeWorkloadMatcher: {namespaces: [shop]}}]
  destinationSelector: [{kubeServiceMatcher: {}}]
  policy:
    csrf: {filterEnabled: true, deep: [1, 2.5, {a: null}]}
    faultInjection: {fixedDelay: 1s, percentage: 5}
    retries: {attempts: 3}
    headerManipulation: {removeRequestHeaders: [a]}
`
)

// TestBuildChangesABase shows that flags change what they name, and leave the
// rest.
func TestBuildChangesABase(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, flags, base string
		// gone and come are lines of the manifest, in any order.
		gone, come []string
	}{
		{"nothing", "", baseMesh, nil, nil},
		{
			"merge options", "--root-ttl-days 20", baseMesh,
			[]string{"ttlDays: 10"},
			[]string{"ttlDays: 20"},
		},
		{
			"another source", "--root-secret ca.gloo-mesh", baseMesh,
			[]string{"generated:", "orgName: x", "ttlDays: 10"},
			[]string{"secret:", "name: ca", "namespace: gloo-mesh"},
		},
		{
			"no trust", "--trust none\n--auto-restart-pods false", baseMesh,
			[]string{
				"mtlsConfig:", "autoRestartPods: true", "shared:", "intermediateCertOptions:", "ttlDays: 7",
				"rootCertificateAuthority:", "generated:", "orgName: x", "ttlDays: 10",
			},
			nil,
		},
		{
			"federation", "--federate nothing\n--gateway label:a=b\n--hostname-suffix new", baseMesh,
			[]string{"permissive: {}", "eastWestIngressGatewaySelectors:", "- portName: tls", "hostnameSuffix: old"},
			[]string{"hostnameSuffix: new", "ingressGatewaySelectors:", "- destinationSelectors:", "- kubeServiceMatcher:", "labels:", "a: b"},
		},
		{"retry timeout", "--retry-timeout 2s", basePolicy, nil, []string{"perTryTimeout: 2s"}},
		{"fault percentage", "--fault-percentage 6", basePolicy, []string{"percentage: 5"}, []string{"percentage: 6"}},
		{
			"another fault", "--fault-abort 503", basePolicy,
			[]string{"fixedDelay: 1s"},
			[]string{"abort:", "httpStatus: 503"},
		},
		{
			"lists are replaced", "--remove-request-header b\n--source all\n--destination a.b.c", basePolicy,
			[]string{"- a", "- kubeServiceMatcher: {}", "- kubeWorkloadMatcher:", "namespaces:", "- shop"},
			[]string{"- b", "- kubeServiceRefs:", "services:", "- clusterName: c", "name: a", "namespace: b", "- kubeWorkloadMatcher: {}"},
		},
	}
	for _, tt := range tests {
		var before, after string
		if strings.Contains(tt.base, "VirtualMesh") {
			before, after = rebuild(t, render.VirtualMesh(), tt.base, tt.flags)
		} else {
			before, after = rebuild(t, render.TrafficPolicy(), tt.base, tt.flags)
		}
		gone, come := lineDifference(before, after), lineDifference(after, before)
		if diff := cmp.Diff(counted(tt.gone), gone); diff != "" {
			t.Errorf("%s: lines gone (-want +got):\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(counted(tt.come), come); diff != "" {
			t.Errorf("%s: lines come (-want +got):\n%s", tt.name, diff)
		}
	}
}

func rebuild[I any, O render.Object](t *testing.T, kind render.Kind[I, O], base, flags string) (before, after string) {
	t.Helper()
	o, err := kind.Decode(validation.New(), []byte(base))
	if err != nil {
		t.Fatal(err)
	}
	before = yamlOf(t, o)
	in, err := kind.Parse(arguments(flags), render.Names{})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := kind.Build(render.Meta{}, in, &o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, yamlOf(t, o)); diff != "" {
		t.Errorf("building changed the base (-want +got):\n%s", diff)
	}
	return before, yamlOf(t, changed)
}

// lineDifference counts the lines that the first text has more of.
func lineDifference(a, b string) map[string]int {
	count := map[string]int{}
	for _, line := range strings.Split(a, "\n") {
		count[strings.TrimSpace(line)]++
	}
	for _, line := range strings.Split(b, "\n") {
		count[strings.TrimSpace(line)]--
	}
	for line, n := range count {
		if n <= 0 {
			delete(count, line)
		}
	}
	return count
}

func counted(lines []string) map[string]int {
	count := map[string]int{}
	for _, line := range lines {
		count[line]++
	}
	return count
}

func TestBuildWithoutBase(t *testing.T) {
	t.Parallel()
	kind := render.AccessPolicy()
	none, err := kind.Build(render.Meta{Name: "x", Namespace: "n"}, &render.AccessPolicyInput{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var nilBase *networkingv1.AccessPolicy // counts as none
	same, err := kind.Build(render.Meta{Name: "x", Namespace: "n"}, &render.AccessPolicyInput{}, &nilBase)
	if err != nil {
		t.Fatal(err)
	}
	want := "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: AccessPolicy\nmetadata:\n  name: x\n  namespace: \"n\"\nspec: {}\n"
	if diff := cmp.Diff([]string{want, want}, []string{yamlOf(t, none), yamlOf(t, same)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestBuildCopies shows that a resource does not change with its input.
func TestBuildCopies(t *testing.T) {
	t.Parallel()
	kind := render.AccessPolicy()
	in := &render.AccessPolicyInput{Paths: []string{"/a"}}
	o, err := kind.Build(render.Meta{Name: "x"}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	in.Paths[0] = "/b"
	if got := o.Spec.AllowedPaths[0]; got != "/a" {
		t.Errorf("the path became %s", got)
	}
}

// TestArgumentsThatAreNotExact shows what flags cannot express.
func TestArgumentsThatAreNotExact(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy\nmetadata: {name: a, namespace: b}\nspec: "
	tests := []struct {
		name, manifest string
		exact          bool
		want           []render.Argument
	}{
		{"plain", head + "{policy: {requestTimeout: 1500ms}}", true, []render.Argument{{Name: "timeout", Value: "1500ms"}}},
		{"labels", strings.Replace(head, "name: a", "labels: {x: z}, name: a", 1) + "{policy: {requestTimeout: 1s}}", false, []render.Argument{{Name: "timeout", Value: "1s"}}},
		{"opaque filter", head + "{policy: {csrf: {}}}", false, nil},
		{"deprecated uri", head + "{httpRequestMatchers: [{prefix: /a}]}", false, []render.Argument{{Name: "match", Value: "prefix=/a"}}},
		{"selector of nothing", head + "{destinationSelector: [{}]}", false, nil},
		{
			"selector of two kinds", head + "{destinationSelector: [{kubeServiceMatcher: {}, kubeServiceRefs: {services: [{name: a, namespace: b, clusterName: c}]}}]}", false,
			[]render.Argument{{Name: "destination-selector", Value: "service=a.b.c"}, {Name: "destination-selector", Value: "all"}},
		},
		{"weights", head + "{policy: {trafficShift: {destinations: [{weight: 100, virtualDestination: {name: a}}]}}}", false, nil},
	}
	v := validation.New()
	kind := render.TrafficPolicy()
	for _, tt := range tests {
		o, err := kind.Decode(v, []byte(tt.manifest))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, exact := kind.Arguments(o)
		if exact != tt.exact {
			t.Errorf("%s: exact: %t, want %t", tt.name, exact, tt.exact)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

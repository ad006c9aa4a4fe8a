// Package growth checks that the time of operations on policies grows linearly with their
// number.
package growth

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

const (
	small, factor = 100, 8
	// allowed is well below factor times factor, the cost of comparing each policy with all
	// others.
	allowed = 3 * factor
	noise   = 20 * time.Millisecond
)

// shape is a kind of policy of which there may be many on the same Destinations. %[1]d stands
// for the number of the policy.
type shape struct{ name, kind, spec string }

func shapes() []shape {
	const labelled = "  sourceSelector: [{kubeWorkloadMatcher: {labels: {user: u%[1]d}}}]\n"
	const path = "  httpRequestMatchers: [{uri: {prefix: /a%[1]d}}]\n"
	return []shape{
		{"policies in conflict", "TrafficPolicy", "  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for requests of their own", "TrafficPolicy", path + "  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for headers of their own", "TrafficPolicy", "  httpRequestMatchers: [{headers: [{name: user, value: u%[1]d}]}]\n  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for sources of their own", "TrafficPolicy", labelled + "  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for namespaces of their own", "TrafficPolicy", "  sourceSelector: [{kubeWorkloadMatcher: {namespaces: [n%[1]d]}}]\n  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for clusters of their own", "TrafficPolicy", "  sourceSelector: [{kubeWorkloadMatcher: {clusters: [c%[1]d]}}]\n  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for ports of their own", "TrafficPolicy", "  destinationPorts: [%[1]d]\n  policy: {requestTimeout: %[1]ds}\n"},
		{"policies for sources and requests of their own", "TrafficPolicy", labelled + path + "  policy: {requestTimeout: %[1]ds}\n"},
		{"subsets", "TrafficPolicy", path + "  policy: {trafficShift: {destinations: [{kubeService: {name: reviews, namespace: bookinfo, clusterName: east, subset: {version: v%[1]d}}}]}}\n"},
		{"retries", "TrafficPolicy", path + "  policy: {requestTimeout: 1s, retries: {attempts: 2, perTryTimeout: %[1]ds}}\n"},
		{"INVALID policies", "TrafficPolicy", "  sourceSelector: [{kubeWorkloadMatcher: {namespaces: ['*%[1]d']}}]\n  policy: {requestTimeout: %[1]ds}\n"},
		{"access for accounts", "AccessPolicy", "  sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: a%[1]d, namespace: b, clusterName: east}]}}]\n"},
		{"access for namespaces", "AccessPolicy", "  sourceSelector: [{kubeIdentityMatcher: {namespaces: [bookinfo, n%[1]d]}}]\n"},
		{"access to paths", "AccessPolicy", "  allowedPaths: [/a%[1]d]\n"},
		{"INVALID access policies", "AccessPolicy", "  sourceSelector: [{kubeIdentityMatcher: {namespaces: ['*%[1]d']}}]\n"},
		{"virtual meshes", "VirtualMesh", "  displayName: v%[1]d\n  meshes: [{name: istiod-istio-system-east, namespace: gloo-mesh}]\n"},
		{"virtual meshes of missing meshes", "VirtualMesh", "  meshes: [{name: m%[1]d, namespace: gloo-mesh}]\n"},
	}
}

// Check measures the work returned by prepare on worlds with many policies on the same
// Destinations. Eight times as many policies must not take much more than eight times as long;
// comparing each with all others would take 64 times as long. root is the path to the top of
// the repository.
//
// It measures the CPU time of the process, so the test must not run in parallel.
func Check(t *testing.T, root string, prepare func(w *world.World) (work func())) {
	t.Helper()
	validator := validation.New()
	for _, s := range shapes() {
		few, many := s.cost(t, validator, root, small, prepare), s.cost(t, validator, root, factor*small, prepare)
		if many > allowed*few+noise {
			t.Errorf("%s: %d times as many take %v instead of %v", s.name, factor, many, few)
		}
	}
}

// cost returns the minimum CPU time of two runs.
func (s shape) cost(t *testing.T, validator *validation.Validator, root string, count int, prepare func(*world.World) func()) time.Duration {
	t.Helper()
	var text strings.Builder
	for i := range count {
		fmt.Fprintf(&text, "---\napiVersion: networking.mesh.gloo.solo.io/v1\nkind: %s\nmetadata: {name: p%d, namespace: gloo-mesh}\nspec:\n", s.kind, i)
		fmt.Fprintf(&text, s.spec, i+1)
	}
	objects, err := load.Files(t.Context(), load.FileOptions{
		Paths: []string{"-", filepath.Join(root, "testdata", "worlds", "bookinfo-two-clusters")}, Recursive: true, Stdin: strings.NewReader(text.String()),
	}, validator)
	if err != nil {
		t.Fatal(err)
	}
	w := world.New(objects)
	least := time.Duration(0)
	for range 2 {
		work := prepare(w)
		runtime.GC()
		start := cputime.Used()
		work()
		if used := cputime.Used() - start; least == 0 || used < least {
			least = used
		}
	}
	return least
}

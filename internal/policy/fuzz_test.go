package policy_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// FuzzEvaluate holds the engine against what must be true of any world, however
// broken. A failing world is named by its seed.
func FuzzEvaluate(f *testing.F) {
	for seed := range uint64(16) {
		f.Add(seed)
	}
	f.Fuzz(checkWorld)
}

// TestRandomWorlds is a short run of FuzzEvaluate that is the same every time.
func TestRandomWorlds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		checkWorld(t, seed)
		if t.Failed() {
			t.Fatalf("in the world of seed %d", seed)
		}
	}
}

func checkWorld(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	objects := randomworld.Objects(random)
	all := world.New(objects)
	result := policy.Evaluate(all)
	full := describeAll(result, true)

	checkOrderIndependence(t, random, objects, seed%16 == 0)
	checkUnrelatedPolicy(t, objects)
	checkSummary(t, full, describeAll(result, false))
	for _, w := range full.Items {
		checkEffects(t, w)
		checkDefaultRoutes(t, w)
	}
	checkDefaultVerdicts(t, result)
}

func describeAll(result *policy.Result, details bool) describe.WorkloadDescriptionList {
	return describe.Workloads(result, result.World.WorkloadPointers(), describe.WorkloadOptions{
		Details: details, AllDestinations: details, WholeWorld: true,
	})
}

// everything is all that can be said about a world: as JSON, and as text for
// people, too, if asked for, which takes most of the time.
func everything(t *testing.T, objects world.Objects, text bool) string {
	t.Helper()
	w := world.New(objects)
	result := policy.Evaluate(w)
	formats := []output.Format{output.FormatJSON}
	if text {
		formats = append(formats, output.FormatWide)
	}
	var out bytes.Buffer
	show := func(answer interface{ View() view.View }) {
		for _, format := range formats {
			if err := output.Write(&out, format, false, answer.View()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, details := range []bool{true, false} {
		opts := describe.Options{Details: details}
		show(describeAll(result, details))
		show(describe.Destinations(result, pointers(w.Destinations), opts))
		show(describe.Meshes(result, pointers(w.Meshes), opts))
		show(describe.VirtualMeshes(result, positions(w.VirtualMeshes), opts))
		show(describe.TrafficPolicies(result, positions(w.TrafficPolicies), opts))
		show(describe.AccessPolicies(result, positions(w.AccessPolicies), opts))
		show(describe.Clusters(result, w.Clusters(), opts))
	}
	formats = formats[:1]
	show(describe.Workloads(result, w.WorkloadPointers(), describe.WorkloadOptions{Details: true}))
	show(describe.Statuses(result, describe.StatusVirtualMesh, positions(w.VirtualMeshes)))
	show(describe.Statuses(result, describe.StatusTrafficPolicy, positions(w.TrafficPolicies)))
	show(describe.Statuses(result, describe.StatusAccessPolicy, positions(w.AccessPolicies)))
	show(describe.Statuses(result, describe.StatusMesh, positions(w.Meshes)))
	show(describe.Statuses(result, describe.StatusWorkload, positions(w.Workloads)))
	show(describe.Statuses(result, describe.StatusDestination, positions(w.Destinations)))
	return out.String()
}

func pointers[T any](values []T) []*T {
	found := make([]*T, len(values))
	for i := range values {
		found[i] = &values[i]
	}
	return found
}

func positions[T any](values []T) []int {
	found := make([]int, len(values))
	for i := range values {
		found[i] = i
	}
	return found
}

func checkOrderIndependence(t *testing.T, random *rand.Rand, objects world.Objects, text bool) {
	t.Helper()
	given, mixed := everything(t, objects, text), everything(t, randomworld.Shuffled(random, objects), text)
	if given != mixed {
		t.Errorf("the order of the objects changes the answer (-given +shuffled)\n%s", cmp.Diff(given, mixed))
	}
}

// checkUnrelatedPolicy adds a Service that stands apart, and then a policy from
// its workload to itself, which must not matter to anybody else.
func checkUnrelatedPolicy(t *testing.T, objects world.Objects) {
	t.Helper()
	const name, namespace, cluster = "hermit", "apart", "east"
	mesh := &core.ObjectRef{Name: "mesh-" + cluster, Namespace: world.DefaultNamespace}
	labels := map[string]string{"app": name}
	service := core.ClusterObjectRef{Name: name, Namespace: namespace, ClusterName: cluster}
	objects.Workloads = append(slices.Clip(objects.Workloads), world.Object[discoveryv1.Workload]{Resource: &discoveryv1.Workload{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: world.DefaultNamespace},
		Spec: discoveryv1.WorkloadSpec{Mesh: mesh, Kubernetes: &discoveryv1.KubernetesWorkload{
			Controller: &service, PodLabels: labels, ServiceAccountName: name,
		}},
	}})
	objects.Destinations = append(slices.Clip(objects.Destinations), world.Object[discoveryv1.Destination]{Resource: &discoveryv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: world.DefaultNamespace},
		Spec: discoveryv1.DestinationSpec{Mesh: mesh, KubeService: &discoveryv1.KubeService{
			Ref: &service, WorkloadSelectorLabels: labels, Ports: []discoveryv1.KubeServicePort{{Port: 8080, Name: "http"}},
		}},
	}})
	without := others(describeAll(policy.Evaluate(world.New(objects)), true), name)

	added := &networkingv1.TrafficPolicy{ObjectMeta: metav1.ObjectMeta{
		Name: "zz", Namespace: "zz", // after all others in the order of D11
		CreationTimestamp: metav1.NewTime(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)),
	}}
	added.Spec.SourceSelector = []core.WorkloadSelector{{KubeWorkloadMatcher: &core.KubeWorkloadMatcher{Labels: labels}}}
	added.Spec.DestinationSelector = []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service}}}}
	added.Spec.Policy = &networkingv1.TrafficPolicyPolicy{
		RequestTimeout: core.NewDuration(time.Minute), Retries: &networkingv1.RetryPolicy{Attempts: 9},
	}
	objects.TrafficPolicies = append(slices.Clip(objects.TrafficPolicies), world.Object[networkingv1.TrafficPolicy]{Resource: added})
	with := others(describeAll(policy.Evaluate(world.New(objects)), true), name)
	if without != with {
		t.Errorf("a policy changes what is said about workloads that it does not concern (-without +with)\n%s", cmp.Diff(without, with))
	}
}

// others returns the descriptions of all workloads but one as text, without
// their calls to the Service of that name.
func others(list describe.WorkloadDescriptionList, name string) string {
	list.Items = slices.DeleteFunc(list.Items, func(w describe.WorkloadDescription) bool { return w.Name == name })
	for i := range list.Items {
		w := &list.Items[i]
		w.Outbound = slices.DeleteFunc(w.Outbound, func(call describe.OutboundDestination) bool { return call.Destination.Name == name })
	}
	list.Findings = nil
	var out bytes.Buffer
	if err := output.Write(&out, output.FormatJSON, false, list.View()); err != nil {
		return err.Error()
	}
	return out.String()
}

// checkSummary compares the numbers in summaries with what details list.
func checkSummary(t *testing.T, full, summary describe.WorkloadDescriptionList) {
	t.Helper()
	count := func(list describe.WorkloadDescriptionList) []string {
		var lines []string
		for _, w := range list.Items {
			for _, p := range w.Policies {
				n := len(p.Destinations)
				if p.DestinationCount != nil {
					n = *p.DestinationCount
				}
				lines = append(lines, fmt.Sprintf("%s: %s %s.%s as %s is %s on %d, errors %q", w.Key(), p.Kind, p.Name, p.Namespace, p.Role, p.State, n, p.Errors))
			}
		}
		return lines
	}
	if diff := cmp.Diff(count(full), count(summary)); diff != "" {
		t.Errorf("the summary differs from the details (-details +summary)\n%s", diff)
	}
}

// checkEffects looks for policies that claim to be effective nowhere.
func checkEffects(t *testing.T, w describe.WorkloadDescription) {
	t.Helper()
	for _, p := range w.Policies {
		switch {
		case p.State != policy.StateInvalid && len(p.Destinations) == 0:
			t.Errorf("%s: %s %s is %s as %s, but on no Destination", w.Key(), p.Kind, p.Name, p.State, p.Role)
		case p.State != policy.StateApplied && len(p.Errors) == 0:
			t.Errorf("%s: %s %s is %s as %s, but nothing says why", w.Key(), p.Kind, p.Name, p.State, p.Role)
		case p.State == policy.StateApplied && len(p.Errors) > 0:
			t.Errorf("%s: %s %s is applied as %s in spite of %q", w.Key(), p.Kind, p.Name, p.Role, p.Errors)
		}
	}
}

// checkDefaultRoutes looks for requests that policies would turn into 404
// (D20): on every port that has routes the last one takes all.
func checkDefaultRoutes(t *testing.T, w describe.WorkloadDescription) {
	t.Helper()
	for _, call := range w.Outbound {
		last := map[uint32]describe.Route{}
		for _, route := range call.Routes {
			for _, port := range route.Ports {
				if before, seen := last[port]; seen && before.Match == nil {
					t.Errorf("%s: to %s, port %d: a route follows one that takes every request", w.Key(), call.Destination, port)
				}
				last[port] = route
			}
		}
		for port, route := range last {
			if route.Match != nil {
				t.Errorf("%s: to %s, port %d: no route takes what no policy matches", w.Key(), call.Destination, port)
			}
		}
	}
}

// checkDefaultVerdicts compares the verdicts about Destinations without access
// rules with the default of their pods' virtual mesh.
func checkDefaultVerdicts(t *testing.T, result *policy.Result) {
	t.Helper()
	world, calls := result.World, reach.In(result)
	for i := range world.Destinations {
		d := &world.Destinations[i]
		want, known := defaultVerdict(result, d)
		if !known || calls.Vary(d) { // connections may fail, whatever the default
			continue
		}
		for _, w := range world.WorkloadPointers() {
			if _, _, ok := result.Reach(w, d); !ok {
				continue
			}
			if !accepted(result, w, d) || !unobstructed(w, d) {
				continue
			}
			if got := calls.Verdict(w, d); got.Decision != want || len(got.Policies) > 0 {
				t.Errorf("%s to %s: verdict %s by policies %v, want the default %s", w.Names().Full(), d.Key(), got.Decision, got.Policies, want)
			}
		}
	}
}

// unobstructed reports whether nothing can be in the way of a call before a
// connection is made.
func unobstructed(w *world.Workload, d *world.Destination) bool {
	resolves, _ := w.ResolvesFederatedNames()
	joined, _ := w.Mesh.RemoteClusters()
	_, visible := d.VisibleNamespaces()
	if d.Mesh != nil {
		others, _ := d.Mesh.RemoteClusters()
		joined = append(joined, others...)
	}
	return (resolves || w.Cluster == d.Ref.ClusterName) && d.Facts == nil && visible && len(joined) == 0 && !d.IsExternalName()
}

// accepted reports whether all pods behind a Destination accept the trust domain of
// a caller (D47).
func accepted(result *policy.Result, w *world.Workload, d *world.Destination) bool {
	meshes := []*world.Mesh{d.Mesh}
	for _, pod := range d.Backing {
		meshes = append(meshes, result.World.Workloads[pod].Mesh)
	}
	return !slices.ContainsFunc(meshes, func(m *world.Mesh) bool {
		if m == nil || m.Type != world.MeshIstio || w.Mesh.Type != world.MeshIstio {
			return false
		}
		accepts, _ := m.AcceptsTrustDomain(w.Mesh.TrustDomain)
		return !accepts
	})
}

// defaultVerdict returns what holds for a Destination on whose pods there is no
// access rule; false if there is one, or if its pods differ.
func defaultVerdict(result *policy.Result, d *world.Destination) (reach.Decision, bool) {
	meshes := []*world.Mesh{d.Mesh}
	if len(d.Backing) > 0 {
		meshes = nil
	}
	for _, pod := range d.Backing {
		w := &result.World.Workloads[pod]
		meshes = append(meshes, w.Mesh)
		for _, id := range w.Backs {
			if len(result.RulesOf(id)) > 0 || result.World.Destinations[id].Selector["istio"] != "" || result.GatewayOf(&result.World.Destinations[id]) != nil {
				return "", false
			}
		}
	}
	if len(result.RulesOf(d.ID)) > 0 || d.Selector["istio"] != "" || result.GatewayOf(d) != nil {
		return "", false
	}
	decision := map[bool]reach.Decision{false: reach.Allowed, true: reach.Denied}
	for _, m := range meshes {
		if denies(result, m) != denies(result, meshes[0]) {
			return "", false
		}
	}
	return decision[denies(result, meshes[0])], true
}

// denies reports whether a mesh denies by default: by its own virtual mesh, or by
// that of another control plane with the same root namespace (D64).
func denies(result *policy.Result, m *world.Mesh) bool {
	if m == nil {
		return false
	}
	for i := range result.World.Meshes {
		other := &result.World.Meshes[i]
		shared := other.Type == world.MeshIstio && m.Type == world.MeshIstio && other.Cluster == m.Cluster && other.Namespace == m.Namespace && m.Namespace != ""
		if (i == m.ID || shared) && deniesItself(result, other) {
			return true
		}
	}
	return false
}

func deniesItself(result *policy.Result, m *world.Mesh) bool {
	if result.Meshes[m.ID].VirtualMesh == nil {
		return false
	}
	access := result.Meshes[m.ID].VirtualMesh.Resource.Spec.GlobalAccessPolicy
	if access == networkingv1.GlobalAccessPolicyEnabled {
		return true
	}
	return m.Type == world.MeshAppMesh && access != networkingv1.GlobalAccessPolicyDisabled
}

package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// governedWorld is a random world as stored in a management cluster.
type governedWorld struct{ objects world.Objects }

func newGovernedWorld(seed uint64) *governedWorld {
	w := &governedWorld{objects: genworld.Objects(genworld.Size{Clusters: 3, Services: 6, Traffic: 30, Access: 12, Seed: seed})}
	w.each(func(kind string, meta *metav1.ObjectMeta, _ any) {
		meta.UID, meta.Generation = types.UID(kind+"/"+meta.Name), 2
	})
	return w
}

// each calls visit for every resource that has a status.
func (w *governedWorld) each(visit func(kind string, meta *metav1.ObjectMeta, status any)) {
	for _, o := range w.objects.VirtualMeshes {
		visit("VirtualMesh", &o.Resource.ObjectMeta, &o.Resource.Status)
	}
	for _, o := range w.objects.TrafficPolicies {
		visit("TrafficPolicy", &o.Resource.ObjectMeta, &o.Resource.Status)
	}
	for _, o := range w.objects.AccessPolicies {
		visit("AccessPolicy", &o.Resource.ObjectMeta, &o.Resource.Status)
	}
	for _, o := range w.objects.Meshes {
		visit("Mesh", &o.Resource.ObjectMeta, &o.Resource.Status)
	}
	for _, o := range w.objects.Destinations {
		visit("Destination", &o.Resource.ObjectMeta, &o.Resource.Status)
	}
}

// apply writes, and returns, the statuses of a pass in which writing to clusters had the given
// results.
func (w *governedWorld) apply(t *testing.T, clusters ...Cluster) map[string]map[string]any {
	t.Helper()
	p := &Plan{Result: policy.Evaluate(world.New(w.objects)), Clusters: clusters}
	updates, err := p.statusUpdates()
	if err != nil {
		t.Fatal(err)
	}
	return w.store(t, updates)
}

// store writes statuses, and returns them.
func (w *governedWorld) store(t *testing.T, updates []kube.StatusUpdate) map[string]map[string]any {
	t.Helper()
	written := map[string]map[string]any{}
	for _, update := range updates {
		written[update.Key.GVK.Kind+"/"+update.Key.Name] = update.Fields
	}
	w.each(func(kind string, meta *metav1.ObjectMeta, status any) {
		fields, changes := written[kind+"/"+meta.Name]
		if !changes {
			return
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		reflect.ValueOf(status).Elem().SetZero() // the status is replaced as a whole
		if err := json.Unmarshal(text, status); err != nil {
			t.Fatal(err)
		}
	})
	return written
}

// A second pass without changes writes no status.
func TestStatusesAreAFixedPoint(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		w := newGovernedWorld(seed + 1)
		first := w.apply(t)
		if want := len(w.objects.VirtualMeshes) + len(w.objects.TrafficPolicies) + len(w.objects.AccessPolicies) + len(w.objects.Meshes) + len(w.objects.Destinations); len(first) != want {
			t.Errorf("seed %d: the first pass writes %d statuses, not all %d", seed, len(first), want)
		}
		for name, fields := range first {
			if fields["observedGeneration"] != int64(2) {
				t.Errorf("%s: observedGeneration is %v", name, fields["observedGeneration"])
			}
		}
		if diff := cmp.Diff(map[string]map[string]any{}, w.apply(t)); diff != "" {
			t.Errorf("seed %d: the second pass writes (-want +got):\n%s", seed, diff)
		}
	}
}

// An accepted policy stays accepted, even if a later one sorts before it (D11).
func TestAcceptanceIsStable(t *testing.T) {
	t.Parallel()
	w := newGovernedWorld(7)
	w.apply(t)
	before := map[string]map[string]core.ApprovalStatus{}
	for _, o := range w.objects.TrafficPolicies {
		before[o.Resource.Name] = o.Resource.Status.Destinations
	}
	// Each of these sets a field of an accepted policy to another value.
	earlier := genworld.Objects(genworld.Size{Clusters: 3, Services: 6, Traffic: 30, Access: 12, Seed: 7}).TrafficPolicies
	for i := range earlier {
		p := earlier[i].Resource
		p.Name, p.UID, p.Generation = fmt.Sprintf("a-%03d", i), types.UID(fmt.Sprintf("new-%d", i)), 1
		if p.Spec.Policy != nil && p.Spec.Policy.RequestTimeout != nil {
			p.Spec.Policy.RequestTimeout = core.NewDuration(7 * time.Hour)
		}
		w.objects.TrafficPolicies = append(w.objects.TrafficPolicies, earlier[i])
	}
	w.apply(t)
	rejected := 0
	for _, o := range w.objects.TrafficPolicies {
		was, old := before[o.Resource.Name]
		if !old {
			for _, approval := range o.Resource.Status.Destinations {
				if approval.State == core.ApprovalStateInvalid {
					rejected++
				}
			}
			continue
		}
		if diff := cmp.Diff(was, o.Resource.Status.Destinations); diff != "" {
			t.Errorf("%s (-before +after):\n%s", o.Resource.Name, diff)
		}
	}
	if rejected == 0 {
		t.Error("no new policy conflicts with an accepted one: the test proves nothing")
	}
}

// Write errors appear in the statuses of the resources from which the objects are rendered,
// until the error is fixed.
func TestFailuresInStatuses(t *testing.T) {
	t.Parallel()
	w := newGovernedWorld(3)
	objects, _ := istio.New(policy.Evaluate(world.New(w.objects)), istio.Options{}).Cluster("cluster-01")
	well := Cluster{Name: "cluster-01", Objects: objects}
	w.apply(t, well)
	cluster := well
	failed := map[string]bool{}
	for i := range objects {
		if o := &objects[i]; o.Kind == istio.KindVirtualService && i%2 == 0 {
			cluster.Changes = append(cluster.Changes, Change{
				Kind: kube.ChangeAdd, Key: keyOf(o), desired: o, Outcome: kube.Failed,
				Err: &kube.Error{Cluster: "cluster-01", Action: "apply it", Reason: kube.ReasonInvalid, Why: "no"},
			})
			for _, parent := range o.Parents {
				if parent.Kind != "Destination" {
					failed[parent.Kind+"/"+parent.Name] = true
				}
			}
		}
	}
	if len(failed) == 0 {
		t.Fatal("no policy is rendered: the test proves nothing")
	}
	written := w.apply(t, cluster)
	for name, fields := range written {
		if fields["state"] != "FAILED" && fields["state"] != "INVALID" {
			t.Errorf("%s is %v", name, fields["state"])
		}
		errs, _ := fields["errors"].([]any)
		if len(errs) == 0 || errs[len(errs)-1] != "cannot apply it on cluster cluster-01: no" {
			t.Errorf("%s has the errors %v", name, errs)
		}
		if !failed[name] {
			t.Errorf("%s has nothing to do with what failed", name)
		}
		want := map[string]any{"written": "0/1", "failedClusters": []any{"cluster-01"}}
		if diff := cmp.Diff(want, whereWritten(fields)); diff != "" {
			t.Errorf("%s: where it was written (-want +got)\n%s", name, diff)
		}
	}
	if len(written) != len(failed) {
		t.Errorf("%d statuses are written, want %d", len(written), len(failed))
	}
	// A new policy does not take precedence over those that failed.
	if again := w.apply(t, cluster); len(again) > 0 {
		t.Errorf("failing again writes %d statuses", len(again))
	}
	for name, fields := range w.apply(t, well) {
		if fields["state"] == "FAILED" || !failed[name] {
			t.Errorf("%s after the repair: %v", name, fields)
		}
		if diff := cmp.Diff(map[string]any{"written": "1/1", "clusters": []any{"cluster-01"}}, whereWritten(fields)); diff != "" {
			t.Errorf("%s: where it was written after the repair (-want +got)\n%s", name, diff)
		}
		delete(failed, name)
	}
	if len(failed) > 0 {
		t.Errorf("not updated after the repair: %v", failed)
	}
}

// whereWritten returns what a status says about where an object was written.
func whereWritten(status map[string]any) map[string]any {
	record, _ := status["meshctl"].(map[string]any)
	record = maps.Clone(record)
	delete(record, "trustDomains")
	return record
}

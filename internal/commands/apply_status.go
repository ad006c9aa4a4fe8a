package commands

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// statusOutcome is what came of the status of one resource.
type statusOutcome struct {
	kind, namespace, name string
	err                   *kube.Error
}

// writeStatuses makes the resources of the management cluster say what became
// of them (semantics 3.8). Only those that change are read again and written.
func (a *applying) writeStatuses(ctx context.Context) {
	if a.management == nil || !a.writes() || a.incomplete || len(a.only) > 0 || ctx.Err() != nil {
		return
	}
	updates, err := a.statusUpdates()
	if err != nil {
		a.say("error: %s", err)
		a.statusFailed = true
		return
	}
	if len(updates) == 0 {
		return
	}
	results := kube.WriteStatuses(ctx, a.management, updates, kube.DryRunNone)
	count := map[kube.Outcome]int{}
	var errs []string
	for i := range results {
		r := &results[i]
		count[r.Outcome]++
		if r.Outcome == kube.Configured || r.Err != nil {
			a.statuses = append(a.statuses, statusOutcome{r.GVK.Kind, r.Namespace, r.Name, r.Err})
		}
		if r.Err != nil && r.Err.Reason != kube.ReasonCancelled {
			errs = append(errs, "error: "+r.Err.Error())
		}
	}
	a.tellBounded(errs)
	a.statusFailed = len(errs) > 0
	if written := count[kube.Configured]; written > 0 {
		a.say("%s: the status of %s written", a.management.Name, countOf(written, "resource", "resources"))
	}
}

// statusUpdates are the statuses that differ from those that were read.
func (a *applying) statusUpdates() ([]kube.StatusUpdate, error) {
	w := &statusWriter{failures: a.failuresByParent()}
	result, world := a.result, a.result.World
	for i := range world.VirtualMeshes {
		vm := world.VirtualMeshes[i].Resource
		status := result.VirtualMeshStatus(i)
		status.State, status.Errors = w.failed(policy.ObjectID{Kind: "VirtualMesh", Namespace: vm.Namespace, Name: vm.Name}, status.State, status.Errors)
		w.add(networkingv1.GroupVersion().WithKind("VirtualMesh"), &vm.ObjectMeta, vm.Status, status, "conditions", "deployedSharedTrust")
	}
	for i := range world.TrafficPolicies {
		p := world.TrafficPolicies[i].Resource
		status := result.TrafficPolicyStatus(i)
		status.State, status.Errors = w.failed(policy.ObjectID{Kind: string(policy.KindTrafficPolicy), Namespace: p.Namespace, Name: p.Name}, status.State, status.Errors)
		w.add(networkingv1.GroupVersion().WithKind(string(policy.KindTrafficPolicy)), &p.ObjectMeta, p.Status, status)
	}
	for i := range world.AccessPolicies {
		p := world.AccessPolicies[i].Resource
		status := result.AccessPolicyStatus(i)
		status.State, status.Errors = w.failed(policy.ObjectID{Kind: string(policy.KindAccessPolicy), Namespace: p.Namespace, Name: p.Name}, status.State, status.Errors)
		w.add(networkingv1.GroupVersion().WithKind(string(policy.KindAccessPolicy)), &p.ObjectMeta, p.Status, status)
	}
	for i := range world.Meshes {
		mesh := world.Meshes[i].Resource
		w.add(discoveryv1.GroupVersion().WithKind("Mesh"), &mesh.ObjectMeta, mesh.Status, result.MeshStatus(i))
	}
	for i := range world.Destinations {
		d := world.Destinations[i].Resource
		w.add(discoveryv1.GroupVersion().WithKind("Destination"), &d.ObjectMeta, d.Status, result.DestinationStatus(i))
	}
	return w.updates, w.err
}

// failuresByParent returns what went wrong in clusters, by the resource that
// the objects come from, each reason once and in order.
func (a *applying) failuresByParent() map[policy.ObjectID][]string {
	failures := map[policy.ObjectID][]string{}
	note := func(parents []policy.ObjectID, text string) {
		for _, parent := range parents {
			if !slices.Contains(failures[parent], text) {
				failures[parent] = append(failures[parent], text)
			}
		}
	}
	for i := range a.targets {
		t := &a.targets[i]
		if t.err != nil {
			for k := range t.objects {
				note(t.objects[k].Parents, t.err.Error())
			}
		}
		for k := range t.results {
			if r := &t.results[k]; r.Err != nil {
				note(t.parentsOf(keyOfResult(r)), r.Err.Error())
			}
		}
	}
	return failures
}

// statusWriter collects statuses that differ.
type statusWriter struct {
	failures map[policy.ObjectID][]string
	updates  []kube.StatusUpdate
	err      error
}

// reportedFailures bounds how many errors one status has.
const reportedFailures = 10

// failed adds to a status what could not be written. Who is INVALID stays so.
func (w *statusWriter) failed(id policy.ObjectID, state core.ApprovalState, errs []string) (core.ApprovalState, []string) {
	failures := w.failures[id]
	if len(failures) == 0 {
		return state, errs
	}
	if state == core.ApprovalStateAccepted {
		state = core.ApprovalStateFailed
	}
	return state, append(slices.Clone(errs), failures[:min(len(failures), reportedFailures)]...)
}

// add compares the status that a resource has with the one that it should have.
// Fields to keep belong to somebody else.
func (w *statusWriter) add(gvk schema.GroupVersionKind, meta *metav1.ObjectMeta, has, want any, keep ...string) {
	if meta.UID == "" || w.err != nil {
		return // not from a cluster
	}
	before, err := plainFields(has)
	if err != nil {
		w.err = err
		return
	}
	after, err := plainFields(want)
	if err != nil {
		w.err = err
		return
	}
	for _, name := range keep {
		delete(before, name)
		delete(after, name)
	}
	if reflect.DeepEqual(before, after) {
		return
	}
	w.updates = append(w.updates, kube.StatusUpdate{
		Key: kube.ObjectKey{GVK: gvk, Namespace: meta.Namespace, Name: meta.Name}, UID: meta.UID, Fields: after, Keep: keep,
	})
}

// plainFields returns a status as a manifest has it.
func plainFields(status any) (map[string]any, error) {
	text, err := json.Marshal(status)
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if strings.TrimSpace(string(text)) == "null" {
		return fields, nil
	}
	return fields, utiljson.Unmarshal(text, &fields)
}

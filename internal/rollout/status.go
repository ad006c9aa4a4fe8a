package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/status"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// writeStatuses updates the statuses of the resources in the management cluster, as far as they
// change. If only a part is rolled out, it writes none, because a status is about all clusters.
func (p *Plan) writeStatuses(ctx context.Context) {
	if p.management == nil || p.Incomplete || len(p.opts.Only) > 0 || ctx.Err() != nil {
		return
	}
	updates, err := p.statusUpdates()
	if err != nil {
		p.StatusErr = err
		return
	}
	if len(updates) == 0 {
		return
	}
	p.Statuses = slices.DeleteFunc(kube.WriteStatuses(ctx, p.management, updates, kube.DryRunNone), func(r kube.Result) bool {
		return r.Outcome != kube.Configured && r.Err == nil
	})
}

// statusUpdates returns the statuses that differ from the stored ones.
func (p *Plan) statusUpdates() ([]kube.StatusUpdate, error) {
	w := &statusWriter{failures: p.failuresByParent(), written: p.writtenByParent()}
	result, world, statuses := p.Result, p.Result.World, status.Of(p.Result)
	for i := range world.VirtualMeshes {
		vm := world.VirtualMeshes[i].Resource
		computed := statuses.VirtualMesh(i)
		computed.Meshctl = recordOf(world, vm, w.written[result.VirtualMeshes[i].ID()])
		computed.State, computed.Errors = w.failed(result.VirtualMeshes[i].ID(), computed.State, computed.Errors)
		w.add(networkingv1.GroupVersion().WithKind("VirtualMesh"), &vm.ObjectMeta, vm.Status, computed, "conditions", "deployedSharedTrust")
	}
	for i := range world.TrafficPolicies {
		traffic := world.TrafficPolicies[i].Resource
		computed := statuses.TrafficPolicy(i)
		computed.Meshctl = w.written[result.TrafficPolicies[i].ID()]
		computed.State, computed.Errors = w.failed(result.TrafficPolicies[i].ID(), computed.State, computed.Errors)
		w.add(networkingv1.GroupVersion().WithKind(string(policy.KindTrafficPolicy)), &traffic.ObjectMeta, traffic.Status, computed)
	}
	for i := range world.AccessPolicies {
		access := world.AccessPolicies[i].Resource
		computed := statuses.AccessPolicy(i)
		computed.Meshctl = w.written[result.AccessPolicies[i].ID()]
		computed.State, computed.Errors = w.failed(result.AccessPolicies[i].ID(), computed.State, computed.Errors)
		w.add(networkingv1.GroupVersion().WithKind(string(policy.KindAccessPolicy)), &access.ObjectMeta, access.Status, computed)
	}
	for i := range world.Meshes {
		mesh := world.Meshes[i].Resource
		w.add(discoveryv1.GroupVersion().WithKind("Mesh"), &mesh.ObjectMeta, mesh.Status, statuses.Mesh(i))
	}
	for i := range world.Destinations {
		d := world.Destinations[i].Resource
		w.add(discoveryv1.GroupVersion().WithKind("Destination"), &d.ObjectMeta, d.Status, statuses.Destination(i))
	}
	return w.updates, w.err
}

// failuresByParent returns the distinct errors of each resource: those of the objects rendered
// from it, in the order of the clusters.
func (p *Plan) failuresByParent() map[world.ObjectID][]string {
	failures := map[world.ObjectID][]string{}
	note := func(parents []world.ObjectID, text string) {
		for _, parent := range parents {
			if !slices.Contains(failures[parent], text) {
				failures[parent] = append(failures[parent], text)
			}
		}
	}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		if c.Err != nil {
			for k := range c.Objects {
				note(c.Objects[k].Parents, c.Err.Error())
			}
		}
		for k := range c.Changes {
			if change := &c.Changes[k]; change.Err != nil {
				note(change.Parents(), change.Err.Error())
			}
		}
	}
	return failures
}

// writtenByParent returns, for each resource, the clusters to which its objects were written
// and those where that failed.
func (p *Plan) writtenByParent() map[world.ObjectID]*core.WrittenStatus {
	written := map[world.ObjectID]*core.WrittenStatus{}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		concerned, failed := map[world.ObjectID]bool{}, map[world.ObjectID]bool{}
		for k := range c.Objects {
			for _, parent := range c.Objects[k].Parents {
				concerned[parent], failed[parent] = true, c.Err != nil
			}
		}
		for k := range c.Changes {
			if change := &c.Changes[k]; change.Err != nil {
				for _, parent := range change.Parents() {
					concerned[parent], failed[parent] = true, true
				}
			}
		}
		for parent := range concerned {
			status := written[parent]
			if status == nil {
				status = &core.WrittenStatus{}
				written[parent] = status
			}
			if failed[parent] {
				status.FailedClusters = append(status.FailedClusters, c.Name)
			} else {
				status.Clusters = append(status.Clusters, c.Name)
			}
		}
	}
	for _, status := range written {
		status.Written = fmt.Sprintf("%d/%d", len(status.Clusters), len(status.Clusters)+len(status.FailedClusters))
	}
	return written
}

// statusWriter collects the statuses that differ.
type statusWriter struct {
	failures map[world.ObjectID][]string
	written  map[world.ObjectID]*core.WrittenStatus
	updates  []kube.StatusUpdate
	err      error
}

// reportedFailures limits the number of errors in a status.
const reportedFailures = 10

// failed adds write errors to a status. An INVALID resource stays INVALID.
func (w *statusWriter) failed(id world.ObjectID, state core.ApprovalState, errs []string) (core.ApprovalState, []string) {
	failures := w.failures[id]
	if len(failures) == 0 {
		return state, errs
	}
	if state == core.ApprovalStateAccepted {
		state = core.ApprovalStateFailed
	}
	return state, append(slices.Clone(errs), failures[:min(len(failures), reportedFailures)]...)
}

// add compares the stored status of a resource with the computed one. The fields in keep
// belong to someone else.
func (w *statusWriter) add(gvk schema.GroupVersionKind, meta *metav1.ObjectMeta, has, want any, keep ...string) {
	if meta.UID == "" || w.err != nil {
		return // not from a cluster
	}
	before, err := statusFields(has)
	if err != nil {
		w.err = err
		return
	}
	after, err := statusFields(want)
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

// statusFields returns a status as the fields of a manifest.
func statusFields(status any) (map[string]any, error) {
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

package commands

import (
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
)

// holdRoutes keeps routes from being written that would send requests to another
// cluster which could not be made to expect them: a subset may not be known there,
// or the gateway may not pass them on. Requests go where they went before.
func (a *applying) holdRoutes(takesPart func(*applyTarget) bool) {
	lacking := map[string]*lackingExports{}
	for i := range a.targets {
		if found := a.targets[i].lackingExports(); found != nil {
			lacking[a.targets[i].name] = found
		}
	}
	if len(lacking) == 0 {
		return
	}
	obstacles := a.obstacles(lacking)
	for i := range a.targets {
		t := &a.targets[i]
		if !takesPart(t) {
			continue
		}
		t.run.Hold(func(stored, desired *unstructured.Unstructured) *kube.Error {
			return newlyBlocked(t.name, stored, desired, obstacles)
		})
	}
}

// lackingExports is what a cluster does not have of what others need.
type lackingExports struct {
	// all is why nothing can be relied on; nil if the rest can.
	all error
	// hosts are the Services without their subsets, and why.
	hosts map[string]error
}

// lackingExports returns what could not be written; nil if all was.
func (t *applyTarget) lackingExports() *lackingExports {
	switch {
	case t.err != nil:
		return &lackingExports{all: t.err}
	case t.run == nil:
		return nil
	}
	found := &lackingExports{hosts: map[string]error{}}
	for _, result := range t.run.Failures() {
		i, known := t.positions[kube.ObjectKey{GVK: result.GVK, Namespace: result.Namespace, Name: result.Name}]
		if !known {
			continue
		}
		switch object := &t.objects[i]; object.Kind {
		case istio.KindGateway:
			found.all = result.Err
		case istio.KindDestinationRule:
			if object.Federates == "" {
				found.hosts[object.Host()] = result.Err
			}
		default: // nobody else needs it
		}
	}
	if found.all == nil && len(found.hosts) == 0 {
		return nil
	}
	return found
}

// obstacle is why requests cannot be sent to a host yet.
type obstacle struct {
	cluster string
	cause   error
}

// obstacles returns the federated hosts that other clusters should not begin to
// send requests to, since they are of a cluster that lacks something for that.
func (a *applying) obstacles(lacking map[string]*lackingExports) map[string]obstacle {
	found := map[string]obstacle{}
	for i := range a.result.Destinations {
		federation, d := a.result.Destinations[i].Federation, &a.result.World.Destinations[i]
		exporter := lacking[d.Ref.ClusterName]
		if exporter == nil || federation == nil || federation.Flat { // without gateways pods are asked directly
			continue
		}
		cause := exporter.all
		if cause == nil {
			cause = exporter.hosts[d.Hostname]
		}
		if cause != nil {
			found[federation.FederatedHostname(d)] = obstacle{d.Ref.ClusterName, cause}
		}
	}
	return found
}

// newlyBlocked says which obstacle is in the way of an object, if it is a route
// to somewhere that its stored version does not lead to.
func newlyBlocked(cluster string, stored, desired *unstructured.Unstructured, obstacles map[string]obstacle) *kube.Error {
	if desired.GetKind() != string(istio.KindVirtualService) {
		return nil
	}
	var before []istio.Target
	if stored != nil {
		before = istio.Targets(specOf(stored))
	}
	for _, target := range istio.Targets(specOf(desired)) {
		in, blocked := obstacles[target.Host]
		if !blocked || slices.Contains(before, target) {
			continue
		}
		return &kube.Error{
			Cluster: cluster, Reason: reasonOf(in.cause),
			Why:  "it is held back, because it sends requests to " + target.Host + ", and what that needs could not be written to cluster " + in.cluster,
			Hint: "see what is wrong with that cluster, then apply again",
		}
	}
	return nil
}

// keepExports keeps the subsets that another cluster may still send requests to,
// because its routes could not be changed.
func (a *applying) keepExports(takesPart func(*applyTarget) bool) {
	used := map[string]map[string]*kube.Error{} // by cluster and host
	for i := range a.targets {
		t := &a.targets[i]
		leadsTo, all := t.unchangedRoutes()
		if all == nil && len(leadsTo) == 0 {
			continue
		}
		for k := range a.result.Destinations {
			federation, d := a.result.Destinations[k].Federation, &a.result.World.Destinations[k]
			if federation == nil || federation.Flat || d.Ref.ClusterName == t.name {
				continue
			}
			why := all
			if why == nil {
				why = leadsTo[federation.FederatedHostname(d)]
			}
			if why == nil {
				continue
			}
			if used[d.Ref.ClusterName] == nil {
				used[d.Ref.ClusterName] = map[string]*kube.Error{}
			}
			used[d.Ref.ClusterName][d.Hostname] = why
		}
	}
	for i := range a.targets {
		if t := &a.targets[i]; takesPart(t) && used[t.name] != nil {
			t.run.UsedElsewhere(used[t.name])
		}
	}
}

// unchangedRoutes returns the hosts that routes still lead to which could not be
// changed, and why; or why that is not known of any.
func (t *applyTarget) unchangedRoutes() (hosts map[string]*kube.Error, all *kube.Error) {
	if t.err != nil {
		return nil, &kube.Error{Action: "change the routes of cluster " + t.name, Reason: kube.ReasonOther}
	}
	hosts = map[string]*kube.Error{}
	if t.run == nil {
		return hosts, nil
	}
	for _, result := range t.run.Failures() {
		if result.GVK.Kind != string(istio.KindVirtualService) {
			continue
		}
		key := kube.ObjectKey{GVK: result.GVK, Namespace: result.Namespace, Name: result.Name}
		k := slices.IndexFunc(t.plan.Changes, func(change rollout.Change) bool { return change.Key == key })
		if k < 0 || t.plan.Changes[k].Before() == nil {
			continue
		}
		for _, host := range istio.LeadsTo(specOf(t.plan.Changes[k].Before())) {
			hosts[host] = &kube.Error{Action: result.Err.Action + " on cluster " + t.name, Reason: kube.ReasonOther}
		}
	}
	return hosts, nil
}

func reasonOf(err error) kube.Reason {
	var known *kube.Error
	if errors.As(err, &known) {
		return known.Reason
	}
	return kube.ReasonOther
}

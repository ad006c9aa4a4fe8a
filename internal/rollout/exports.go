package rollout

import (
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// withholdRoutes withholds routes to another cluster which could not be prepared for them: it may
// lack a subset, or its gateway may not forward the requests. The existing routes stay in
// effect.
func (p *Plan) withholdRoutes(writers map[*Cluster]*writer) {
	lacking := map[string]*lackingExports{}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		if found := c.lackingExports(writers[c]); found != nil {
			lacking[c.Name] = found
		}
	}
	if len(lacking) == 0 {
		return
	}
	obstacles := p.obstacles(lacking)
	for _, w := range writers {
		w.withhold(func(stored, desired *unstructured.Unstructured) *kube.Error {
			return blockedBy(w.Name, stored, desired, obstacles)
		})
	}
}

// lackingExports is what a cluster lacks of the configuration that other clusters rely on.
type lackingExports struct {
	// all is why nothing in the cluster can be relied on; nil if only hosts are affected.
	all error
	// hosts are the Services whose subsets are missing, and why.
	hosts map[string]error
}

// lackingExports returns what could not be written; nil if everything was. w is nil if nothing
// is written to the cluster.
func (c *Cluster) lackingExports(w *writer) *lackingExports {
	switch {
	case c.Err != nil:
		return &lackingExports{all: c.Err}
	case w == nil:
		return nil
	}
	found := &lackingExports{hosts: map[string]error{}}
	for _, change := range w.failures() {
		if change.desired == nil {
			continue
		}
		switch object := change.desired; object.Kind {
		case istio.KindGateway:
			found.all = change.Err
		case istio.KindDestinationRule:
			if object.Federates == "" {
				found.hosts[object.Host()] = change.Err
			}
		default: // other clusters do not rely on it
		}
	}
	if found.all == nil && len(found.hosts) == 0 {
		return nil
	}
	return found
}

// obstacle is why requests must not be routed to a host yet.
type obstacle struct {
	cluster string
	cause   error
}

// obstacles returns the federated hosts to which other clusters must not add routes, because
// the exporting cluster lacks something.
func (p *Plan) obstacles(lacking map[string]*lackingExports) map[string]obstacle {
	found := map[string]obstacle{}
	for i := range p.Result.Destinations {
		federation, d := p.Result.Destinations[i].Federation, &p.Result.World.Destinations[i]
		exporter := lacking[d.Ref.ClusterName]
		if exporter == nil || federation == nil || federation.Flat { // a flat network needs no gateways: requests go to the pods
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

// blockedBy returns an error if an object is a route with a target that is blocked by an
// obstacle and that the stored route does not have.
func blockedBy(cluster string, stored, desired *unstructured.Unstructured, obstacles map[string]obstacle) *kube.Error {
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
			Why:  "skipped because it routes to " + target.Host + ", which could not be configured on cluster " + in.cluster,
			Hint: "fix that cluster, then run 'meshctl apply' again",
		}
	}
	return nil
}

// keepExports keeps the subsets that requests from another cluster may still need, because the
// routes there could not be changed.
func (p *Plan) keepExports(writers map[*Cluster]*writer) {
	used := map[string]map[string]*kube.Error{} // by cluster and hostname
	for i := range p.Clusters {
		c := &p.Clusters[i]
		leadsTo, all := c.unchangedRoutes(writers[c])
		if all == nil && len(leadsTo) == 0 {
			continue
		}
		for k := range p.Result.Destinations {
			federation, d := p.Result.Destinations[k].Federation, &p.Result.World.Destinations[k]
			if federation == nil || federation.Flat || d.Ref.ClusterName == c.Name {
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
	for _, w := range writers {
		w.elsewhere = used[w.Name]
	}
}

// unchangedRoutes returns the hosts of routes that could not be changed, and why. all is set
// if the routes of the cluster are not known.
func (c *Cluster) unchangedRoutes(w *writer) (hosts map[string]*kube.Error, all *kube.Error) {
	if c.Err != nil {
		return nil, &kube.Error{Action: "change the routes of cluster " + c.Name, Reason: kube.ReasonOther}
	}
	hosts = map[string]*kube.Error{}
	if w == nil {
		return hosts, nil
	}
	for _, change := range w.failures() {
		if change.Key.GVK.Kind != string(istio.KindVirtualService) || change.stored == nil {
			continue
		}
		for _, host := range istio.LeadsTo(specOf(change.stored)) {
			hosts[host] = &kube.Error{Action: change.Err.Action + " on cluster " + c.Name, Reason: dependentReason(change.Err)}
		}
	}
	return hosts, nil
}

// dependentReason returns the reason for errors of other objects that follow from e.
// Cancellation carries over; other reasons apply only to the object itself.
func dependentReason(e *kube.Error) kube.Reason {
	if e.Reason == kube.ReasonCancelled {
		return kube.ReasonCancelled
	}
	return kube.ReasonOther
}

func reasonOf(err error) kube.Reason {
	var known *kube.Error
	if errors.As(err, &known) {
		return known.Reason
	}
	return kube.ReasonOther
}

package istio

import (
	"slices"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/world"
)

// traffic holds the routes and connection settings for requests to a Destination
// from one cluster, or from several with the same result.
type traffic struct {
	// routes is nil if no policy has request settings.
	routes        *networking.VirtualService
	routesParents []world.ObjectID
	rule          *networking.DestinationRule
	ruleParents   []world.ObjectID
	federates     string
	// omissions have no Cluster if they apply to several.
	omissions []Omission
}

// importKey identifies clusters whose requests to a Destination are handled
// alike: a single cluster with special settings, or "" for all others.
type importKey struct {
	destination int
	cluster     string
}

// traffic renders routes and connection settings for requests from a cluster to a
// Destination; host is its name there.
func (r *Renderer) traffic(host string, d *world.Destination, cluster string, parent world.ObjectID) *traffic {
	t := &traffic{}
	t.routes, t.routesParents = r.virtualService(host, d, cluster, t)
	t.routesParents = sortedIDs(append(t.routesParents, parent))
	settings := r.result.ConnectionFrom(cluster, d.ID)
	if e := r.exports[d.ID]; e != nil && !e.federation.Flat && cluster != d.Ref.ClusterName {
		t.rule = r.gatewayRule(e, settings, r.subsets[d.ID])
	} else {
		t.rule = r.destinationRule(host, d, settings, r.subsets[d.ID])
	}
	t.ruleParents = sortedIDs(append(r.ruleParents(settings, r.subsets[d.ID]), parent))
	return t
}

// importedTraffic is traffic for other clusters than the Destination's own.
// Clusters without special settings share one result.
func (r *Renderer) importedTraffic(d *world.Destination, cluster string) *traffic {
	key := importKey{d.ID, r.classOf(d, cluster)}
	t, known := r.imported[key]
	if !known {
		e := r.exports[d.ID]
		t = r.traffic(e.hostname, d, cluster, e.parents[0])
		t.federates = d.Key()
		r.imported[key] = t
	}
	return t
}

// collectDeciding records for every TrafficPolicy the clusters for which it must
// be rendered separately: those in its sourceSelector, and those of target
// Services, which have another host name there.
func (r *Renderer) collectDeciding() {
	for i := range r.result.TrafficPolicies {
		p := &r.result.TrafficPolicies[i]
		if !p.Valid() {
			continue
		}
		clusters := slices.Clone(p.NamedClusters())
		for _, t := range p.Targets() {
			clusters = append(clusters, t.ClusterName)
		}
		slices.Sort(clusters)
		r.deciding[i] = slices.Compact(clusters)
	}
}

// classOf returns the cluster if an effective policy on the Destination must be
// rendered separately for it, else "".
func (r *Renderer) classOf(d *world.Destination, cluster string) string {
	for _, i := range r.result.Destinations[d.ID].Traffic {
		p := &r.result.TrafficPolicies[i]
		if !p.EffectiveOn(d.ID) {
			continue
		}
		if _, decides := slices.BinarySearch(r.deciding[i], cluster); decides {
			return cluster
		}
		for _, t := range p.Targets() {
			if _, reachable := r.hostFrom(cluster, r.world.Service(t)); !reachable {
				return cluster
			}
		}
	}
	return ""
}

// hostFrom returns the host name of a Service in a cluster; false if the cluster
// does not know the Service.
func (r *Renderer) hostFrom(cluster string, d *world.Destination) (string, bool) {
	switch {
	case d == nil:
		return "", false
	case d.Ref.ClusterName == cluster:
		return d.Hostname, true
	case r.exports[d.ID] == nil || !slices.Contains(r.exports[d.ID].clusters, cluster):
		return "", false
	default:
		return r.exports[d.ID].hostname, true
	}
}

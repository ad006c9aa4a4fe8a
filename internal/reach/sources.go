package reach

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// Admits reports whether an AccessPolicy can allow any request to a Destination
// that it selects. Its selectors may resolve to nobody (D55), and no request may
// have the allowed ports, paths and methods (D53, D54).
func (c *Calls) Admits(id int, d *world.Destination) bool {
	all := serviceport.All(d)
	connection := &Connection{Mutual: all, Open: all, HTTP: serviceport.HTTP(d), Whole: true}
	if !serviceport.Known(d) {
		connection.HTTP = all
	}
	return slices.ContainsFunc(c.result.AccessPolicies[id].Grants(d), func(grant selector.Grant) bool {
		_, code := c.Terms(policy.AccessRule{Policy: id, Destination: d.ID}, &grant, d, connection)
		return code == "" && !grant.AdmitsNobody()
	})
}

// AffectedSources returns the workloads whose requests a policy affects, ascending,
// as policy.Result.AffectedSources does, but without those that an AccessPolicy
// allows no request. admitting are the Destinations on which an AccessPolicy is
// effective and allows requests, ascending.
func (c *Calls) AffectedSources(ref policy.PolicyRef) (sources, admitting []int) {
	sources = c.result.AffectedSources(ref)
	if ref.Kind != policy.KindAccessPolicy {
		return sources, nil
	}
	effective := c.result.ApplicationOf(ref).EffectiveDestinations()
	for _, id := range effective {
		if c.Admits(ref.Index, &c.result.World.Destinations[id]) {
			admitting = append(admitting, id)
		}
	}
	if len(admitting) == len(effective) {
		return sources, admitting
	}
	reaching := map[Caller]bool{}
	return slices.DeleteFunc(sources, func(id int) bool {
		w := &c.result.World.Workloads[id]
		from := c.CallerOf(w)
		reaches, known := reaching[from]
		if !known {
			reaches = slices.ContainsFunc(admitting, func(d int) bool { return c.result.Reaches(w, d) })
			reaching[from] = reaches
		}
		return !reaches
	}), admitting
}

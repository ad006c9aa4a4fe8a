// Package compare computes the differences between two results of the engine:
// what applying or deleting objects changes for requests, connections and
// callers.
package compare

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// Differences are the differences between two results over the same discovered
// objects: their worlds differ in VirtualMeshes, TrafficPolicies and
// AccessPolicies only, as those of world.World.With do. Positions of meshes,
// workloads and Destinations are the same in both; authored objects, whose
// positions differ, are identified by their ObjectID. All lists are sorted.
type Differences struct {
	Before, After *policy.Result

	// Objects are the authored objects that were added, removed or changed.
	Objects []ObjectChange
	// States are other authored objects whose state changes.
	States []StateChange
	// Memberships are the meshes that move to another VirtualMesh or to none.
	Memberships []MembershipChange
	// Federation is what is newly exposed, or no longer exposed, to other meshes.
	Federation []FederationChange
	// Rejected are policies that are newly not effective on selected
	// Destinations; Restored are effective again.
	Rejected, Restored []RejectionChange
	// Settings are the changed settings of requests and connections, for callers
	// that reach the Destination in both results.
	Settings []SettingChange
	// Verdicts are the changed decisions about callers.
	Verdicts []VerdictChange
	// Introduced and Fixed are findings that are in only one of the results.
	Introduced, Fixed []finding.Finding
}

// Results returns the differences between two results. Its cost is proportional
// to the differences, apart from one pass over the Destinations.
func Results(before, after *policy.Result) *Differences {
	c := newComparer(before, after)
	c.compare()
	return c.Differences
}

func newComparer(before, after *policy.Result) *comparer {
	return &comparer{
		before: before, after: after, Differences: &Differences{Before: before, After: after},
		callers: map[string]WorkloadSet{}, classes: map[string][]callerClass{}, admissions: map[admissionKey][]admission{},
		calls:         map[*policy.Result]*reach.Calls{},
		virtualMeshes: pairObjects(after, before.World.VirtualMeshes, after.World.VirtualMeshes, metaOfVirtualMesh, sameVirtualMesh),
		traffic:       pairObjects(after, before.World.TrafficPolicies, after.World.TrafficPolicies, metaOfTrafficPolicy, sameTrafficPolicy),
		access:        pairObjects(after, before.World.AccessPolicies, after.World.AccessPolicies, metaOfAccessPolicy, sameAccessPolicy),
	}
}

func (c *comparer) compare() {
	c.compareObjects()
	c.compareMemberships()
	c.compareFederation()
	c.compareRejections()
	c.compareSettings()
	c.compareVerdicts()
	c.compareFindings()
}

// IsEmpty reports whether behaviour and findings are the same in both results,
// even if objects differ.
func (c *Differences) IsEmpty() bool {
	return len(c.States)+len(c.Memberships)+len(c.Federation)+len(c.Rejected)+len(c.Restored)+
		len(c.Settings)+len(c.Verdicts)+len(c.Introduced)+len(c.Fixed) == 0
}

// comparer is the temporary state of one comparison.
type comparer struct {
	*Differences
	before, after                  *policy.Result
	calls                          map[*policy.Result]*reach.Calls
	virtualMeshes, traffic, access pairing

	callers    map[string]WorkloadSet
	classes    map[string][]callerClass
	admissions map[admissionKey][]admission
	identities []identityClass
	inCluster  map[string]WorkloadSet
	inMesh     map[int]WorkloadSet
	// connected are the workloads for which connection settings hold, routed those
	// whose requests follow routes.
	connected, routed WorkloadSet
	places            []callers
}

// callsIn returns the calls in one of the results.
func (c *comparer) callsIn(r *policy.Result) *reach.Calls {
	if c.calls[r] == nil {
		c.calls[r] = reach.In(r)
	}
	return c.calls[r]
}

// world returns a world whose discovered objects are those of both results.
func (c *comparer) world() *world.World { return c.after.World }

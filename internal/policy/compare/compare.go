// Package compare says what differs between two results of the engine: what
// applying or deleting objects changes for requests, connections and callers.
package compare

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// Differences is what differs between two results over the same discovered
// objects: their worlds differ in VirtualMeshes, TrafficPolicies and
// AccessPolicies only, as those of world.World.With do. Positions of meshes,
// workloads and Destinations are the same in both; authored objects, whose
// positions move, are named by their ObjectID. All lists are sorted.
type Differences struct {
	Before, After *policy.Result

	// Objects are the authored objects that came, went or say something else.
	Objects []ObjectChange
	// States are the other authored objects whose state differs.
	States []StateChange
	// Memberships are the meshes that another VirtualMesh holds, or that none
	// does any more.
	Memberships []MembershipChange
	// Federation says which Destinations are exposed to other meshes than before.
	Federation []FederationChange
	// Rejected are policies that are not effective on Destinations that they select,
	// and were before or did not select them; Restored those that are again.
	Rejected, Restored []RejectionChange
	// Settings are those of requests and connections that differ where callers
	// could and can reach a Destination.
	Settings []SettingChange
	// Verdicts are the decisions about callers that differ.
	Verdicts []VerdictChange
	// Introduced and Fixed are the findings that only one of the results has.
	Introduced, Fixed []finding.Finding
}

// Results returns what differs between two results. The cost grows with what
// differs, not with the worlds, apart from one pass over the Destinations.
func Results(before, after *policy.Result) *Differences {
	c := newComparer(before, after)
	c.compare()
	return c.Differences
}

func newComparer(before, after *policy.Result) *comparer {
	return &comparer{
		before: before, after: after, Differences: &Differences{Before: before, After: after},
		callers: map[string]WorkloadSet{}, classes: map[string][]callerClass{}, admissions: map[admissionKey][]admission{},
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

// IsEmpty reports whether nothing behaves differently: whatever the objects
// say, requests and findings are as before.
func (c *Differences) IsEmpty() bool {
	return len(c.States)+len(c.Memberships)+len(c.Federation)+len(c.Rejected)+len(c.Restored)+
		len(c.Settings)+len(c.Verdicts)+len(c.Introduced)+len(c.Fixed) == 0
}

// comparer holds what one comparison needs and does not keep.
type comparer struct {
	*Differences
	before, after                  *policy.Result
	virtualMeshes, traffic, access pairing

	callers    map[string]WorkloadSet
	classes    map[string][]callerClass
	admissions map[admissionKey][]admission
	identities []identityClass
	inCluster  map[string]WorkloadSet
	inMesh     map[int]WorkloadSet
}

// world is that of both results as far as discovered objects are concerned.
func (c *comparer) world() *world.World { return c.after.World }

package impact

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// viewer converts differences between two results into views.
type viewer struct {
	// result is the result after the change.
	result *policy.Result
	calls  *reach.Calls
	world  *world.World
	// access and effective hold the positions of the AccessPolicies of the result and the
	// VirtualMeshes that group meshes.
	access    map[world.ObjectID]int
	effective map[world.ObjectID]bool
}

func newViewer(result *policy.Result) viewer {
	v := viewer{result: result, calls: reach.In(result), world: result.World, access: map[world.ObjectID]int{}, effective: map[world.ObjectID]bool{}}
	for i := range result.AccessPolicies {
		v.access[result.AccessPolicies[i].ID()] = i
	}
	for i := range result.VirtualMeshes {
		v.effective[result.VirtualMeshes[i].ID()] = result.VirtualMeshes[i].Effective
	}
	return v
}

// Of returns the view of an authored object's impact. nil, for an object that is
// not in the world, gives an empty view.
func Of(impact *compare.Impact) View {
	if impact == nil {
		return View{}
	}
	v := newViewer(impact.After)
	view := View{
		KindRef: viewKind(impact.Object), Presence: impact.Presence, State: impact.State, Errors: impact.Errors,
		Losses: v.losses(impact.Losses), Ineffective: v.ineffective(impact.Ineffective), Changes: Changes(impact.Differences),
	}
	if len(impact.Effective) > 0 {
		view.Affects = &Affected{
			Destinations: describe.DestinationKeys(v.world, impact.Effective), SelectedCount: len(impact.Selected),
			SourceCount: len(impact.Sources), SourceClusters: v.clustersOf(impact.Sources),
			TargetCount: len(impact.Targets), TargetClusters: v.clustersOf(impact.Targets),
			admitting: describe.DestinationKeys(v.world, impact.Admitting),
		}
		if impact.Presence == compare.PresenceAdded && len(impact.Settings) == 0 && len(impact.Rejected) == 0 {
			view.MadeBy = v.alsoMade(impact)
		}
	}
	if impact.VirtualMesh != nil && impact.VirtualMesh.Effective && len(impact.VirtualMesh.Meshes) > 0 {
		view.Grouping = v.grouping(impact)
	}
	return view
}

// Changes returns the view of the differences between two results.
func Changes(c *compare.Differences) ChangeView {
	v := newViewer(c.After)
	view := ChangeView{
		Losses: v.losses(c.Rejected), Restored: v.losses(c.Restored), Settings: v.settingChanges(c.Settings), Access: v.accessChanges(c.Verdicts),
	}
	for _, o := range c.Objects {
		view.Objects = append(view.Objects, ObjectChange{viewKind(o.Object), o.Presence})
	}
	for _, s := range c.States {
		view.States = append(view.States, StateChange{viewKind(s.Object), s.Before, s.After, s.Errors, v.effective[s.Object]})
	}
	for _, m := range c.Memberships {
		mesh := v.world.Meshes[m.Mesh].Ref
		view.Meshes = append(view.Meshes, MeshChange{Mesh: describe.ObjectOf(mesh), Before: holderRef(m.Before), After: holderRef(m.After)})
	}
	for _, f := range c.Federation {
		view.Federation = append(view.Federation, v.federationChange(f))
	}
	for _, f := range c.Introduced {
		view.Introduced = append(view.Introduced, describe.FindingOf(f))
	}
	for _, f := range c.Fixed {
		view.Fixed = append(view.Fixed, describe.FindingOf(f))
	}
	return view
}

func viewKind(id world.ObjectID) KindRef {
	return KindRef{Kind: id.Kind, Namespace: id.Namespace, Name: id.Name}
}

// kindOrNil returns nil for the zero ObjectID.
func kindOrNil(id world.ObjectID) *KindRef {
	if id == (world.ObjectID{}) {
		return nil
	}
	ref := viewKind(id)
	return &ref
}

func holderRef(vm *policy.VirtualMesh) *describe.ObjectRef {
	if vm == nil {
		return nil
	}
	return &describe.ObjectRef{Namespace: vm.Resource.Namespace, Name: vm.Resource.Name}
}

func (v viewer) clustersOf(workloads []int) []string {
	var clusters []string
	for _, id := range workloads {
		clusters = append(clusters, v.world.Workloads[id].Cluster)
	}
	slices.Sort(clusters)
	return slices.Compact(clusters)
}

func (v viewer) losses(changes []compare.RejectionChange) []Loss {
	var views []Loss
	for _, r := range changes {
		views = append(views, Loss{
			Policy: viewKind(r.Policy), Fields: r.Fields, Field: r.Field, Reason: r.Reason, Winner: kindOrNil(r.Winner),
			Destinations: describe.DestinationKeys(v.world, r.Destinations),
		})
	}
	return views
}

func (v viewer) ineffective(settings []compare.IneffectiveSetting) []IneffectiveSetting {
	var views []IneffectiveSetting
	for _, u := range settings {
		views = append(views, IneffectiveSetting{
			Field: u.Field, Reason: u.Reason, Winner: kindOrNil(u.Winner), Replaced: u.Replaced, Never: u.Never,
			Match: describe.MatchOf(u.Match), Destinations: describe.DestinationKeys(v.world, u.Destinations), Callers: v.callers(u.Sources, u.Everyone),
		})
	}
	return views
}

// listedCallers limits the callers that a view names.
const listedCallers = 20

func (v viewer) callers(set compare.WorkloadSet, everyone bool) Callers {
	return Callers{Sources: describe.WorkloadKeys(v.world, set.First(listedCallers)), SourceCount: set.Count(), Everyone: everyone}
}

func (v viewer) settingChanges(changes []compare.SettingChange) []SettingChange {
	var views []SettingChange
	for _, c := range changes {
		views = append(views, SettingChange{
			Field: c.Field, Match: describe.MatchOf(c.Match), Before: viewEffective(c.Before), After: viewEffective(c.After), By: kindOrNil(c.By),
			Destinations: describe.DestinationKeys(v.world, c.Destinations), Callers: v.callers(c.Sources, c.Everyone),
		})
	}
	return views
}

func viewEffective(s *compare.EffectiveSetting) *EffectiveSetting {
	if s == nil {
		return nil
	}
	return &EffectiveSetting{Value: s.Value, Policy: viewKind(s.By)}
}

func (v viewer) federationChange(f compare.FederationChange) FederationChange {
	view := FederationChange{Mesh: describe.ObjectOf(v.world.Meshes[f.Mesh].Ref), Destinations: describe.DestinationKeys(v.world, f.Destinations)}
	first := &v.world.Destinations[f.Destinations[0]]
	if f.Before != nil {
		view.Before, view.HostnameBefore = describe.MeshRefs(v.world, f.Before.Meshes), f.Before.FederatedHostname(first)
	}
	if f.After != nil {
		view.After, view.HostnameAfter, view.Flat = describe.MeshRefs(v.world, f.After.Meshes), f.After.FederatedHostname(first), f.After.Flat
	}
	return view
}

// alsoMade returns the policies that already set the values of a TrafficPolicy wherever it is
// effective. It is called if the policy changes nothing there, so all of them agree.
func (v viewer) alsoMade(impact *compare.Impact) []KindRef {
	if impact.Object.Kind != string(policy.KindTrafficPolicy) {
		return nil
	}
	own := slices.IndexFunc(v.result.TrafficPolicies, func(p policy.TrafficPolicy) bool { return p.ID() == impact.Object })
	var others []int
	for _, id := range impact.Effective {
		others = append(others, v.result.Destinations[id].Traffic...)
	}
	slices.Sort(others)
	settings := v.settingTexts(own)
	var refs []KindRef
	for _, p := range slices.Compact(others) {
		agrees := slices.ContainsFunc(v.settingTexts(p), func(s string) bool { return slices.Contains(settings, s) })
		if p != own && agrees {
			refs = append(refs, viewKind(v.result.TrafficPolicies[p].ID()))
		}
	}
	return refs
}

func (v viewer) settingTexts(p int) []string {
	var texts []string
	for _, f := range v.result.Settings(p) {
		texts = append(texts, f.Field+" "+strings.Join(feature.Lines(f.Field, f.Value), " "))
	}
	return texts
}

func (v viewer) grouping(impact *compare.Impact) *Grouping {
	vm := impact.VirtualMesh
	g := &Grouping{Trust: describe.TrustOf(vm), TLSEnforcement: string(vm.TLSEnforcement()), Meshes: describe.MeshRefs(v.world, vm.Meshes)}
	g.GlobalAccessPolicy, g.DefaultAccess = string(vm.GlobalAccessPolicy()), "ALLOW"
	if vm.GlobalAccessPolicy() == networkingv1.GlobalAccessPolicyEnabled {
		g.DefaultAccess = "DENY"
	}
	was := slices.IndexFunc(impact.Before.VirtualMeshes, func(old policy.VirtualMesh) bool {
		return old.ID() == impact.Object && old.Effective
	})
	g.TrustChanged, g.TLSChanged = true, true
	if was >= 0 {
		old := &impact.Before.VirtualMeshes[was]
		g.TrustChanged = describe.TrustOf(old).Text() != g.Trust.Text()
		g.TLSChanged = old.TLSEnforcement() != vm.TLSEnforcement()
	}
	holds := func(m *world.Mesh) bool { return m != nil && slices.Contains(vm.Meshes, m.ID) }
	for i := range v.world.Workloads {
		if holds(v.world.Workloads[i].Mesh) {
			g.WorkloadCount++
		}
	}
	for i := range v.world.Destinations {
		if !holds(v.world.Destinations[i].Mesh) {
			continue
		}
		g.DestinationCount++
		if v.result.Destinations[i].Federation != nil {
			g.ExportedCount++
		}
	}
	return g
}

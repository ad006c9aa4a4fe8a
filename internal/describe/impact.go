package describe

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Impact shows what an authored object does to the world; nil, for an object that
// is not in it, gives an empty view.
func Impact(impact *compare.Impact) ImpactView {
	if impact == nil {
		return ImpactView{}
	}
	v := newViewer(impact.After)
	view := ImpactView{
		KindRef: viewKind(impact.Object), Presence: impact.Presence, State: impact.State, Errors: impact.Errors,
		Losses: v.losses(impact.Losses), Unheard: v.unheard(impact.Ineffective), Changes: Changes(impact.Differences),
	}
	if len(impact.InForce) > 0 {
		view.Affects = &ImpactReach{
			Destinations: v.destinationKeys(impact.InForce), SelectedCount: len(impact.Selected),
			SourceCount: len(impact.Sources), SourceClusters: v.clustersOf(impact.Sources),
			TargetCount: len(impact.Targets), TargetClusters: v.clustersOf(impact.Targets),
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

// Changes shows what differs between two results.
func Changes(c *compare.Differences) ChangeView {
	v := newViewer(c.After)
	view := ChangeView{
		Losses: v.losses(c.Rejected), Restored: v.losses(c.Restored), Settings: v.settingChanges(c.Settings), Access: v.accessChanges(c.Verdicts),
	}
	for _, o := range c.Objects {
		view.Objects = append(view.Objects, ObjectChange{viewKind(o.Object), o.Presence})
	}
	for _, s := range c.States {
		view.States = append(view.States, StateChange{viewKind(s.Object), s.Before, s.After, s.Errors, v.effective(s.Object)})
	}
	for _, m := range c.Memberships {
		mesh := v.world.Meshes[m.Mesh].Ref
		view.Meshes = append(view.Meshes, MeshChange{Mesh: viewObject(mesh), Before: holderRef(m.Before), After: holderRef(m.After)})
	}
	for _, f := range c.Federation {
		view.Federation = append(view.Federation, v.federationChange(f))
	}
	for _, f := range c.Introduced {
		view.Introduced = append(view.Introduced, viewFinding(f))
	}
	for _, f := range c.Fixed {
		view.Fixed = append(view.Fixed, viewFinding(f))
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

func holderRef(vm *policy.VirtualMesh) *ObjectRef {
	if vm == nil {
		return nil
	}
	return &ObjectRef{Namespace: vm.Resource.Namespace, Name: vm.Resource.Name}
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
			Destinations: v.destinationKeys(r.Destinations),
		})
	}
	return views
}

func (v viewer) unheard(settings []compare.IneffectiveSetting) []Unheard {
	var views []Unheard
	for _, u := range settings {
		views = append(views, Unheard{
			Field: u.Field, Reason: u.Reason, Winner: kindOrNil(u.Winner), Replaced: u.Replaced, Never: u.Never,
			Match: viewMatch(u.Match), Destinations: v.destinationKeys(u.Destinations), Callers: v.callers(u.Sources, u.Everyone),
		})
	}
	return views
}

// listedCallers is how many callers a view names.
const listedCallers = 20

func (v viewer) callers(set compare.WorkloadSet, everyone bool) Callers {
	return Callers{Sources: v.workloadKeys(set.First(listedCallers)), SourceCount: set.Count(), Everyone: everyone}
}

func (v viewer) settingChanges(changes []compare.SettingChange) []SettingChange {
	var views []SettingChange
	for _, c := range changes {
		views = append(views, SettingChange{
			Field: c.Field, Match: viewMatch(c.Match), Before: viewEffective(c.Before), After: viewEffective(c.After), By: kindOrNil(c.By),
			Destinations: v.destinationKeys(c.Destinations), Callers: v.callers(c.Sources, c.Everyone),
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
	view := FederationChange{Mesh: viewObject(v.world.Meshes[f.Mesh].Ref), Destinations: v.destinationKeys(f.Destinations)}
	first := &v.world.Destinations[f.Destinations[0]]
	if f.Before != nil {
		view.Before, view.HostnameBefore = v.meshRefs(f.Before.Meshes), f.Before.FederatedHostname(first)
	}
	if f.After != nil {
		view.After, view.HostnameAfter, view.Flat = v.meshRefs(f.After.Meshes), f.After.FederatedHostname(first), f.After.Flat
	}
	return view
}

// alsoMade returns the policies that make a setting of a TrafficPolicy with the
// same value where it is in force: it changed none, so they say the same.
func (v viewer) alsoMade(impact *compare.Impact) []KindRef {
	if impact.Object.Kind != string(policy.KindTrafficPolicy) {
		return nil
	}
	own := slices.IndexFunc(v.result.TrafficPolicies, func(p policy.TrafficPolicy) bool { return p.ID() == impact.Object })
	var others []int
	for _, id := range impact.InForce {
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

// effective reports whether a VirtualMesh groups meshes.
func (v viewer) effective(id world.ObjectID) bool {
	return slices.ContainsFunc(v.result.VirtualMeshes, func(vm policy.VirtualMesh) bool { return vm.ID() == id && vm.Effective })
}

func (v viewer) grouping(impact *compare.Impact) *Grouping {
	vm := impact.VirtualMesh
	g := &Grouping{Trust: viewTrust(vm), TLSEnforcement: string(vm.TLSEnforcement()), Meshes: v.meshRefs(vm.Meshes)}
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
		g.TrustChanged = viewTrust(old).text() != g.Trust.text()
		g.TLSChanged = old.TLSEnforcement() != vm.TLSEnforcement()
	}
	counts := v.countByMesh()
	for _, m := range vm.Meshes {
		mesh := &v.world.Meshes[m]
		g.WorkloadCount += counts.workloads[mesh]
		g.DestinationCount += counts.destinations[mesh]
		g.ExportedCount += len(v.result.Exported(mesh))
	}
	return g
}

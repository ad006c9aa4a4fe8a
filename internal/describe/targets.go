package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// targets lists the Destinations that routes shift or mirror requests of a
// workload to, each once, in the order they appear, and whether they let them
// in.
func (b *workloadBuilder) targets(w *world.Workload, destination int, routes []*policy.Route) []Target {
	var views []Target
	seen := map[int]bool{destination: true}
	for _, route := range routes {
		for _, s := range route.Settings {
			for _, ref := range targetRefs(s.Value) {
				d := b.world.Service(ref)
				if d == nil || seen[d.ID] {
					continue
				}
				seen[d.ID] = true
				views = append(views, Target{Destination: viewService(d), Access: b.access(b.result.Verdict(w, d))})
			}
		}
	}
	return views
}

func targetRefs(value any) []core.ClusterObjectRef {
	switch v := value.(type) {
	case *networkingv1.MultiDestination:
		var refs []core.ClusterObjectRef
		for _, d := range v.Destinations {
			if k := d.KubeService; k != nil {
				refs = append(refs, core.ClusterObjectRef{Name: k.Name, Namespace: k.Namespace, ClusterName: k.ClusterName})
			}
		}
		return refs
	case *networkingv1.Mirror:
		if v.KubeService != nil {
			return []core.ClusterObjectRef{*v.KubeService}
		}
	}
	return nil
}

// access shows a verdict.
func (b *workloadBuilder) access(verdict policy.Verdict) Access {
	view := Access{Verdict: verdict.Decision, Reason: verdict.Reason, Policies: b.accessPolicies(verdict.Policies)}
	for _, c := range verdict.Conditions {
		view.Conditions = append(view.Conditions, Condition{
			Paths: c.Paths, Methods: c.Methods, Ports: c.Ports, RequestCondition: RequestCondition(c.Request),
		})
	}
	return view
}

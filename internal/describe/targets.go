package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// targets lists the Destinations to which routes shift or mirror requests of a
// workload, in the order of first occurrence, and the verdict about these calls.
// Subsets are listed besides if the verdict about them is another one.
func (b *workloadBuilder) targets(w *world.Workload, destination int, routes []*policy.Route) []Target {
	var views []Target
	seen := map[string]bool{b.world.Destinations[destination].Key(): true}
	for _, route := range routes {
		for _, s := range route.Settings {
			for _, target := range b.features.Of(s.Field).Targets(s.Value) {
				d := b.world.Service(target.Service)
				if d == nil {
					continue
				}
				whole := b.calls.VerdictOfTarget(w, d, nil)
				add := func(subset map[string]string, verdict reach.Verdict) {
					if key := d.Key() + policy.LabelText(subset); !seen[key] {
						seen[key] = true
						views = append(views, Target{Destination: viewService(d), Subset: subset, Access: AccessOf(b.result, verdict)})
					}
				}
				add(nil, whole)
				if verdict := b.calls.VerdictOfTarget(w, d, target.Subset); verdict.Decision != whole.Decision {
					add(target.Subset, verdict)
				}
			}
		}
	}
	return views
}

// AccessOf returns the view of a verdict.
func AccessOf(result *policy.Result, verdict reach.Verdict) Access {
	view := Access{
		Verdict: verdict.Decision, Stage: verdict.Code.Stage(), Code: verdict.Code, Reason: verdict.Reason,
		Policies: accessPolicies(result, verdict.Policies), Assumed: verdict.Assumed,
	}
	for _, p := range verdict.Ports {
		view.Ports = append(view.Ports, PortAccess{Port: p.Port, Verdict: p.Decision, Stage: p.Code.Stage(), Code: p.Code, Reason: p.Reason})
	}
	for _, o := range verdict.Further {
		obstacle := Obstacle{Stage: o.Code.Stage(), Code: o.Code, Reason: o.Reason, Ports: o.Ports}
		if o.Object.Kind != "" {
			obstacle.Object = o.Object.String()
		}
		view.Further = append(view.Further, obstacle)
	}
	for _, c := range verdict.Conditions {
		view.Conditions = append(view.Conditions, Condition{
			Paths: c.Paths, Methods: c.Methods, Ports: c.Ports, RequestCondition: RequestCondition(c.Request),
		})
	}
	return view
}

package describe

import (
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

// targets lists the Destinations to which routes shift or mirror requests of a
// workload, in the order of first occurrence, and the verdict about these calls.
// Subsets are listed besides if the verdict about them is another one.
func (b *workloadBuilder) targets(w *world.Workload, destination int, routes []*policy.Route) []Target {
	var views []Target
	own := &b.world.Destinations[destination]
	seen := map[string]bool{own.Key(): true}
	onlyGRPC := b.onlyGRPC(own, routes)
	for _, route := range routes {
		for _, s := range route.Settings {
			for _, t := range b.features.Of(s.Field).Targets(s.Value) {
				d := b.world.Service(t.Service)
				if d == nil {
					continue
				}
				add := func(subset map[string]string, verdict reach.Verdict) {
					if key := d.Key() + policy.LabelText(subset); !seen[key] {
						seen[key] = true
						views = append(views, Target{Destination: viewService(d), Subset: subset, Access: AccessOf(b.result, verdict)})
					}
				}
				target := reach.Target{Destination: d, Port: portOf(t.Port, d), OnlyGRPC: onlyGRPC[d]}
				whole := b.calls.VerdictOfTarget(w, target)
				add(nil, whole)
				if target.Labels = t.Subset; len(target.Labels) == 0 {
					continue
				}
				if verdict := b.calls.VerdictOfTarget(w, target); verdict.Decision != whole.Decision {
					add(t.Subset, verdict)
				}
			}
		}
	}
	return views
}

// onlyGRPC returns the targets to which routes of a Destination send nothing but gRPC
// requests.
func (b *workloadBuilder) onlyGRPC(own *world.Destination, routes []*policy.Route) map[*world.Destination]bool {
	only := map[*world.Destination]bool{}
	for _, route := range routes {
		grpc := len(route.Ports) > 0 && serviceport.OnlyGRPC(own, route.Ports)
		for _, s := range route.Settings {
			for _, t := range b.features.Of(s.Field).Targets(s.Value) {
				d := b.world.Service(t.Service)
				before, known := only[d]
				only[d] = grpc && (before || !known)
			}
		}
	}
	return only
}

func portOf(number uint32, d *world.Destination) uint32 {
	if number == 0 {
		return serviceport.Only(d)
	}
	return number
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

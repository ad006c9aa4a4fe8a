package sharedtrust

import (
	"context"
	"fmt"

	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
)

// Direction says where the steps of a rotation lead.
type Direction string

// The directions of a rotation.
const (
	// Forward leads to the new root.
	Forward Direction = "forward"
	// Back leads to the old root.
	Back Direction = "back"
)

// Due returns the step that comes next in a direction. Its error says why there
// is nothing to do in that direction, or nothing may be done yet.
func (v *Survey) Due(direction Direction) (Step, error) {
	p := &v.Position
	switch {
	case direction == Back && !p.Rotating():
		return Step{}, fmt.Errorf("nothing to roll back: VirtualMesh %s has no rotation in progress", v.Name())
	case direction == Back && !p.RollingBack:
		return Step{State: trust.StateRollingBack, Message: MessageOf(trust.StateRollingBack, v.Strategy)}, nil
	case direction == Forward && p.RollingBack:
		return Step{}, fmt.Errorf("VirtualMesh %s is being rolled back: continue with 'meshctl trust rollback %s'", v.Name(), v.Name())
	default:
		return v.NextStep()
	}
}

// Feasible returns why the step that is due in a direction would be refused as a
// whole. It writes nothing, so that it can be known before anybody is asked.
func (e *Env) Feasible(ctx context.Context, v *Survey, direction Direction) error {
	step, err := v.Due(direction)
	switch {
	case err != nil:
		return err
	case direction == Back && !v.Position.RollingBack:
		return v.checkWayBack()
	case !v.Position.Rotating():
		return e.feasibleStart(ctx, v)
	case step.State == "", step.State == trust.StateFinished, step.State == trust.StateNotRotating:
		return nil
	default:
		return v.inStep()
	}
}

// feasibleStart returns why a rotation would not begin.
func (e *Env) feasibleStart(ctx context.Context, v *Survey) error {
	if err := v.checkMeshes(); err != nil {
		return err
	}
	from, to := v.sourceOf(v.deployed(), e.Namespace), v.sourceOf(v.Shared, e.Namespace)
	if to.same(from) && to.Kind == SourceGenerated {
		return nil // a root is generated
	}
	if coming := e.readRoot(ctx, to); !coming.Missing {
		return v.checkComing(&coming)
	}
	return nil
}

// Do does the step that is due in a direction: Advance or RollBack.
func (e *Env) Do(ctx context.Context, v *Survey, direction Direction) ([]Outcome, error) {
	if direction == Back {
		return e.RollBack(ctx, v)
	}
	return e.Advance(ctx, v)
}

// Preview returns what the step that is due would do to the meshes, as far as
// that is known before it begins.
func (v *Survey) Preview(direction Direction) []Outcome {
	outcomes := Planned(v.Plan(false))
	step, err := v.Due(direction)
	if err != nil || step.State == "" {
		return outcomes
	}
	for i := range outcomes {
		if a := &outcomes[i].Action; a.Kind == ActionKeep {
			a.Kind, a.Reason = ActionUpdate, step.Message
			if step.State == trust.StatePropagatingIntermediate {
				a.Kind = ActionReissue
			}
		}
	}
	return outcomes
}

// Gate is what speaks against the next step of a rotation.
type Gate struct {
	// Older names what runs with certificates that the next step takes for gone:
	// its calls would fail.
	Older []string
	// Unknown says of which meshes that is not known, and why.
	Unknown []string
	// Stale names the namespaces whose proxies are told to accept other roots than
	// their mesh. It is no reason to stop: what runs was restarted after its control
	// plane, which is who tells it.
	Stale []string
}

// Closed reports whether the next step should not be done yet.
func (g *Gate) Closed() bool { return len(g.Older) > 0 || len(g.Unknown) > 0 }

// Gate returns what speaks against the next step in a direction. A step that is
// continued, the first one, and the beginning of the way back have none.
func (r *Report) Gate(direction Direction) Gate {
	var g Gate
	if r.Position.Stage != trust.StageVerified || direction == Back && !r.Position.RollingBack {
		return g
	}
	_, g.Older = r.Older()
	for i := range r.Reports {
		m := &r.Reports[i]
		if m.OlderErr != nil {
			g.Unknown = append(g.Unknown, fmt.Sprintf("%s: %s", m.Ref.Name, m.OlderErr))
		}
		for k := range m.Reach {
			if n := &m.Reach[k]; !n.Missing && !n.Current() {
				g.Stale = append(g.Stale, n.Namespace+" on "+m.Cluster)
			}
		}
	}
	return g
}

// RestartDue reports whether something runs with older certificates, and all
// meshes have those of the present step, so that restarting it helps.
func (r *Report) RestartDue() bool {
	count, _ := r.Older()
	return count > 0 && r.Position.Stage != trust.StageDistributing
}

// PlanRestarts plans the restart of what runs with older certificates in the
// meshes of a virtual mesh.
func (t *Session) PlanRestarts(ctx context.Context, w *world.World, s *Subject) (*restart.Fleet, error) {
	meshes, err := restart.Select(w, restart.Selection{VirtualMeshes: []string{s.Name()}})
	if err != nil {
		return nil, err
	}
	return restart.PlanFleet(ctx, meshes, &t.Store.Members, restart.FleetOptions{
		Inspect: restart.InspectOptions{ManagementNamespace: t.Env.Namespace, Settings: w.Settings}, Clock: t.Env.Now,
	})
}

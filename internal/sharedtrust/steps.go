package sharedtrust

import (
	"context"
	"fmt"

	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
)

// Direction is the direction of a rotation.
type Direction string

// The directions of a rotation.
const (
	// Forward rotates to the new root.
	Forward Direction = "forward"
	// Back rolls back to the old root.
	Back Direction = "back"
)

// Due returns the next step in a direction. It returns an error if there is nothing to do in
// that direction, or if the step is not allowed yet.
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

// Feasible returns why the next step in a direction would be refused, nil if it would not. It
// writes nothing, so that it can run before the user is asked for confirmation.
func (e *Env) Feasible(ctx context.Context, v *Survey, direction Direction) error {
	step, err := v.Due(direction)
	switch {
	case err != nil:
		return err
	case direction == Back && !v.Position.RollingBack:
		return v.checkRollback()
	case !v.Position.Rotating():
		return e.feasibleStart(ctx, v)
	case step.State == "", step.State == trust.StateFinished, step.State == trust.StateNotRotating:
		return nil
	default:
		return v.checkCurrentStep()
	}
}

// feasibleStart returns why a rotation cannot start.
func (e *Env) feasibleStart(ctx context.Context, v *Survey) error {
	if err := v.checkMeshes(); err != nil {
		return err
	}
	from, to := v.sourceOf(v.deployed(), e.Namespace), v.sourceOf(v.Shared, e.Namespace)
	if to.same(from) && to.Kind == SourceGenerated {
		return nil // a root will be generated
	}
	if coming := e.readRoot(ctx, to); !coming.Missing {
		return v.checkComing(&coming)
	}
	return nil
}

// Do executes the next step in a direction: Advance or RollBack. It returns their outcomes and
// errors.
func (e *Env) Do(ctx context.Context, v *Survey, direction Direction) ([]Outcome, error) {
	if direction == Back {
		return e.RollBack(ctx, v)
	}
	return e.Advance(ctx, v)
}

// Preview returns what the next step would do to the meshes, as far as that is known in
// advance.
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

// Gate lists reasons against the next step of a rotation.
type Gate struct {
	// Older are workloads with outdated certificates: the next step would break their calls.
	Older []string
	// Unknown are the meshes for which that is not known, and why.
	Unknown []string
	// Stale are namespaces whose published roots differ from those of their mesh. They do not
	// block the step: running workloads were restarted after their control plane, which
	// publishes the roots.
	Stale []string
}

// Closed reports whether the next step should not be executed yet.
func (g *Gate) Closed() bool { return len(g.Older) > 0 || len(g.Unknown) > 0 }

// Gate returns the reasons against the next step in a direction. There are none for a step
// that is continued, for the first step, and for the start of a rollback.
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

// RestartDue reports whether a restart is useful: workloads use outdated certificates, and all
// meshes have the certificates of the current step.
func (r *Report) RestartDue() bool {
	count, _ := r.Older()
	return count > 0 && r.Position.Stage != trust.StageDistributing
}

// PlanRestarts plans the restart of the workloads with outdated certificates in the meshes of
// a virtual mesh. For errors see restart.PlanFleet.
func (t *Session) PlanRestarts(ctx context.Context, w *world.World, s *Subject) (*restart.Fleet, error) {
	meshes, err := restart.Select(w, restart.Selection{VirtualMeshes: []string{s.Name()}})
	if err != nil {
		return nil, err
	}
	return restart.PlanFleet(ctx, meshes, &t.Store.Members, restart.FleetOptions{
		Inspect: restart.InspectOptions{ManagementNamespace: t.Env.Namespace, Settings: w.Settings}, Clock: t.Env.Now,
	})
}

package restart

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// Fleet is the restart of several meshes, which may run on several clusters.
type Fleet struct {
	// Meshes are those to restart, sorted by cluster and name.
	Meshes []MeshRestart
	// RestartedAt is the value of the annotation that the restarts set.
	RestartedAt string
}

// MeshRestart is the restart of one mesh of a Fleet.
type MeshRestart struct {
	Mesh *world.Mesh
	// Plan is nil if nothing could be planned.
	Plan *Plan
	// Report says what was done; it is empty before Run.
	Report Report
	// Err is why the mesh cannot be restarted at all.
	Err error

	connection *kube.Connection
}

// FleetOptions say how to plan a Fleet.
type FleetOptions struct {
	// Inspect and Plan hold for all clusters and all meshes.
	Inspect InspectOptions
	Plan    PlanOptions
	// Clock tells the time.
	Clock cli.Clock
}

// PlanFleet reads the clusters of the meshes, all at the same time, and plans
// their restart. What is wrong with one mesh or its cluster is in Err of the mesh;
// the error is that the options fit none of the meshes, or that of ctx.
func PlanFleet(ctx context.Context, meshes []*world.Mesh, members *kube.Members, opts FleetOptions) (*Fleet, error) {
	f := &Fleet{Meshes: make([]MeshRestart, len(meshes))}
	for i, mesh := range meshes {
		m := &f.Meshes[i]
		m.Mesh = mesh
		switch {
		case mesh.Resource == nil:
			m.Err = fmt.Errorf("mesh %s of the virtual mesh not found: its cluster is unreachable, or it was not discovered: run 'meshctl discover'", m.name())
		case mesh.Type != world.MeshIstio:
			m.Err = fmt.Errorf("mesh %s is of type %s: only Istio meshes can be restarted", m.name(), mesh.Type)
		default:
			m.connection, m.Err = members.Connection(mesh.Cluster)
		}
	}
	facts := f.inspect(ctx, opts.Inspect)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f, f.plan(facts, opts)
}

// Result returns what came of an item of the plan, nil if nothing was tried.
func (m *MeshRestart) Result(item *Item) *Result {
	for i := range m.Report.Results {
		if m.Report.Results[i].Item == item {
			return &m.Report.Results[i]
		}
	}
	return nil
}

func (m *MeshRestart) name() string { return m.Mesh.Names().Full() }

// inspect reads the clusters of the meshes.
func (f *Fleet) inspect(ctx context.Context, opts InspectOptions) map[*kube.Connection]*Facts {
	var connections []*kube.Connection
	seen := map[*kube.Connection]bool{}
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Err == nil && !seen[m.connection] {
			seen[m.connection] = true
			connections = append(connections, m.connection)
		}
	}
	facts := map[*kube.Connection]*Facts{}
	for i, found := range InspectAll(ctx, connections, opts) {
		if found.Err == nil {
			facts[connections[i]] = &found.Facts
			continue
		}
		for k := range f.Meshes {
			if m := &f.Meshes[k]; m.connection == connections[i] && m.Err == nil {
				m.Err = found.Err
			}
		}
	}
	return facts
}

// plan decides what is restarted.
func (f *Fleet) plan(facts map[*kube.Connection]*Facts, opts FleetOptions) error {
	at := opts.Clock().UTC().Truncate(time.Second)
	var plans []Plan
	for i := range f.Meshes {
		m := &f.Meshes[i]
		if m.Err != nil {
			continue
		}
		plan, err := NewPlan(facts[m.connection], m.Mesh.Ref.Name, m.Mesh.Ref.Namespace, opts.Plan)
		if err != nil {
			m.Err = m.adviseAccess(err)
			continue
		}
		// Whatever the clock of this machine says, a restart is after its reason.
		if !at.After(plan.TrustChanged) {
			at = plan.TrustChanged.UTC().Add(time.Second)
		}
		m.Plan = &plan
		plans = append(plans, plan)
	}
	f.RestartedAt = opts.Plan.RestartedAt
	if f.RestartedAt == "" {
		f.RestartedAt = at.Format(time.RFC3339)
	}
	if len(plans) == 0 {
		return nil
	}
	return CheckFilters(plans, opts.Plan)
}

// adviseAccess says how to get a permission that planning lacks.
func (m *MeshRestart) adviseAccess(err error) error {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason != kube.ReasonForbidden {
		return err
	}
	return fmt.Errorf("restarts of mesh %s not known: forbidden on cluster %s to %s; %s",
		m.name(), m.connection.Name, authorityPermission(m.Mesh.Namespace), accessHint(m.connection))
}

// accessHint says how to get the permissions that restarts take.
func accessHint(c *kube.Connection) string {
	if c.Source != kube.SourceRegistered {
		return "get the permission, or use other credentials"
	}
	return fmt.Sprintf("raise its access with 'meshctl cluster register %s --access full --remote-context CONTEXT'", c.Name)
}

// CheckPermissions asks the clusters whether the plans may be run, and says of
// meshes that may not be restarted why, before anything is written. It returns
// those.
func (f *Fleet) CheckPermissions(ctx context.Context) []*MeshRestart {
	f.each(func(m *MeshRestart) {
		missing, err := Missing(ctx, m.connection, m.Plan)
		if err != nil {
			m.Err = err
			return
		}
		if len(missing) == 0 {
			return
		}
		const shown = 3
		var texts []string
		for _, permission := range missing[:min(len(missing), shown)] {
			texts = append(texts, permission.String())
		}
		if more := len(missing) - shown; more > 0 {
			texts = append(texts, text.More(more))
		}
		m.Err = fmt.Errorf("cannot restart mesh %s: forbidden on cluster %s to %s; %s", m.name(), m.connection.Name, strings.Join(texts, ", "), accessHint(m.connection))
	})
	var refused []*MeshRestart
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Plan != nil && m.Err != nil {
			refused = append(refused, m)
		}
	}
	return refused
}

// Run runs the plans, those of different clusters at the same time. RestartedAt
// of the options is that of the fleet.
func (f *Fleet) Run(ctx context.Context, opts RunOptions, observe Observer) {
	opts.RestartedAt = f.RestartedAt
	f.each(func(m *MeshRestart) { m.Report = Run(ctx, m.connection, m.Plan, opts, observe) })
}

// each does something for every mesh that is planned and has not failed. Those
// of one cluster come one after the other.
func (f *Fleet) each(do func(*MeshRestart)) {
	byCluster := map[*kube.Connection][]*MeshRestart{}
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Err == nil && m.Plan != nil {
			byCluster[m.connection] = append(byCluster[m.connection], m)
		}
	}
	var pending sync.WaitGroup
	for _, meshes := range byCluster {
		pending.Go(func() {
			for _, m := range meshes {
				do(m)
			}
		})
	}
	pending.Wait()
}

// Count returns the number of items with one of the actions, of all meshes that
// can be restarted.
func (f *Fleet) Count(actions ...Action) int {
	count := 0
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Plan != nil && m.Err == nil {
			count += m.Plan.Count(actions...)
		}
	}
	return count
}

// Planned reports whether any mesh can be restarted.
func (f *Fleet) Planned() bool {
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Plan != nil && m.Err == nil {
			return true
		}
	}
	return false
}

// Failed reports whether a mesh could not be restarted, or anything of one failed.
func (f *Fleet) Failed() bool {
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Err != nil || m.Report.Count(OutcomeFailed) > 0 {
			return true
		}
	}
	return false
}

// Outcomes counts what came of the items, by outcome.
func (f *Fleet) Outcomes() map[Outcome]int {
	counts := map[Outcome]int{}
	for i := range f.Meshes {
		for _, result := range f.Meshes[i].Report.Results {
			counts[result.Outcome]++
		}
	}
	return counts
}

// Targets returns the names of the clusters on which something is restarted or
// waited for, sorted, each once.
func (f *Fleet) Targets() []string {
	var names []string
	for i := range f.Meshes {
		m := &f.Meshes[i]
		if m.Err != nil || m.Plan == nil || m.Plan.Count(ActionRestart, ActionWait) == 0 {
			continue
		}
		if len(names) == 0 || names[len(names)-1] != m.Mesh.Cluster {
			names = append(names, m.Mesh.Cluster)
		}
	}
	return names
}

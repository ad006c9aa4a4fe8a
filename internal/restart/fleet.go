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

// Fleet is the restart of several meshes, possibly on several clusters.
type Fleet struct {
	// Meshes are the meshes to restart, sorted by cluster and name.
	Meshes []MeshRestart
	// RestartedAt is the value of the restart annotation.
	RestartedAt string
}

// MeshRestart is the restart of one mesh of a Fleet.
type MeshRestart struct {
	Mesh *world.Mesh
	// Plan is nil if the mesh could not be planned.
	Plan *Plan
	// Report is the result of the run; empty before Run.
	Report Report
	// Err is why the mesh cannot be restarted.
	Err error

	connection *kube.Connection
}

// FleetOptions configure PlanFleet.
type FleetOptions struct {
	// Inspect and Plan apply to all clusters and meshes.
	Inspect InspectOptions
	Plan    PlanOptions
	// Clock returns the current time.
	Clock cli.Clock
}

// PlanFleet reads the clusters of the meshes in parallel and plans their restarts. Errors of a
// mesh or its cluster are in its MeshRestart.Err. PlanFleet returns an error if a filter of
// the options matches nothing (see CheckFilters), or if ctx ends.
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

// Result returns the result of an item of the plan, nil if there is none.
func (m *MeshRestart) Result(item *Item) *Result {
	for i := range m.Report.Results {
		if m.Report.Results[i].Item == item {
			return &m.Report.Results[i]
		}
	}
	return nil
}

func (m *MeshRestart) name() string { return m.Mesh.Names().Full() }

// inspect reads the clusters of the meshes and sets Err of the meshes whose cluster could not
// be read.
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

// plan plans the restart of each mesh.
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
		// The time of a restart must be after its reason, even if the local clock is wrong.
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

// adviseAccess adds how to obtain a missing permission to a forbidden error.
func (m *MeshRestart) adviseAccess(err error) error {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason != kube.ReasonForbidden {
		return err
	}
	return fmt.Errorf("cannot determine which workloads of mesh %s need a restart: forbidden on cluster %s to %s; %s",
		m.name(), m.connection.Name, authorityPermission(m.Mesh.Namespace), accessHint(m.connection))
}

// accessHint returns how to obtain the permissions for restarts.
func accessHint(c *kube.Connection) string {
	if c.Source != kube.SourceRegistered {
		return "get the permission, or use other credentials"
	}
	return fmt.Sprintf("raise its access with 'meshctl cluster register %s --access full --remote-context CONTEXT'", c.Name)
}

// CheckPermissions checks in each cluster whether the plans may be run, before anything is
// written. It sets Err of the meshes that must not be restarted, and returns them.
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

// Run runs the plans, in parallel for different clusters. It sets RestartedAt of the options
// to that of the fleet.
func (f *Fleet) Run(ctx context.Context, opts RunOptions, observe Observer) {
	opts.RestartedAt = f.RestartedAt
	f.each(func(m *MeshRestart) { m.Report = Run(ctx, m.connection, m.Plan, opts, observe) })
}

// each calls a function for every planned mesh without an error. Clusters are processed in
// parallel, the meshes of one cluster one after the other.
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

// Count returns the number of items with one of the actions, in all meshes that can be
// restarted.
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

// Failed reports whether a mesh could not be restarted or one of its items failed.
func (f *Fleet) Failed() bool {
	for i := range f.Meshes {
		if m := &f.Meshes[i]; m.Err != nil || m.Report.Count(OutcomeFailed) > 0 {
			return true
		}
	}
	return false
}

// Outcomes returns the number of items by outcome.
func (f *Fleet) Outcomes() map[Outcome]int {
	counts := map[Outcome]int{}
	for i := range f.Meshes {
		for _, result := range f.Meshes[i].Report.Results {
			counts[result.Outcome]++
		}
	}
	return counts
}

// Targets returns the distinct names of the clusters on which something is restarted or waited
// for, sorted.
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

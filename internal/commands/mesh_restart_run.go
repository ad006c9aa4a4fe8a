package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
)

// restarting is one run of mesh restart.
type restarting struct {
	*meshRestartOptions
	// meshes are those to restart, sorted by cluster and name.
	meshes []restartedMesh
	// restartedAt is the value of the annotation.
	restartedAt string
	// incomplete says that part of the input is missing.
	incomplete bool
	progress   *restartProgress
}

// restartedMesh is one mesh of a run.
type restartedMesh struct {
	mesh       *world.Mesh
	connection *kube.Connection
	plan       *restart.Plan
	report     restart.Report
	// err is why the mesh cannot be restarted at all.
	err error
}

func (m *restartedMesh) name() string { return m.mesh.Names().Full() }

// prepare finds the meshes and plans.
func (r *restarting) prepare(ctx context.Context) error {
	r.progress = newRestartProgress(r.streams, r.verbosity() > 0)
	chosen, err := r.settings()
	if err != nil {
		return err
	}
	world, err := r.load(ctx, r.world, r.streams.In)
	if err != nil {
		return err
	}
	r.incomplete = reportProblems(r.streams, world) != nil
	if err := r.choose(world); err != nil {
		return err
	}
	members, err := r.world.members(ctx, chosen.Namespace())
	if err != nil {
		return err
	}
	for i := range r.meshes {
		m := &r.meshes[i]
		m.connection = members.byName[m.mesh.Cluster]
		switch failure := members.failures[m.mesh.Cluster]; {
		case m.err != nil || m.connection != nil:
		case failure != nil:
			m.err = failure
		default:
			m.err = fmt.Errorf("cluster %s is not registered: register it with 'meshctl cluster register %s', or name its context with --clusters", m.mesh.Cluster, m.mesh.Cluster)
		}
	}
	facts := r.inspect(ctx, restart.InspectOptions{ManagementNamespace: chosen.Namespace(), Settings: world.Settings})
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.plan(facts)
}

// choose finds the meshes that the command line means.
func (r *restarting) choose(w *world.World) error {
	var chosen []*world.Mesh
	var errs []error
	switch {
	case r.all:
		for _, mesh := range w.MeshPointers() {
			if mesh.Type == world.MeshIstio {
				chosen = append(chosen, mesh)
			}
		}
	case len(r.virtualMeshes) > 0:
		chosen, errs = meshesOfVirtualMeshes(w, r.virtualMeshes)
	default:
		for _, name := range r.names {
			mesh, err := world.Resolve("mesh", w.MeshPointers(), (*world.Mesh).Names, name)
			errs = append(errs, err)
			chosen = append(chosen, mesh)
		}
	}
	if err := errors.Join(errs...); err != nil {
		if r.incomplete {
			err = errors.Join(err, cli.ErrReported)
		}
		return err
	}
	slices.SortFunc(chosen, func(a, b *world.Mesh) int {
		return strings.Compare(a.Cluster+"/"+a.Names().Full(), b.Cluster+"/"+b.Names().Full())
	})
	for _, mesh := range slices.Compact(chosen) {
		m := restartedMesh{mesh: mesh}
		switch {
		case mesh.Resource == nil:
			m.err = fmt.Errorf("the mesh %s, which the virtual mesh lists, is not known: its cluster does not answer, or 'meshctl discover' has not found it", mesh.Names().Full())
		case mesh.Type != world.MeshIstio:
			m.err = fmt.Errorf("the mesh %s is of type %s: only Istio meshes are restarted", mesh.Names().Full(), mesh.Type)
		}
		r.meshes = append(r.meshes, m)
	}
	if len(r.meshes) == 0 {
		fmt.Fprintln(r.streams.Err, "No Istio mesh is known: run 'meshctl discover' first, or see what is wrong with 'meshctl check'.")
	}
	return nil
}

// meshesOfVirtualMeshes returns the meshes that the named virtual meshes list;
// those that are not known have no Resource.
func meshesOfVirtualMeshes(w *world.World, names []string) ([]*world.Mesh, []error) {
	positions := make([]int, len(w.VirtualMeshes))
	for i := range positions {
		positions[i] = i
	}
	namesOf := func(i int) world.Names {
		vm := w.VirtualMeshes[i].Resource
		return world.Names{Kind: "VirtualMesh", Name: vm.Name, Namespace: vm.Namespace}
	}
	var (
		chosen []*world.Mesh
		errs   []error
	)
	for _, name := range names {
		i, err := world.Resolve("virtualmesh", positions, namesOf, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, ref := range w.VirtualMeshes[i].Resource.Spec.Meshes {
			mesh := w.MeshByRef(ref)
			if mesh == nil {
				// Its cluster may be one that does not answer.
				mesh = &world.Mesh{Ref: ref, Type: world.MeshUnknown}
			}
			chosen = append(chosen, mesh)
		}
	}
	return chosen, errs
}

// inspect reads the clusters of the meshes, all at the same time.
func (r *restarting) inspect(ctx context.Context, opts restart.InspectOptions) map[string]*restart.Facts {
	var connections []*kube.Connection
	for i := range r.meshes {
		if m := &r.meshes[i]; m.err == nil && !slices.Contains(connections, m.connection) {
			connections = append(connections, m.connection)
		}
	}
	type inspected struct {
		facts restart.Facts
		err   error
	}
	results := kube.Each(connections, func(c *kube.Connection) inspected {
		facts, err := restart.Inspect(ctx, c, opts)
		return inspected{facts, err}
	})
	found := map[string]*restart.Facts{}
	for i, c := range connections {
		if err := results[i].err; err != nil {
			r.failCluster(c, err)
			continue
		}
		found[c.Name] = &results[i].facts
	}
	return found
}

func (r *restarting) failCluster(c *kube.Connection, err error) {
	for i := range r.meshes {
		if m := &r.meshes[i]; m.connection == c && m.err == nil {
			m.err = err
		}
	}
}

// plan decides what is restarted.
func (r *restarting) plan(facts map[string]*restart.Facts) error {
	selector, err := labels.Parse(r.selector)
	if err != nil {
		return err
	}
	opts := restart.PlanOptions{
		AllWorkloads: r.allWorkloads, RestartedAt: r.resume, Within: r.namespaces, Selector: selector, Exclude: r.exclude,
	}
	at := r.clock().UTC().Truncate(time.Second)
	var plans []restart.Plan
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.err != nil {
			continue
		}
		plan, err := restart.NewPlan(facts[m.mesh.Cluster], m.mesh.Ref.Name, m.mesh.Ref.Namespace, opts)
		if err != nil {
			m.err = withAccessHint(m, err)
			continue
		}
		// Whatever the clock of this machine says, a restart is after its reason.
		if !at.After(plan.TrustChanged) {
			at = plan.TrustChanged.UTC().Add(time.Second)
		}
		m.plan = &plan
		plans = append(plans, plan)
	}
	r.restartedAt = r.resume
	if r.resume == "" {
		r.restartedAt = at.Format(time.RFC3339)
	}
	if len(plans) == 0 {
		return nil
	}
	return restart.CheckFilters(plans, opts)
}

// withAccessHint says of a permission that is missing how to get it.
func withAccessHint(m *restartedMesh, err error) error {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason != kube.ReasonForbidden {
		return err
	}
	return fmt.Errorf("it is not known what of the mesh %s needs a restart: not allowed on cluster %s to %s; %s",
		m.name(), m.connection.Name, kube.TrustPermission(m.mesh.Namespace), accessHint(m.connection))
}

// accessHint says how to get the permissions that restarts take.
func accessHint(c *kube.Connection) string {
	if c.Source != kube.SourceRegistered {
		return "ask for the permission, or use other credentials"
	}
	return fmt.Sprintf("raise its access: meshctl cluster register %s --access %s --remote-context CONTEXT", c.Name, registration.AccessFull)
}

// checkPermissions takes meshes out that may not be restarted, before anything
// is written.
func (r *restarting) checkPermissions(ctx context.Context) {
	r.each(func(m *restartedMesh) {
		missing, err := restart.Missing(ctx, m.connection, m.plan)
		if err != nil {
			m.err = err
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
			texts = append(texts, fmt.Sprintf("and %d more", more))
		}
		m.err = fmt.Errorf("nothing of the mesh %s is restarted: not allowed on cluster %s to %s; %s", m.name(), m.connection.Name, strings.Join(texts, ", "), accessHint(m.connection))
	})
	for i := range r.meshes {
		if m := &r.meshes[i]; m.plan != nil && m.err != nil {
			r.progress.line("error: %s", m.err)
		}
	}
}

// each does something for every mesh that is planned and has not failed. Those
// of one cluster come one after the other.
func (r *restarting) each(do func(*restartedMesh)) {
	byCluster := map[string][]*restartedMesh{}
	for i := range r.meshes {
		if m := &r.meshes[i]; m.err == nil && m.plan != nil {
			byCluster[m.mesh.Cluster] = append(byCluster[m.mesh.Cluster], m)
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

// confirm asks whether to go on.
func (r *restarting) confirm(ctx context.Context) error {
	var names []string
	count := 0
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.err != nil || m.plan == nil {
			continue
		}
		if n := m.plan.Count(restart.ActionRestart, restart.ActionWait); n > 0 {
			count += n
			names = append(names, m.mesh.Cluster)
		}
	}
	if r.yes || !r.writes() || count == 0 {
		return nil
	}
	prompter := newPrompter(ctx, r.streams)
	if prompter == nil {
		return cli.Usagef("--yes is required when nobody can be asked")
	}
	yes, err := prompter.Confirm(wizard.Question{
		Text: fmt.Sprintf("Restart %d on %s?", count, strings.Join(slices.Compact(names), ", ")),
		Help: "What was listed above is restarted stage by stage: control plane, gateways, workloads.",
	}, false)
	if err == nil && !yes {
		err = cli.ErrCancelled
	}
	return err
}

// start runs the plans, those of different clusters at the same time.
func (r *restarting) start(ctx context.Context) {
	if r.dryRun.String() == "client" {
		return
	}
	opts := restart.RunOptions{
		RestartedAt: r.restartedAt, DryRun: !r.writes(), NoWait: !r.wait, FailFast: r.failFast,
		MaxParallel: r.maxParallel, Timeout: r.timeout, Clock: r.clock,
	}
	if r.writes() {
		r.progress.line("The restarts of this run are marked %s.", r.restartedAt)
	}
	r.each(func(m *restartedMesh) {
		m.report = restart.Run(ctx, m.connection, m.plan, opts, r.progress.observe)
	})
	r.progress.end()
}

// outcome is the error of the command.
func (r *restarting) outcome() error {
	failed, timedOut, manual := r.incomplete, 0, 0
	for i := range r.meshes {
		m := &r.meshes[i]
		if m.err != nil {
			failed = true
			continue
		}
		failed = failed || m.report.Count(restart.OutcomeFailed) > 0
		timedOut += m.report.Count(restart.OutcomeTimeout)
		manual += m.plan.Count(restart.ActionManual)
	}
	switch {
	case failed:
		return cli.ErrReported
	case timedOut > 0:
		return cli.Timeoutf("%s not ready within %s; run the command again to wait for it", countedAre(timedOut, "workload"), r.timeout)
	case manual > 0 && r.writes():
		return cli.ErrFindings
	default:
		return nil
	}
}

func countedAre(count int, noun string) string {
	if count == 1 {
		return "1 " + noun + " was"
	}
	return fmt.Sprintf("%d %ss were", count, noun)
}

func (r *restarting) count(actions ...restart.Action) int {
	count := 0
	for i := range r.meshes {
		if m := &r.meshes[i]; m.plan != nil && m.err == nil {
			count += m.plan.Count(actions...)
		}
	}
	return count
}

package mesh

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/wizard"
)

// restarting is one run of mesh restart.
type restarting struct {
	*restartOptions
	cmdutil.RestartSession
}

// prepare selects the meshes and plans their restart.
func (r *restarting) prepare(ctx context.Context) error {
	chosen, err := r.settings()
	if err != nil {
		return err
	}
	selector, err := labels.Parse(r.selector)
	if err != nil {
		return err
	}
	world, err := r.load(ctx, r.world, r.streams.In)
	if err != nil {
		return err
	}
	r.RestartSession = cmdutil.RestartSession{
		Progress: cmdutil.NewRestartProgress(r.streams, r.verbosity() > 0), Discovered: r.world.FromManagement(),
		PlanOnly: r.dryRun.String() == "client", Everything: r.allWorkloads, Incomplete: cmdutil.ReportProblems(r.streams, world) != nil,
		How: restart.RunOptions{
			DryRun: r.dryRun.String() == "server", NoWait: !r.wait, FailFast: r.failFast, MaxParallel: r.maxParallel, Timeout: r.timeout, Clock: r.clock,
		},
	}
	meshes, err := restart.Select(world, restart.Selection{Names: r.names, VirtualMeshes: r.virtualMeshes, All: r.all})
	if err != nil && r.Incomplete {
		err = errors.Join(err, cli.ErrReported)
	}
	if err != nil {
		return err
	}
	if len(meshes) == 0 && !r.Incomplete {
		r.streams.Say("No Istio mesh found. Run 'meshctl discover' first, or 'meshctl check' to find the problem.")
	}
	found, err := r.world.Members(ctx, chosen.Namespace())
	if err != nil {
		return err
	}
	r.Fleet, err = restart.PlanFleet(ctx, meshes, &found.Members, restart.FleetOptions{
		Inspect: restart.InspectOptions{ManagementNamespace: chosen.Namespace(), Settings: world.Settings},
		Plan: restart.PlanOptions{
			AllWorkloads: r.allWorkloads, RestartedAt: r.resume, Within: r.namespaces, Selector: selector, Exclude: r.exclude,
		},
		Clock: r.clock,
	})
	return err
}

// confirm asks for confirmation of the plan.
func (r *restarting) confirm(ctx context.Context) error {
	count := r.Fleet.Count(restart.ActionRestart, restart.ActionWait)
	if r.yes || !r.Writes() || count == 0 {
		return nil
	}
	return cmdutil.Confirm(ctx, r.streams, r.yes, wizard.Question{
		Text: fmt.Sprintf("Restart %s on %s?", text.Count(count, "workload"), clustersText(r.Fleet.Targets())),
		Help: "The restart runs in stages: control plane, gateways, workloads.",
	})
}

// clustersText lists clusters in a sentence.
func clustersText(names []string) string {
	return text.Choose(len(names), "cluster", "clusters") + " " + text.And(names)
}

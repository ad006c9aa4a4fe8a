package trust

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/trust/report"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
)

type verifyOptions struct {
	trustCommand
	force  bool
	yes    bool
	output *cmdutil.EnumValue
}

func newVerifyCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &verifyOptions{trustCommand: newTrustCommand(f), output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "verify VIRTUALMESH",
		Short: "Confirm that a step of a root CA rotation works",
		Long: cmdutil.Dedent(`
			Confirm that a step of the root CA rotation of a virtual mesh works, and allow
			the next one. Use it if rotationVerificationMethod of the VirtualMesh is manual.

			First, meshctl checks what it can: that every mesh has the certificates of the
			step and that they chain to the root, that namespaces have the roots, and that no
			workload uses outdated certificates. If a check fails, it is shown, nothing is
			confirmed, and the exit code is 3. --force confirms anyway.`),
		Example: cmdutil.Dedent(`
			# confirm the current step
			meshctl trust verify prod`),
		Args: oneVirtualMesh,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.Settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.register(cmd, f)
	flags := cmd.Flags()
	flags.BoolVar(&opts.force, "force", false, "confirm despite failed checks")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format of the result")
	return cmd
}

// check validates the combination of arguments and flags.
func (o *verifyOptions) check() error {
	switch {
	case !o.world.FromManagement():
		return cli.Usagef("rotations need the management cluster: add --context")
	case !o.yes && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm; check the state first with 'meshctl trust status'")
	default:
		return o.trustCommand.check()
	}
}

func (o *verifyOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(_ context.Context, r *trusting, s *sharedtrust.Subject) error {
		return r.Alone(ctx, s, func(ctx, reading context.Context) error { return o.verify(ctx, reading, r, s) })
	})
}

// verify checks the step, asks for confirmation, and records it. The context reading is for
// the checks only.
func (o *verifyOptions) verify(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) error {
	found, err := r.Inspect(reading, r.result, s)
	if err != nil {
		return err
	}
	if !found.Position.Rotating() || found.Position.Stage == trust.StageDistributing {
		return r.Env.Verify(ctx, found.Survey) // returns why there is nothing to verify
	}
	status := report.NewStatus(found, o.clock(), 0)
	status.Problems = status.Blocking()
	status.OK = !slices.ContainsFunc(status.Problems, func(p report.Problem) bool { return !p.Unknown })
	if err := o.print(&status); err != nil {
		return err
	}
	if !status.OK && !o.force {
		r.say("Not confirmed: fix the problems listed above, or pass --force to confirm anyway.")
		return cli.ErrFindings
	}
	if err := r.confirm(ctx, o.yes, fmt.Sprintf("Confirm that %s works?", found.Position.Phase().State), "This allows the next step of the rotation."); err != nil {
		return err
	}
	r.Env.Observe = r.observe
	if err := r.Env.Verify(ctx, found.Survey); err != nil {
		return err
	}
	after, err := sharedtrust.Look(ctx, r.Env, s)
	if err != nil {
		return err
	}
	switch {
	case !after.Position.Rotating():
		r.say("The rotation has finished.")
	case after.Position.RollingBack:
		r.say("Next: run the next step with 'meshctl trust rollback %s'.", s.Name())
	default:
		r.say("Next: run the next step with 'meshctl trust rotate %s'.", s.Name())
	}
	return nil
}

func (o *verifyOptions) print(status *report.Status) error {
	list := &report.StatusList{APIVersion: report.APIVersion, Kind: "TrustStatusList", Items: []report.Status{*status}}
	return output.Print(o.streams, o.output.Format(), list.View(o.clock()))
}

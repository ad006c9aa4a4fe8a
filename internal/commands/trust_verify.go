package commands

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
)

type trustVerifyOptions struct {
	trustCommand
	force  bool
	yes    bool
	output *enumValue
}

func newTrustVerifyCmd(f *Factory) *cobra.Command {
	opts := &trustVerifyOptions{trustCommand: newTrustCommand(f), output: newOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "verify VIRTUALMESH",
		Short: "Confirm that a step of a rotation works",
		Long: dedent(`
			Confirm that a step of the rotation of a virtual mesh works, so that the next one
			may be done. It is for a VirtualMesh with rotationVerificationMethod manual.

			Before that, everything that meshctl can find out is looked at: that every mesh
			has the certificates of the step and that they lead to the root, that namespaces
			have the roots, and that nothing runs with older certificates. What contradicts
			is shown, and nothing is confirmed; it exits with 3. --force confirms all the
			same.`),
		Example: dedent(`
			# confirm that the step works
			meshctl trust verify prod`),
		Args: oneVirtualMesh,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.register(cmd, f)
	flags := cmd.Flags()
	flags.BoolVar(&opts.force, "force", false, "confirm although something contradicts")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	addOutputFlag(cmd, opts.output, "output format of what was found")
	return cmd
}

// check refuses what cannot be meant.
func (o *trustVerifyOptions) check() error {
	switch {
	case !o.world.fromManagement():
		return cli.Usagef("a rotation is recorded on the management cluster: name it with --context")
	case !o.yes && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm; see how it stands with 'meshctl trust status'")
	default:
		return o.trustCommand.check()
	}
}

func (o *trustVerifyOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(_ context.Context, r *trusting, s *sharedtrust.Subject) error {
		return r.Alone(ctx, s, func(ctx, reading context.Context) error { return o.verify(ctx, reading, r, s) })
	})
}

// verify looks, asks and confirms; reading is for the first of these.
func (o *trustVerifyOptions) verify(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) error {
	report, err := r.Inspect(reading, r.result, s)
	if err != nil {
		return err
	}
	if !report.Position.Rotating() || report.Position.Stage == trust.StageDistributing {
		return r.Env.Verify(ctx, report.Survey) // it says why not
	}
	status := newTrustStatus(report, o.clock(), 0)
	status.Problems = contradictions(status.Problems)
	status.OK = len(status.Problems) == 0
	if err := o.print(&status); err != nil {
		return err
	}
	if !status.OK && !o.force {
		r.say("Not confirmed: repair what is listed above, or confirm it all the same with --force.")
		return cli.ErrFindings
	}
	if err := r.confirm(ctx, o.yes, fmt.Sprintf("Confirm that %s works?", report.Position.Phase().State), "The next step of the rotation may be done after that."); err != nil {
		return err
	}
	r.Env.Observe = r.observe
	if err := r.Env.Verify(ctx, report.Survey); err != nil {
		return err
	}
	after, err := sharedtrust.Look(ctx, r.Env, s)
	if err != nil {
		return err
	}
	switch {
	case !after.Position.Rotating():
		r.say("The rotation has ended.")
	case after.Position.RollingBack:
		r.say("Next: do the next step with 'meshctl trust rollback %s'.", s.Name())
	default:
		r.say("Next: do the next step with 'meshctl trust rotate %s'.", s.Name())
	}
	return nil
}

// contradictions are the problems that speak against a step having worked.
func contradictions(problems []trustProblem) []trustProblem {
	var found []trustProblem
	for _, p := range problems {
		if p.Unknown {
			continue
		}
		switch sharedtrust.Topic(p.ID) {
		case sharedtrust.TopicCertificates, sharedtrust.TopicDistribution, sharedtrust.TopicRestarts:
			found = append(found, p)
		case sharedtrust.TopicRoot, sharedtrust.TopicRotation, sharedtrust.TopicLeft:
		}
	}
	return found
}

func (o *trustVerifyOptions) print(status *trustStatus) error {
	list := &trustStatusList{APIVersion: trustVersion, Kind: "TrustStatusList", Items: []trustStatus{*status}}
	return output.Print(o.streams, o.output.format(), list.view(o.clock()))
}

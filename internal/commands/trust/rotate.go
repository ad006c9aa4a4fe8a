package trust

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// stepOptions are the options of the commands that run rotation steps.
type stepOptions struct {
	trustCommand
	factory *cmdutil.Factory
	// direction is the direction of the steps.
	direction sharedtrust.Direction

	yes         bool
	auto        bool
	ignoreOlder bool
	// begun is true after the first step of --auto.
	begun  bool
	dryRun *cmdutil.EnumValue
	output *cmdutil.EnumValue
}

func newStepOptions(f *cmdutil.Factory, direction sharedtrust.Direction) *stepOptions {
	return &stepOptions{
		trustCommand: newTrustCommand(f), factory: f, direction: direction,
		dryRun: cmdutil.NewEnumValue("none", "none", "client"), output: cmdutil.NewOutput(output.FormatTable),
	}
}

func (o *stepOptions) registerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	flags.BoolVar(&o.auto, "auto", false, "run all steps, and restart workloads with outdated certificates after each; requires spec.mtlsConfig.autoRestartPods in the VirtualMesh")
	flags.BoolVar(&o.ignoreOlder, "ignore-older", false, "run the step although workloads use outdated certificates: their calls will fail until they are restarted")
	cmdutil.AddEnumFlag(cmd, o.dryRun, "dry-run", "", "show the next step and write nothing")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
	cmdutil.AddOutputFlag(cmd, o.output, "output format of the result")
}

func newRotateCmd(f *cmdutil.Factory) *cobra.Command {
	opts := newStepOptions(f, sharedtrust.Forward)
	cmd := &cobra.Command{
		Use:   "rotate VIRTUALMESH",
		Short: "Rotate the root CA of a virtual mesh step by step",
		Long: cmdutil.Dedent(`
			Rotate the root CA of a virtual mesh step by step, so that its meshes trust each
			other throughout:

			  1. ADDING_NEW_ROOT               all meshes trust both roots
			  2. PROPAGATING_NEW_INTERMEDIATE  all meshes get an intermediate CA of the new root
			  3. DELETING_OLD_ROOT             no mesh trusts the old root

			Each call runs the next step and prints what to do after it: restart workloads
			that use outdated certificates ('meshctl mesh restart') and, if
			rotationVerificationMethod of the VirtualMesh requires it, confirm the step
			('meshctl trust verify'). The next step is refused until then. To continue an
			interrupted or failed step, run the command again. Until the last step has
			finished, 'meshctl trust rollback' returns to the old root.

			The new root CA is the one in spec.mtlsConfig.shared; a generated root CA is
			replaced by another generated one. With rotationStrategy NONE there is only one
			step, and calls between meshes fail until everything is restarted.

			The progress is recorded in the status of the VirtualMesh. The exit code is 3 if
			the next step is blocked and, with --dry-run, if it or a mesh in it would be
			refused.`),
		Example: cmdutil.Dedent(`
			# show the next step
			meshctl trust rotate prod --dry-run

			# run the next step
			meshctl trust rotate prod

			# run all steps with all restarts, as far as the VirtualMesh allows it
			meshctl trust rotate prod --auto --yes`),
		Args: oneVirtualMesh,
		RunE: opts.runE,
	}
	opts.register(cmd, f)
	opts.registerFlags(cmd)
	return cmd
}

func newRollbackCmd(f *cmdutil.Factory) *cobra.Command {
	opts := newStepOptions(f, sharedtrust.Back)
	cmd := &cobra.Command{
		Use:   "rollback VIRTUALMESH",
		Short: "Roll back a root CA rotation",
		Long: cmdutil.Dedent(`
			Roll back the root CA rotation of a virtual mesh: return to the old root by the
			same steps in reverse order, so that its meshes trust each other throughout. You
			can roll back until the rotation has finished; after that, rotate again instead.

			Each call runs the next step back, as 'meshctl trust rotate' runs it forward.`),
		Example: cmdutil.Dedent(`
			# show the next step back
			meshctl trust rollback prod --dry-run

			# run it
			meshctl trust rollback prod`),
		Args: oneVirtualMesh,
		RunE: opts.runE,
	}
	opts.register(cmd, f)
	opts.registerFlags(cmd)
	return cmd
}

func (o *stepOptions) runE(cmd *cobra.Command, args []string) error {
	o.names = args
	o.world.Settle(cmd)
	if err := o.check(); err != nil {
		return err
	}
	return o.run(cmd.Context())
}

func (o *stepOptions) writes() bool { return o.dryRun.String() == "none" }

// check validates the combination of arguments and flags.
func (o *stepOptions) check() error {
	switch {
	case !o.world.FromManagement():
		return cli.Usagef("rotations need the management cluster: add --context")
	case !o.yes && o.writes() && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm")
	case o.auto && !o.writes():
		return cli.Usagef("--auto and --dry-run cannot be combined")
	case o.auto && o.ignoreOlder:
		return cli.Usagef("--auto and --ignore-older cannot be combined: --auto restarts workloads with outdated certificates")
	default:
		return o.trustCommand.check()
	}
}

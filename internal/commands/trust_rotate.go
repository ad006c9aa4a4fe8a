package commands

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// trustStepOptions are those of the commands that do steps of a rotation.
type trustStepOptions struct {
	trustCommand
	factory *Factory
	// direction is where the steps lead.
	direction sharedtrust.Direction

	yes         bool
	auto        bool
	ignoreOlder bool
	// begun says that --auto is past its first step.
	begun  bool
	dryRun *enumValue
	output *enumValue
}

func newTrustStepOptions(f *Factory, direction sharedtrust.Direction) *trustStepOptions {
	return &trustStepOptions{
		trustCommand: newTrustCommand(f), factory: f, direction: direction,
		dryRun: newEnumValue("none", "none", "client"), output: newOutput(output.FormatTable),
	}
}

func (o *trustStepOptions) registerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	flags.BoolVar(&o.auto, "auto", false, "do all steps, and restart what runs with older certificates after each; the VirtualMesh must allow that with spec.mtlsConfig.autoRestartPods")
	flags.BoolVar(&o.ignoreOlder, "ignore-older", false, "do the step although workloads run with older certificates: calls between them and others will fail until they are restarted")
	addEnumFlag(cmd, o.dryRun, "dry-run", "", "show the next step, and write nothing")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
	addOutputFlag(cmd, o.output, "output format of what was done")
}

func newTrustRotateCmd(f *Factory) *cobra.Command {
	opts := newTrustStepOptions(f, sharedtrust.Forward)
	cmd := &cobra.Command{
		Use:   "rotate VIRTUALMESH",
		Short: "Exchange the root of a virtual mesh, one step at a time",
		Long: dedent(`
			Exchange the root of a virtual mesh, one step at a time, so that its meshes accept
			each other throughout:

			  1. ADDING_NEW_ROOT               every mesh accepts the new root, too
			  2. PROPAGATING_NEW_INTERMEDIATE  every mesh gets an intermediate certificate of it
			  3. DELETING_OLD_ROOT             no mesh accepts the old root any more

			Each call does the next step and says what to do after it: restart what runs
			with older certificates ('meshctl mesh restart'), and, if the VirtualMesh asks
			for it with rotationVerificationMethod, confirm that it works ('meshctl trust
			verify'). The next step is refused while that has not happened. A step that was
			interrupted or failed half way is continued by calling again. Until the last one
			has finished, 'meshctl trust rollback' leads back.

			The new root is the one that spec.mtlsConfig.shared asks for now; a generated
			root is replaced by another generated one. With rotationStrategy NONE there is
			one step only, and calls between meshes fail until everything is restarted.

			Where the rotation stands is in the status of the VirtualMesh. It exits with 3
			if nothing may be done yet.`),
		Example: dedent(`
			# what is the next step?
			meshctl trust rotate prod --dry-run

			# do it
			meshctl trust rotate prod

			# all steps with all restarts, as far as the VirtualMesh allows it
			meshctl trust rotate prod --auto --yes`),
		Args: oneVirtualMesh,
		RunE: opts.runE,
	}
	opts.register(cmd, f)
	opts.registerFlags(cmd)
	return cmd
}

func newTrustRollbackCmd(f *Factory) *cobra.Command {
	opts := newTrustStepOptions(f, sharedtrust.Back)
	cmd := &cobra.Command{
		Use:   "rollback VIRTUALMESH",
		Short: "Turn a rotation around, and go back to the old root",
		Long: dedent(`
			Turn the rotation of a virtual mesh around: go back to the old root, by the same
			steps in the opposite order, so that the meshes accept each other throughout. A
			rotation can be turned around until it has finished; after that, the way back is
			another rotation.

			Each call does the next step back, as 'meshctl trust rotate' does it forward.`),
		Example: dedent(`
			# look at the next step back
			meshctl trust rollback prod --dry-run

			# do it
			meshctl trust rollback prod`),
		Args: oneVirtualMesh,
		RunE: opts.runE,
	}
	opts.register(cmd, f)
	opts.registerFlags(cmd)
	return cmd
}

func (o *trustStepOptions) runE(cmd *cobra.Command, args []string) error {
	o.names = args
	o.world.settle(cmd)
	if err := o.check(); err != nil {
		return err
	}
	return o.run(cmd.Context())
}

func (o *trustStepOptions) writes() bool { return o.dryRun.String() == "none" }

// check refuses what cannot be meant.
func (o *trustStepOptions) check() error {
	switch {
	case !o.world.fromManagement():
		return cli.Usagef("a rotation is recorded on the management cluster: name it with --context")
	case !o.yes && o.writes() && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm; see what would be done with --dry-run")
	case o.auto && !o.writes():
		return cli.Usagef("--auto and --dry-run exclude each other")
	case o.auto && o.ignoreOlder:
		return cli.Usagef("--auto restarts what runs with older certificates, so that there is nothing to ignore with --ignore-older")
	default:
		return o.trustCommand.check()
	}
}

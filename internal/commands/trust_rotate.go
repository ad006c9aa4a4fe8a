package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
)

// trustStepOptions are those of the commands that do steps of a rotation.
type trustStepOptions struct {
	trustCommand
	factory *Factory
	// back says that the steps lead back to the old root.
	back bool

	yes         bool
	auto        bool
	ignoreOlder bool
	// begun says that --auto is past its first step.
	begun  bool
	dryRun *enumValue
	output *enumValue
}

func newTrustStepOptions(f *Factory, back bool) *trustStepOptions {
	return &trustStepOptions{
		trustCommand: newTrustCommand(f), factory: f, back: back,
		dryRun: newEnumValue("none", "none", "client"), output: newEnumValue("table", "table", "json", "yaml", "name"),
	}
}

func (o *trustStepOptions) registerFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask for confirmation")
	flags.BoolVar(&o.auto, "auto", false, "do all steps, and restart what runs with older certificates after each; the VirtualMesh must allow that with spec.mtlsConfig.autoRestartPods")
	flags.BoolVar(&o.ignoreOlder, "ignore-older", false, "do the step although workloads run with older certificates: calls between them and others will fail until they are restarted")
	addEnumFlag(cmd, o.dryRun, "dry-run", "", "show the next step, and write nothing")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
	addEnumFlag(cmd, o.output, "output", "o", "output format of what was done")
}

func newTrustRotateCmd(f *Factory) *cobra.Command {
	opts := newTrustStepOptions(f, false)
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
	opts := newTrustStepOptions(f, true)
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
		return cli.Usagef("--yes is required when nobody can be asked; see what would be done with --dry-run")
	case o.auto && !o.writes():
		return cli.Usagef("--auto and --dry-run exclude each other")
	case o.auto && o.ignoreOlder:
		return cli.Usagef("--auto restarts what runs with older certificates, so that there is nothing to ignore with --ignore-older")
	default:
		return o.trustCommand.check()
	}
}

// stepping does steps of a rotation.
type stepping struct {
	*trusting
	opts    *trustStepOptions
	subject *sharedtrust.Subject
}

func (o *trustStepOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		if !o.writes() {
			_, err := o.advance(ctx, reading, r, s)
			return err
		}
		return r.alone(ctx, s, func(ctx, reading context.Context) error {
			more, err := o.advance(ctx, reading, r, s)
			for more && err == nil {
				more, err = o.once(ctx)
			}
			return err
		})
	})
}

// once does one more step, or the restarts after it, in the world as it is then.
// It reports whether --auto has more to do.
func (o *trustStepOptions) once(ctx context.Context) (more bool, err error) {
	err = o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		var failure error
		more, failure = o.advance(ctx, reading, r, s)
		return failure
	})
	return more, err
}

// advance looks, asks and does the step; reading is for the first of these.
func (o *trustStepOptions) advance(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) (bool, error) {
	p := &stepping{r, o, s}
	if o.auto && !s.AutoRestart {
		return false, fmt.Errorf("VirtualMesh %s does not allow to restart its workloads automatically: set spec.mtlsConfig.autoRestartPods, or do one step after the other without --auto", s.Name())
	}
	if err := r.checkClocks(reading, s); err != nil {
		return false, err
	}
	report, err := sharedtrust.Inspect(reading, r.env, s, r.result.World, r.store.Connection, o.timeout)
	if err != nil {
		return false, err
	}
	if o.auto && (o.begun || report.Position.Rotating()) {
		restarted, err := p.restartOlder(ctx, report)
		if err != nil || !report.Position.Rotating() {
			return false, err
		}
		if restarted {
			return true, nil // look again
		}
	}
	o.begun = true
	return p.step(ctx, report)
}

// step does the next step.
func (p *stepping) step(ctx context.Context, report *sharedtrust.Report) (bool, error) {
	next, err := p.next(report)
	if err != nil {
		return false, p.explain(err)
	}
	p.say("%s", next)
	if err := p.gate(report); err != nil {
		return false, err
	}
	if !p.opts.writes() {
		return false, p.print(report.Survey, p.planned(report), "")
	}
	if err := p.confirm(ctx, p.opts.yes, "Do this step?", "It is recorded in the status of the VirtualMesh, and the Secret cacerts of its meshes is written. It can be rolled back until the rotation has finished."); err != nil {
		return false, err
	}
	p.env.Observe = p.observe
	outcomes, err := p.do(ctx, report.Survey)
	if err != nil {
		return false, p.explain(err)
	}
	after, err := sharedtrust.Look(ctx, p.env, p.subject)
	if err != nil {
		return false, err
	}
	failed := failedOutcomes(outcomes)
	text := p.nextText(after, outcomes, failed)
	if err := p.print(after, outcomes, text); err != nil {
		return false, err
	}
	p.say("%s", text)
	if failed {
		return false, cli.ErrReported
	}
	return p.opts.auto, nil
}

// next says what the next step does.
func (p *stepping) next(report *sharedtrust.Report) (string, error) {
	pos := &report.Position
	if p.opts.back {
		switch {
		case !pos.Rotating():
			return "", fmt.Errorf("there is nothing to roll back: no rotation of VirtualMesh %s is under way", p.subject.Name())
		case !pos.RollingBack:
			return "Next: ROLLING_BACK, " + sharedtrust.MessageOf(trust.StateRollingBack, p.subject.Strategy), nil
		}
	} else if pos.RollingBack {
		return "", fmt.Errorf("the rotation of VirtualMesh %s is being rolled back: go on with 'meshctl trust rollback %s'", p.subject.Name(), p.subject.Name())
	}
	step, err := report.NextStep()
	if err != nil {
		return "", err
	}
	if step.State == "" {
		return fmt.Sprintf("Next: continue %s, %s", pos.Phase().State, step.Message), nil
	}
	return fmt.Sprintf("Next: %s, %s", step.State, step.Message), nil
}

// gate refuses to go on while workloads run with certificates that the next step
// takes for gone: their calls would fail.
func (p *stepping) gate(report *sharedtrust.Report) error {
	if report.Position.Stage != trust.StageVerified || p.opts.ignoreOlder || p.opts.back && !report.Position.RollingBack {
		return nil
	}
	var unknown []string
	for i := range report.Reports {
		if m := &report.Reports[i]; m.OlderErr != nil {
			unknown = append(unknown, fmt.Sprintf("%s: %s", m.Ref.Name, m.OlderErr))
		}
	}
	p.warnOfNamespaces(report)
	count, names := report.Older()
	if count == 0 && len(unknown) == 0 {
		return nil
	}
	for i, name := range names {
		if i == reportedProblems {
			p.say("  ... and %d more", count-i)
			break
		}
		p.say("  %s", name)
	}
	for _, text := range unknown {
		p.say("  %s", text)
	}
	if count > 0 {
		p.say("Not yet: %s run with certificates from before the last step, and calls between them and others would fail. Restart them with 'meshctl mesh restart --virtual-mesh %s', or go on with --ignore-older.",
			countOf(count, "workload still", "workloads still"), p.subject.Name())
	} else {
		p.say("Not yet: it is not known what runs with certificates from before the last step. Repair that, or go on with --ignore-older.")
	}
	return cli.ErrFindings
}

// planned is what the next step would do to the meshes, as far as that is known
// before it begins.
func (p *stepping) planned(report *sharedtrust.Report) []sharedtrust.Outcome {
	outcomes := planned(report.Plan(false))
	step, err := report.NextStep()
	if p.opts.back && !report.Position.RollingBack {
		step, err = sharedtrust.Step{State: trust.StateRollingBack, Message: sharedtrust.MessageOf(trust.StateRollingBack, p.subject.Strategy)}, nil
	}
	if err != nil || step.State == "" {
		return outcomes
	}
	for i := range outcomes {
		if a := &outcomes[i].Action; a.Kind == sharedtrust.ActionKeep {
			a.Kind, a.Reason = sharedtrust.ActionUpdate, step.Message
			if step.State == trust.StatePropagatingIntermediate {
				a.Kind = sharedtrust.ActionReissue
			}
		}
	}
	return outcomes
}

// warnOfNamespaces says where proxies are told to accept other roots than their
// mesh. It is no reason to stop: what runs was restarted after its control plane,
// which is who tells it.
func (p *stepping) warnOfNamespaces(report *sharedtrust.Report) {
	var stale []string
	for i := range report.Reports {
		m := &report.Reports[i]
		for k := range m.Reach {
			if n := &m.Reach[k]; !n.Missing && !n.Current() {
				stale = append(stale, n.Namespace+" on "+m.Cluster)
			}
		}
	}
	if len(stale) > 0 {
		p.say("warning: the ConfigMap istio-ca-root-cert of %s does not have the roots of the last step yet; the control plane writes it", strings.Join(stale, ", "))
	}
}

// explain turns "not yet" into a finding.
func (p *stepping) explain(err error) error {
	var waiting *sharedtrust.WaitingError
	if errors.As(err, &waiting) {
		p.say("Not yet: %s.", waiting.Error())
		return cli.ErrFindings
	}
	return err
}

func (p *stepping) do(ctx context.Context, v *sharedtrust.Survey) ([]sharedtrust.Outcome, error) {
	if p.opts.back {
		return p.env.RollBack(ctx, v)
	}
	return p.env.Advance(ctx, v)
}

func failedOutcomes(outcomes []sharedtrust.Outcome) bool {
	for i := range outcomes {
		if outcomes[i].Failed() {
			return true
		}
	}
	return false
}

// nextText says what to do after a step.
func (p *stepping) nextText(v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, failed bool) string {
	name, again := p.subject.Name(), "rotate"
	if v.Position.RollingBack || p.opts.back {
		again = "rollback"
	}
	restart := fmt.Sprintf("restart what runs with older certificates ('meshctl mesh restart --virtual-mesh %s')", name)
	switch {
	case failed:
		return fmt.Sprintf("The step is not complete. Repair what is wrong, then continue it with 'meshctl trust %s %s'.", again, name)
	case !v.Position.Rotating() && len(outcomes) == 0:
		return "The rotation has ended."
	case !v.Position.Rotating():
		return "The rotation has ended. To be done with the old certificates, " + restart + "."
	case v.Position.Stage == trust.StageVerifying:
		return fmt.Sprintf("Next: %s, make sure that everything works, and confirm it with 'meshctl trust verify %s'.", restart, name)
	default:
		return fmt.Sprintf("Next: %s, then do the next step with 'meshctl trust %s %s'.", restart, again, name)
	}
}

// print prints what was done.
func (p *stepping) print(v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, next string) error {
	if p.opts.auto && p.opts.output.String() == "table" {
		return nil // standard error has told it, step by step
	}
	report := newIssueReport(v, outcomes, p.opts.dryRun.String())
	report.Next = next
	return p.printIssue(p.opts.output.String(), &report)
}

// restartOlder restarts what runs with older certificates, and reports whether
// there was anything to restart.
func (p *stepping) restartOlder(ctx context.Context, report *sharedtrust.Report) (bool, error) {
	count, _ := report.Older()
	if count == 0 || report.Position.Stage == trust.StageDistributing {
		return false, nil
	}
	restarts := &meshRestartOptions{
		streams: p.quietStreams(), clock: p.clock, load: p.load, settings: p.opts.factory.Settings, verbosity: func() int { return p.opts.factory.Verbosity },
		world: p.world, virtualMeshes: []string{p.subject.Name()}, maxParallel: restart.DefaultMaxParallel, timeout: restart.DefaultTimeout,
		wait: true, yes: true, dryRun: newEnumValue("none", "none"), output: newEnumValue("name", "name"),
	}
	return true, restarts.run(ctx)
}

// quietStreams are those of the command, with nothing on standard output: that
// is for the steps.
func (p *stepping) quietStreams() *cli.Streams {
	streams := *p.streams
	streams.Out = io.Discard
	return &streams
}

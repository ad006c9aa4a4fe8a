package trust

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/trust/report"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// rotateRun runs steps of a rotation.
type rotateRun struct {
	*trusting
	opts    *stepOptions
	subject *sharedtrust.Subject
}

func (o *stepOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		if !o.writes() {
			_, err := o.advance(ctx, reading, r, s)
			return err
		}
		return r.Alone(ctx, s, func(ctx, reading context.Context) error {
			more, err := o.advance(ctx, reading, r, s)
			for more && err == nil {
				more, err = o.once(ctx)
			}
			return err
		})
	})
}

// once runs one more step, or the restarts after it, with a newly loaded world. It reports
// whether --auto has more to do.
func (o *stepOptions) once(ctx context.Context) (more bool, err error) {
	err = o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		var failure error
		more, failure = o.advance(ctx, reading, r, s)
		return failure
	})
	return more, err
}

// advance reads the state, asks for confirmation, and runs the step. The context reading is
// for reading only.
func (o *stepOptions) advance(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) (bool, error) {
	p := &rotateRun{r, o, s}
	if o.auto && !s.AutoRestart {
		return false, fmt.Errorf("VirtualMesh %s does not allow automatic restarts: set spec.mtlsConfig.autoRestartPods, or run the steps without --auto", s.Name())
	}
	if err := r.CheckClocks(reading, s); err != nil {
		return false, err
	}
	report, err := r.Inspect(reading, r.result, s)
	if err != nil {
		return false, err
	}
	if o.auto && (o.begun || report.Position.Rotating()) {
		restarted, err := p.restartOlder(ctx, report)
		if err != nil || !report.Position.Rotating() {
			return false, err
		}
		if restarted {
			return true, nil // read the state again
		}
	}
	o.begun = true
	return p.step(ctx, reading, report)
}

// step runs the next step. The context reading is for the checks before it.
func (p *rotateRun) step(ctx, reading context.Context, report *sharedtrust.Report) (bool, error) {
	next, err := report.Due(p.opts.direction)
	if err != nil {
		return false, p.explain(err)
	}
	if next.State == "" {
		p.say("Next: continue %s, %s", report.Position.Phase().State, next.Message)
	} else {
		p.say("Next: %s, %s", next.State, next.Message)
	}
	if err := p.passGate(report); err != nil {
		return false, err
	}
	refused := p.Env.Feasible(reading, report.Survey, p.opts.direction)
	if !p.opts.writes() {
		return false, p.preview(report, refused)
	}
	if refused != nil {
		return false, refused
	}
	if err := p.confirm(ctx, p.opts.yes, "Run this step?", "It is recorded in the status of the VirtualMesh, and writes the Secret cacerts of its meshes. You can roll it back until the rotation has finished."); err != nil {
		return false, err
	}
	p.Env.Observe = p.observe
	outcomes, err := p.Env.Do(ctx, report.Survey, p.opts.direction)
	if err != nil {
		return false, p.explain(err)
	}
	after, err := sharedtrust.Look(ctx, p.Env, p.subject)
	if err != nil {
		return false, err
	}
	failed := sharedtrust.AnyFailed(outcomes)
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

// preview prints what the next step would do. It returns cli.ErrFindings if the step, or a
// mesh in it, would be refused.
func (p *rotateRun) preview(report *sharedtrust.Report, refused error) error {
	outcomes := report.Preview(p.opts.direction)
	if err := p.print(report.Survey, outcomes, ""); err != nil {
		return err
	}
	switch {
	case refused != nil:
		p.say("Blocked: %s.", refused)
		return cli.ErrFindings
	case sharedtrust.AnyFailed(outcomes):
		p.say("The step would not be complete: fix the errors first.")
		return cli.ErrFindings
	default:
		return nil
	}
}

// passGate prints the reasons against the next step, and returns cli.ErrFindings if they block
// it.
func (p *rotateRun) passGate(report *sharedtrust.Report) error {
	if p.opts.ignoreOlder {
		return nil
	}
	gate := report.Gate(p.opts.direction)
	if len(gate.Stale) > 0 {
		p.say("warning: the ConfigMap istio-ca-root-cert of %s is outdated; the control plane will update it", strings.Join(gate.Stale, ", "))
	}
	if !gate.Closed() {
		return nil
	}
	for i, name := range gate.Older {
		if i == cmdutil.ReportedProblems {
			p.say("  ... %s", text.More(len(gate.Older)-i))
			break
		}
		p.say("  %s", name)
	}
	for _, text := range gate.Unknown {
		p.say("  %s", text)
	}
	if count := len(gate.Older); count > 0 {
		p.say("Blocked: %s outdated certificates, and their calls would fail. Restart them with 'meshctl mesh restart --virtual-mesh %s', or pass --ignore-older.",
			text.Count(count, "workload")+" still", p.subject.Name())
	} else {
		p.say("Blocked: cannot check for workloads with outdated certificates. Fix the errors above, or pass --ignore-older.")
	}
	return cli.ErrFindings
}

// explain turns the error that a step awaits confirmation into a finding.
func (p *rotateRun) explain(err error) error {
	var waiting *sharedtrust.WaitingError
	if errors.As(err, &waiting) {
		p.say("Blocked: %s.", waiting.Error())
		return cli.ErrFindings
	}
	return err
}

// nextText returns what to do after a step.
func (p *rotateRun) nextText(v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, failed bool) string {
	name, again := p.subject.Name(), "rotate"
	if v.Position.RollingBack || p.opts.direction == sharedtrust.Back {
		again = "rollback"
	}
	restart := fmt.Sprintf("restart workloads with outdated certificates ('meshctl mesh restart --virtual-mesh %s')", name)
	switch {
	case failed:
		return fmt.Sprintf("The step is not complete. Fix the errors, then continue with 'meshctl trust %s %s'.", again, name)
	case !v.Position.Rotating() && len(outcomes) == 0:
		return "The rotation has finished."
	case !v.Position.Rotating():
		return "The rotation has finished. To replace the remaining outdated certificates, " + restart + "."
	case v.Position.Stage == trust.StageVerifying:
		return fmt.Sprintf("Next: %s, test your applications, and confirm with 'meshctl trust verify %s'.", restart, name)
	default:
		return fmt.Sprintf("Next: %s, then run the next step with 'meshctl trust %s %s'.", restart, again, name)
	}
}

// print prints the result.
func (p *rotateRun) print(v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, next string) error {
	if p.opts.auto && p.opts.output.Format().ForPeople() {
		return nil // the steps have been reported on standard error
	}
	var states map[core.ObjectRef]string
	if p.opts.writes() {
		states = v.States(false)
	}
	report := report.NewChanges(v, outcomes, p.opts.dryRun.String(), states)
	report.Next = next
	return output.Print(p.streams, p.opts.output.Format(), report.View())
}

// restartOlder restarts workloads with outdated certificates, and reports whether there were
// any.
func (p *rotateRun) restartOlder(ctx context.Context, report *sharedtrust.Report) (bool, error) {
	if !report.RestartDue() {
		return false, nil
	}
	fleet, err := p.PlanRestarts(ctx, p.result.World, p.subject)
	if err != nil {
		return false, err
	}
	session := cmdutil.RestartSession{
		Fleet: fleet, Progress: cmdutil.NewRestartProgress(p.streams, p.opts.factory.Streams.Verbosity > 0),
		How:        restart.RunOptions{Timeout: restart.DefaultTimeout, MaxParallel: restart.DefaultMaxParallel, Clock: p.clock},
		Discovered: p.world.FromManagement(), Incomplete: p.incomplete,
	}
	session.ReportFailures()
	if fleet.Count(restart.ActionRestart, restart.ActionWait) == 0 {
		session.ExplainNothing()
		return false, session.Outcome()
	}
	session.CheckPermissions(ctx)
	session.RunFleet(ctx)
	session.Summarise(ctx)
	if err := ctx.Err(); err != nil {
		return true, err
	}
	return true, session.Outcome()
}

package apply

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/wizard"
)

// review makes the plan, shows it, and asks for confirmation unless --yes is given.
func (a *applyRun) review(ctx context.Context, in rollout.Input) (err error) {
	if a.plan, err = rollout.NewPlan(ctx, in, a.planOptions()); err != nil {
		return inputError(err)
	}
	a.reportIdle()
	a.reportOmissions()
	if err := a.showPlan(); err != nil {
		return err
	}
	a.reportErrors()
	accepted := map[lossOn]bool{}
	if a.asks() && !a.watch && a.plan.Held() > 0 { // --watch never removes protection by itself
		if accepted, err = a.acceptHeld(ctx); err != nil {
			return err
		}
	}
	if len(accepted) > 0 {
		options := a.planOptions()
		options.AcceptLoss = true
		in.Result = a.plan.Result
		if a.plan, err = rollout.NewPlan(ctx, in, options); err != nil {
			return inputError(err)
		}
		a.say("Without that protection, the plan is:")
		if err := a.showPlan(); err != nil {
			return err
		}
	}
	return a.confirm(ctx, accepted)
}

// reviewWatch shows the first plan of --watch on a terminal, and asks whether to
// carry out that and everything after it. A process without a terminal, such as
// the controller, begins at once.
func (o *options) reviewWatch(ctx context.Context) error {
	if !o.asks() || !o.streams.CanPrompt() {
		return nil
	}
	a := &applyRun{options: o}
	in, err := o.readInput(ctx)
	a.reportInput(in.World)
	if err != nil {
		return inputError(err)
	}
	return a.review(ctx, in)
}

// asks reports whether a confirmation is required before anything is written.
func (o *options) asks() bool { return o.writes() && !o.yes }

// compareBehaviour compares the behaviour after the plan, with the protection that it
// holds back, with what was applied last.
func (a *applyRun) compareBehaviour() {
	if a.quiet || a.writes() && a.yes {
		return // not shown
	}
	if before, recorded := rollout.LastApplied(a.plan.Result.World); recorded {
		differences := compare.Results(policy.Evaluate(before), a.plan.Result)
		stayingOf(a.plan).withhold(differences)
		changes := impact.Changes(differences)
		a.behaviour = &changes
	}
}

// lossOn identifies an object that would protect nothing any more.
type lossOn struct {
	cluster string
	key     kube.ObjectKey
}

// changes returns the objects of the plan whose changes have a property.
func (a *applyRun) changes(has func(*rollout.Change) bool) map[lossOn]bool {
	found := map[lossOn]bool{}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		for k := range c.Changes {
			if change := &c.Changes[k]; has(change) {
				found[lossOn{c.Name, change.Key}] = true
			}
		}
	}
	return found
}

// acceptHeld asks whether to remove protection that no explicit change removes
// (D70). It returns the objects that this was accepted for.
func (a *applyRun) acceptHeld(ctx context.Context) (map[lossOn]bool, error) {
	agreed, err := a.prompter(ctx).Confirm(wizard.Question{
		Text: fmt.Sprintf("Remove the protection of %s anyway?", text.Count(a.plan.Held(), "object")),
		Help: "No keeps these objects and applies the rest. Yes removes them, as --accept-loss does.",
	}, false)
	if err != nil || !agreed {
		return nil, err
	}
	return a.changes(func(change *rollout.Change) bool { return change.Held }), nil
}

// confirm asks whether to apply the plan, if it changes anything. A loss of
// protection takes a confirmation of its own, unless all of it was just accepted.
func (a *applyRun) confirm(ctx context.Context, accepted map[lossOn]bool) error {
	if !a.asks() || a.plan.Writes() == 0 && !a.watch {
		return nil
	}
	losses := a.changes((*rollout.Change).Loses)
	maps.DeleteFunc(losses, func(object lossOn, _ bool) bool { return accepted[object] })
	if len(losses) > 0 {
		noun := "object"
		if len(accepted) > 0 {
			noun = "more object"
		}
		err := cmdutil.ConfirmWith(a.prompter(ctx), wizard.Question{
			Text: fmt.Sprintf("This removes protection (%s). Continue?", text.Count(len(losses), noun)),
			Help: "The plan above lists what is no longer encrypted, denied or restricted.",
		})
		if err != nil {
			return err
		}
	}
	return cmdutil.ConfirmWith(a.prompter(ctx), a.question())
}

// question returns the final confirmation.
func (a *applyRun) question() wizard.Question {
	count := a.writtenClusters()
	changes := "these changes to " + text.Count(count, "cluster")
	switch {
	case a.watch && count == 0:
		return wizard.Question{Text: "Apply every later change without asking?", Help: "Nothing has to change now. meshctl keeps running until you press Ctrl-C."}
	case a.watch:
		return wizard.Question{
			Text: "Apply " + changes + ", and every later change without asking?",
			Help: "The objects listed above are created, changed and deleted. meshctl keeps running until you press Ctrl-C.",
		}
	default:
		return wizard.Question{
			Text: "Apply " + changes + "?", Help: "The objects listed above are created, changed and deleted, in all clusters at the same time.",
		}
	}
}

// writtenClusters is the number of clusters that the plan writes to.
func (a *applyRun) writtenClusters() int {
	count := 0
	for i := range a.plan.Clusters {
		if a.plan.Clusters[i].Writes() > 0 {
			count++
		}
	}
	return count
}

// writeBehaviour writes the changes of behaviour.
func (a *applyRun) writeBehaviour(t *view.Text) {
	if a.behaviour == nil {
		return
	}
	lines := impact.ChangeLines(*a.behaviour)
	if a.verbosity() > 0 {
		lines = impact.AllChangeLines(*a.behaviour)
	}
	lines = slices.Concat(stayingOf(a.plan).lines(), lines)
	unchanged := cmdutil.NothingChanges
	if a.writtenClusters() > 0 {
		// Drift is repaired, or another version of meshctl renders differently.
		unchanged = "no policy changed since the last apply; see the objects below"
	}
	cmdutil.WriteBehaviour(t, lines, unchanged)
	t.Blank()
}

// writeLostFederation warns that federation ends although nobody asked for that.
func (a *applyRun) writeLostFederation(t *view.Text) {
	for _, warning := range lostFederation(a.plan) {
		t.Blank()
		t.Marked(view.Word{Text: "warning: ", Tone: view.Warning}, warning)
	}
}

// lostFederation describes the federation that a plan ends.
func lostFederation(plan *rollout.Plan) []string {
	var warnings []string
	for _, lost := range plan.LostFederation() {
		verb := "ends"
		if lost.Partial {
			verb = "shrinks"
		}
		warnings = append(warnings, fmt.Sprintf("federation of %s %s in %s: %s %s deleted because it is INVALID",
			lost.VirtualMesh, verb, text.Named("cluster", lost.Clusters), text.Count(lost.Objects, "object"), text.Choose(lost.Objects, "is", "are")))
	}
	return warnings
}

// writeLosses lists the protection that the plan removes.
func (a *applyRun) writeLosses(t *view.Text) {
	losses := a.plan.Losses()
	if losses == 0 {
		return
	}
	t.Blank()
	t.Marked(view.Word{Text: "warning: ", Tone: view.Warning}, "this removes protection:")
	t.Nested(func() {
		shown := 0
		for i := range a.plan.Clusters {
			c := &a.plan.Clusters[i]
			for k := range c.Changes {
				change := &c.Changes[k]
				if change.Loss == "" || change.Held {
					continue
				}
				if shown == cmdutil.ShownChanges && a.verbosity() == 0 {
					t.Linef("... %s; -v shows all", text.More(losses-shown))
					return
				}
				shown++
				t.Linef("%s: %s (%s %s/%s)", c.Name, lossText(change.Loss), change.Key.GVK.Kind, change.Key.Namespace, change.Key.Name)
			}
		}
	})
}

// lossText says what is no longer protected.
func lossText(loss rollout.Loss) string {
	switch loss {
	case rollout.LossTLS:
		return "mutual TLS is no longer enforced as strictly"
	case rollout.LossClientTLS:
		return "clients no longer use mutual TLS"
	case rollout.LossDefaultDenial:
		return "calls that no access policy allows are no longer denied"
	case rollout.LossAccess:
		return "callers are no longer restricted"
	default:
		return string(loss)
	}
}

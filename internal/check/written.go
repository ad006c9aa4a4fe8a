package check

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
)

// WrittenFacts are the differences between the Istio configuration of a cluster
// and the rendered one.
type WrittenFacts struct {
	Cluster string
	// Err is set if the differences are not known.
	Err error
	// Missing do not exist, Changed have other content, and Unwanted are no
	// longer rendered. All are objects of meshctl as KIND NAMESPACE/NAME, sorted.
	Missing, Changed, Unwanted []string
	// Refused are objects that apply could not write, with the reason.
	Refused []string
	// Held are changes that apply holds back because they would remove protection,
	// with the reason.
	Held []string
	// Unprotected is the number of these objects that deny, restrict or encrypt.
	Unprotected int
	// Unchanged is the number of up-to-date objects.
	Unchanged int
}

// gatherWritten compares the configuration of usable clusters with the rendered
// one. It writes nothing.
func (f *Facts) gatherWritten(ctx context.Context, opts *Options) error {
	in := rollout.Input{World: f.World.World, Result: f.World, Members: map[string]*kube.Connection{}, Complete: opts.Complete}
	for _, c := range f.connections {
		if m := f.member(c.Name); m != nil && m.usable() {
			in.Members[c.Name] = c
		}
	}
	if len(in.Members) == 0 || f.World.World.Incomplete() {
		return nil
	}
	opts.Observe.begin("comparing the configuration of " + text.Count(len(in.Members), "cluster"))
	plan, err := rollout.NewPlan(ctx, in, rollout.Options{Namespace: opts.Namespace, Deadline: opts.deadline()})
	if err != nil {
		return err
	}
	for i := range plan.Clusters {
		if c := &plan.Clusters[i]; in.Members[c.Name] != nil {
			f.Written = append(f.Written, newWrittenFacts(c))
		}
	}
	return nil
}

func newWrittenFacts(c *rollout.Cluster) WrittenFacts {
	facts := WrittenFacts{Cluster: c.Name, Err: c.Err, Unchanged: c.Unchanged}
	if facts.Err == nil && len(c.Unread) > 0 {
		facts.Err = c.Unread[0]
	}
	for i := range c.Changes {
		change := &c.Changes[i]
		name := change.Key.GVK.Kind + " " + change.Key.Namespace + "/" + change.Key.Name
		switch change.Kind {
		case kube.ChangeAdd:
			facts.Missing = append(facts.Missing, name)
		case kube.ChangeModify:
			facts.Changed = append(facts.Changed, name)
		case kube.ChangeRemove:
			facts.Unwanted = append(facts.Unwanted, name)
		case kube.ChangeRefuse:
			if change.Held {
				facts.Held = append(facts.Held, change.Err.Message())
				continue // it still protects
			}
			facts.Refused = append(facts.Refused, change.Err.Error())
		case kube.ChangeNone, kube.ChangeLeave:
		}
		if change.Kind != kube.ChangeRemove && istio.Protects(istio.Kind(change.Key.GVK.Kind)) {
			facts.Unprotected++
		}
	}
	return facts
}

// judgeWritten reports clusters whose configuration differs. Missing protection
// is a failure, other differences are a warning.
func judgeWritten(f *Facts) []Outcome {
	switch {
	case f.NoClusters:
		return single(skipped(noManagement(f)))
	case f.World.World.Incomplete():
		o := unknown("part of the configuration could not be read", "").dependsOn(idManagementRead)
		o.Result = Failed // protection may be missing
		return single(o)
	}
	var outcomes []Outcome
	if f.MembersErr != nil {
		o := membersUnread(f)
		o.Result = Failed // protection may be missing
		outcomes = append(outcomes, o)
	}
	for i := range f.Members {
		if m := &f.Members[i]; !m.usable() {
			o := blocked(m)
			o.Cluster, o.Result = m.Cluster, Failed
			outcomes = append(outcomes, o)
		}
	}
	if len(f.Written)+len(outcomes) == 0 {
		return single(skipped("no cluster has an Istio mesh"))
	}
	for i := range f.Written {
		o := f.Written[i].judge()
		o.Cluster = f.Written[i].Cluster
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func (w *WrittenFacts) judge() Outcome {
	var changed *rollout.TrustDomainError
	if errors.As(w.Err, &changed) {
		o := broken(changed.Error(), "")
		o.Result = Failed
		return o
	}
	if w.Err != nil {
		o := unknown(w.Err.Error(), "")
		o.Result = Failed // protection may be missing
		return o
	}
	var parts []string
	for _, part := range []struct {
		names []string
		text  string
	}{{w.Missing, "missing"}, {w.Changed, "changed by others or outdated"}, {w.Unwanted, "no longer needed"}} {
		if len(part.names) > 0 {
			parts = append(parts, fmt.Sprintf("%s %s (%s)", text.Count(len(part.names), "object"), part.text, text.Bounded(part.names, shownNames)))
		}
	}
	if len(w.Refused) > 0 {
		parts = append(parts, text.Bounded(w.Refused, 1))
	}
	if len(w.Held) > 0 {
		parts = append(parts, "held back: "+text.Bounded(w.Held, 1))
	}
	if len(parts) == 0 {
		return holds(text.Count(w.Unchanged, "object"))
	}
	message := strings.Join(parts, "; ")
	if w.Unchanged == 0 && len(w.Missing) > 0 {
		message = "not applied yet: " + message
	}
	o := broken(message, "")
	if w.Unprotected > 0 {
		o.Result, o.Message = Failed, message+"; protection is missing"
	}
	return o
}

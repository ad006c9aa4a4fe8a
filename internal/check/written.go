package check

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
)

// WrittenFacts say how the Istio configuration that a cluster has differs from what
// would be rendered for it.
type WrittenFacts struct {
	Cluster string
	// Err is why that is not known.
	Err error
	// Missing are not there, Changed are there with another content, and Unwanted are
	// no longer rendered: objects of meshctl as KIND NAMESPACE/NAME, sorted.
	Missing, Changed, Unwanted []string
	// Refused are those that apply could not write, with the reason.
	Refused []string
	// Unprotected counts the objects among them that deny, restrict or encrypt.
	Unprotected int
	// Unchanged counts the objects that are as they should be.
	Unchanged int
}

// gatherWritten compares the clusters that can be asked with what would be
// rendered for them. It writes nothing.
func (f *Facts) gatherWritten(ctx context.Context, opts *Options) error {
	in := rollout.Input{World: f.World.World, Members: map[string]*kube.Connection{}}
	for _, c := range f.connections {
		if m := f.member(c.Name); m != nil && m.usable() {
			in.Members[c.Name] = c
		}
	}
	if len(in.Members) == 0 || f.World.World.Incomplete() {
		return nil
	}
	opts.Observe.begin("compare the configuration of " + text.Count(len(in.Members), "cluster"))
	plan, err := rollout.NewPlan(ctx, in, rollout.Options{Namespace: opts.Namespace, AcceptLoss: true, Deadline: opts.deadline()})
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
			facts.Refused = append(facts.Refused, change.Err.Error())
		case kube.ChangeNone, kube.ChangeLeave:
		}
		if change.Kind != kube.ChangeRemove && istio.Protects(istio.Kind(change.Key.GVK.Kind)) {
			facts.Unprotected++
		}
	}
	return facts
}

// judgeWritten reports the clusters that do not have what is configured. That is a
// failure where protection is missing, and otherwise a warning.
func judgeWritten(f *Facts) []Outcome {
	switch {
	case f.NoClusters:
		return one(skipped(noManagement(f)))
	case len(f.Written) == 0:
		return one(skipped("no cluster with an Istio mesh could be compared"))
	}
	var outcomes []Outcome
	for i := range f.Written {
		o := f.Written[i].judge()
		o.Cluster = f.Written[i].Cluster
		outcomes = append(outcomes, o)
	}
	return outcomes
}

func (w *WrittenFacts) judge() Outcome {
	if w.Err != nil {
		return skipped(w.Err.Error())
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

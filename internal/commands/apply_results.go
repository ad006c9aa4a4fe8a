package commands

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/kube"
)

// showResults prints what was done.
func (a *applying) showResults() error {
	var failures []string
	for i := range a.targets {
		t := &a.targets[i]
		refused := t.refused()
		for k := range t.results {
			r := &t.results[k]
			if r.Err != nil && r.Err.Reason != kube.ReasonCancelled && !refused[keyOfResult(r)] {
				failures = append(failures, "error: "+r.Err.Error())
			}
		}
	}
	a.tellBounded(failures)
	switch a.output.String() {
	case "json", "yaml":
		return a.printReport()
	case "name":
		for i := range a.targets {
			for _, change := range a.changes(&a.targets[i]) {
				if change.Kind == kube.ChangeRefuse {
					continue
				}
				if _, err := fmt.Fprintln(a.streams.Out, objectName(change.Key.GVK.GroupKind(), change.Key.Name)); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if !a.quiet && a.count().nothing() && len(a.targets) > 0 && a.outcome() == nil {
		a.say("Nothing to do: everything is as it should be.")
	}
	if !a.writes() {
		return nil
	}
	for i := range a.targets {
		for _, r := range a.targets[i].results {
			if r.Err != nil {
				continue
			}
			if _, err := fmt.Fprintf(a.streams.Out, "%s in %s %s on %s\n", objectName(r.GVK.GroupKind(), r.Name), r.Namespace, r.Outcome, r.Cluster); err != nil {
				return err
			}
		}
	}
	return nil
}

func keyOfResult(r *kube.Result) kube.ObjectKey {
	return kube.ObjectKey{GVK: r.GVK, Namespace: r.Namespace, Name: r.Name}
}

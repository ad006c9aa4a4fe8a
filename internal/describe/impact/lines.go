package impact

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// Lines describes the impact of an authored object in sentences, the most
// important first: errors that prevent it from taking effect, warnings about
// losses of others and denied callers, then what it affects. At most ten
// sentences are shown, and a last one counts the others. An empty view has none.
func Lines(view View) []Line {
	if view.Kind == "" {
		return nil
	}
	l := &sentences{own: view.KindRef, broken: view.State == policy.StateInvalid && view.Grouping == nil}
	for _, e := range view.Errors {
		l.fail("%s", view.invalid(e))
	}
	l.ownLosses(view.Losses)
	l.reach(view)
	if view.Grouping != nil {
		l.grouping(view)
	}
	l.access(view.Changes.Access)
	l.changes(view.Changes)
	l.ineffective(view)
	l.findings(view.Changes, view.covers)
	return l.sorted()
}

// ChangeLines describes the differences between two worlds, as Lines does.
func ChangeLines(view ChangeView) []Line { return changeLines(view, &sentences{}) }

// AllChangeLines is ChangeLines without limits.
func AllChangeLines(view ChangeView) []Line { return changeLines(view, &sentences{all: true}) }

func changeLines(view ChangeView, l *sentences) []Line {
	l.access(view.Access)
	l.changes(view)
	l.findings(view, func(describe.Finding) bool { return false })
	return l.sorted()
}

// Fails reports whether an error is about the object itself: it is INVALID, not
// effective on a Destination that it selects, or it or a mesh that it groups gets a
// finding of that severity.
func (view View) Fails() bool {
	return len(view.Errors)+len(view.Losses) > 0 || slices.ContainsFunc(view.Changes.Introduced, func(f describe.Finding) bool {
		return f.Severity == finding.SeverityError && (f.Object == view.object() || view.Grouping.has(f.Object))
	})
}

// has reports whether the object of a finding is a mesh of the group.
func (g *Grouping) has(object string) bool {
	kind, name := describe.KindOf(object)
	return g != nil && kind == "Mesh" && slices.ContainsFunc(g.Meshes, func(m describe.ObjectRef) bool { return m.String() == name })
}

// object is the text of the object's ID, as in findings.
func (view View) object() string { return view.Kind + "/" + view.Name + "." + view.Namespace }

// invalid returns the consequence of an error of the object itself. Unresolved
// references leave the rest of it effective (D69).
func (view View) invalid(reason string) string {
	effect := " is INVALID and groups nothing: "
	switch {
	case view.Grouping != nil:
		effect = " is INVALID for one of its references, and groups the other meshes: "
	case view.State == policy.StatePartial:
		effect = " is INVALID for one of its references, and effective for the others: "
	case view.Kind == string(policy.KindTrafficPolicy) || view.Kind == string(policy.KindAccessPolicy):
		effect = " is INVALID and applies nowhere: "
	}
	return "this " + view.Kind + effect + reason
}

// reach adds what the object affects, or why it affects nothing.
func (l *sentences) reach(view View) {
	switch {
	case view.Presence == "":
		l.info("no changes: %s already exists with the same content", view.KindRef)
	case view.State == policy.StateIdle:
		l.warn("no effect: it selects no known destination")
	}
	a := view.Affects
	if a == nil {
		return
	}
	destinations := withNames(a.Destinations, "destination")
	if view.Kind == string(policy.KindAccessPolicy) {
		if a.SourceCount > 0 {
			l.pin("allows %s in %s to call %s", text.Count(a.SourceCount, "workload"), text.Count(len(a.SourceClusters), "cluster"), withNames(a.admitting, "destination"))
		} else {
			l.pin("allows no known workload to call %s", destinations)
		}
		if view.Presence == compare.PresenceAdded && a.SourceCount > 0 && len(view.Changes.Access) == 0 {
			l.warn("no effect: the workloads that it allows are already allowed")
		}
		return
	}
	if a.SourceCount > 0 {
		l.pin("affects %s in %s, as source of requests to %s",
			text.Count(a.SourceCount, "workload"), text.Count(len(a.SourceClusters), "cluster"), destinations)
	}
	if len(view.MadeBy) > 0 && len(view.Ineffective) == 0 {
		l.warn("no change: %s already %s the same values", andMore(describe.RefNames(view.MadeBy)), text.Choose(len(view.MadeBy), "sets", "set"))
	}
}

// loss is a Loss with all conflicting settings.
type loss struct {
	Loss
	blamed []string
}

// merged merges losses that differ only in the cluster of the requests, and then
// those that differ only in the conflicting setting.
func merged(losses []Loss) []loss {
	type clash struct {
		policy, winner KindRef
		field          string
		destinations   string
	}
	var all []loss
	places := map[clash]int{}
	for _, x := range losses {
		if x.Winner != nil {
			key := clash{policy: x.Policy, winner: *x.Winner, field: x.Field}
			if k, known := places[key]; known {
				all[k].Destinations = append(all[k].Destinations, x.Destinations...)
				continue
			}
			places[key] = len(all)
			x.Destinations = slices.Clone(x.Destinations)
		}
		all = append(all, loss{x, []string{x.Field}})
	}
	var united []loss
	places = map[clash]int{}
	for _, x := range all {
		if x.Winner != nil {
			x.Destinations = distinct(x.Destinations)
			key := clash{policy: x.Policy, winner: *x.Winner, destinations: strings.Join(x.Destinations, " ")}
			if k, known := places[key]; known {
				united[k].blamed = append(united[k].blamed, x.Field)
				continue
			}
			places[key] = len(united)
		}
		united = append(united, x)
	}
	return united
}

// conflict returns the effect of the policy that wins a conflict.
func (l *sentences) conflict(x loss) string {
	value := "value"
	if len(x.Fields) > 1 {
		value = andMore(x.blamed)
	}
	return l.name(*x.Winner) + " sets another " + value + " for the same requests and takes precedence"
}

// ownLosses adds where the policy under review is not effective.
func (l *sentences) ownLosses(losses []Loss) {
	defer l.limit(len(l.lines), "reasons why it is not effective on destinations")
	for _, x := range merged(losses) {
		destinations := andMore(x.Destinations)
		if x.Winner == nil {
			l.fail("%s is not effective on %s: %s", l.name(x.Policy), destinations, x.Reason)
			continue
		}
		l.fail("%s %s not effective on %s: %s", andMore(x.Fields), text.Choose(len(x.Fields), "is", "are"), destinations, l.conflict(x))
	}
}

// ineffective adds settings that are not effective although the policy is. More specific
// policies that override it for a part of the requests share a sentence.
func (l *sentences) ineffective(view View) {
	defer l.limit(len(l.lines), "settings do not take effect on some requests")
	type part struct{ field, destinations string }
	keepers := map[part][]string{}
	for _, u := range view.Ineffective {
		if !u.Never && u.Replaced && u.Reason == "" {
			at := part{u.Field, andMore(u.Destinations)}
			keepers[at] = append(keepers[at], l.name(*u.Winner))
		}
	}
	for _, u := range view.Ineffective {
		severity, destinations := finding.SeverityWarning, andMore(u.Destinations)
		switch winners := keepers[part{u.Field, destinations}]; {
		case u.Reason != "":
			if u.Winner == nil && len(u.Destinations) < len(view.Affects.Destinations) {
				severity = finding.SeverityInfo
			}
			l.add(severity, "%s has no effect on %s: %s", u.Field, destinations, u.Reason)
		case u.Winner == nil:
			l.warn("%s does not take effect for %s", u.Field, requestsText("requests", u.Match, u.Callers, u.Destinations))
		case u.Never:
			l.warn("%s never takes effect on %s: %s", u.Field, destinations, l.overtaker(u))
		case u.Replaced && len(winners) > 1:
			l.info("%s does not take effect for some requests to %s, for which more specific routes set other values: those of %s",
				u.Field, destinations, andMore(distinct(winners)))
		default:
			l.info("%s does not take effect for %s: %s", u.Field, requestsText("requests", u.Match, u.Callers, u.Destinations), l.overtaker(u))
		}
	}
}

func (l *sentences) overtaker(u IneffectiveSetting) string {
	handling := "without it"
	if u.Replaced {
		handling = "with another value"
	}
	return "the more specific route of " + l.name(*u.Winner) + " handles them " + handling
}

// covers reports whether other sentences already cover a finding about the object
// itself.
func (view View) covers(f describe.Finding) bool {
	if f.Object != view.object() {
		return false
	}
	switch f.Code {
	case finding.CodeSelectsNothing, finding.CodeEmptySelector, finding.CodeSchemaViolation:
		return true
	case finding.CodeNoEffect:
		return len(view.Ineffective) > 0
	default:
		return slices.ContainsFunc(view.Errors, func(e string) bool { return strings.Contains(f.Message, e) })
	}
}

package impact

import (
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/reach"
)

// access adds sentences about callers that are now allowed or denied. Destinations whose
// federation changes are covered by the sentences about that.
func (l *sentences) access(changes []AccessChange) {
	defer l.limit(len(l.lines), "changes of access")
	for _, c := range changes {
		if c.federation {
			continue
		}
		severity := finding.SeverityWarning
		more := c.Before == reach.Conditional && c.After == reach.Conditional && !c.Fewer
		if c.After != reach.Unknown && (c.Before == reach.Denied || c.Before == reach.Unreachable || c.After == reach.Allowed || more) {
			severity = finding.SeverityInfo
		}
		if c.byDefault && c.After == reach.Allowed { // a side effect that no policy asks for
			severity = finding.SeverityWarning
		}
		l.add(severity, "%s: %s", c.sentence(), l.reason(c.Reason))
	}
}

// sentence returns what the callers are allowed to do after the change.
func (c AccessChange) sentence() string {
	who, to := c.Callers.text(), andMore(c.Destinations)
	if c.Everyone {
		who = "all callers"
	}
	switch {
	case c.After == reach.Unknown:
		return "it will not be known whether " + who + " can call " + to
	case c.After == reach.Unreachable && c.Everyone:
		return "no caller will reach " + to
	case c.After == reach.Unreachable:
		return who + " will no longer reach " + to
	case c.After == reach.Denied && c.Everyone:
		return "no caller will be allowed to call " + to
	case c.After == reach.Denied && c.Before == reach.Conditional:
		return who + " will no longer be allowed to call " + to + " at all"
	case c.After == reach.Denied:
		return who + " will no longer be allowed to call " + to
	case c.After == reach.Conditional && c.Before == reach.Allowed:
		return who + " will be allowed only some requests to " + to
	case c.After == reach.Conditional && c.Before == reach.Conditional && !c.Fewer:
		return who + " will be allowed more requests to " + to
	case c.After == reach.Conditional && c.Before == reach.Conditional:
		return who + " will be allowed different requests to " + to
	case c.After == reach.Conditional:
		return who + " will be allowed to call " + to + " for some requests"
	case c.Before == reach.Conditional:
		return who + " will be allowed every request to " + to
	default:
		return who + " will be allowed to call " + to
	}
}

// reason replaces the name of the policy under review by "this AccessPolicy".
func (l *sentences) reason(text string) string {
	if l.own.Kind != string(policy.KindAccessPolicy) {
		return text
	}
	this, name := "this "+l.own.Kind, l.own.Name+"."+l.own.Namespace
	if rest, first := strings.CutPrefix(text, firstPolicy(name)); first {
		return this + " is the first there and" + rest
	}
	if text == "allowed by "+l.own.String() {
		return "allowed by " + this
	}
	if rest, found := strings.CutPrefix(text, l.own.String()+" allows"); found {
		return this + " allows" + rest
	}
	return text
}

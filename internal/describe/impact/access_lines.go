package impact

import (
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// access says who may call what, unlike before. Who can no longer reach a
// Destination at all, or can now, is told with what is exposed to which mesh.
func (l *sentences) access(changes []AccessChange) {
	defer l.limit(len(l.lines), "changes of who may call what")
	for _, c := range changes {
		if c.Before == compare.Unreachable || c.After == compare.Unreachable {
			continue
		}
		severity := finding.SeverityWarning
		more := c.Before == policy.Conditional && c.After == policy.Conditional && !c.Fewer
		if c.Before == policy.Denied || c.After == policy.Allowed || more {
			severity = finding.SeverityInfo
		}
		if c.byDefault && c.After == policy.Allowed { // nobody asked for it
			severity = finding.SeverityWarning
		}
		l.add(severity, "%s: %s", c.sentence(), l.reason(c.Reason))
	}
}

// sentence says what the callers may do now.
func (c AccessChange) sentence() string {
	who, to := c.Callers.text(), andMore(c.Destinations)
	is := who + " " + text.Choose(c.SourceCount, "is", "are")
	if c.Everyone {
		who, is = "everybody", "all callers are"
	}
	switch {
	case c.After == policy.Denied && c.Everyone:
		return "no caller is allowed to call " + to + " any more"
	case c.After == policy.Denied && c.Before == policy.Conditional:
		return is + " no longer allowed to call " + to + " at all"
	case c.After == policy.Denied:
		return is + " no longer allowed to call " + to
	case c.After == policy.Conditional && c.Before == policy.Allowed:
		return who + " may make only some requests to " + to
	case c.After == policy.Conditional && c.Before == policy.Conditional && !c.Fewer:
		return who + " may make more requests to " + to + " than before"
	case c.After == policy.Conditional && c.Before == policy.Conditional:
		return who + " may make other requests to " + to + " than before"
	case c.After == policy.Conditional:
		return is + " now allowed to call " + to + " for some requests"
	case c.Before == policy.Conditional:
		return is + " now allowed to make every request to " + to
	default:
		return is + " now allowed to call " + to
	}
}

// reason names the policy under review as such.
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
	if rest, found := strings.CutPrefix(text, l.own.String()+" admits"); found {
		return this + " admits" + rest
	}
	return text
}

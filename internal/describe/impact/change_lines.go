package impact

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// changes adds sentences about what changes for other objects.
func (l *sentences) changes(view ChangeView) {
	l.written = map[KindRef]compare.Presence{}
	for _, o := range view.Objects {
		l.written[o.KindRef] = o.Presence
	}
	for _, s := range view.States {
		l.state(s)
	}
	l.meshes(view.Meshes)
	l.federation(view.Federation)
	lost := l.losses(view.Losses)
	l.settings(view.Settings, lost)
	defer l.limit(len(l.lines), "policies are effective again")
	for _, x := range merged(view.Restored) {
		if x.Policy != l.own {
			l.info("%s is effective again on %s", l.name(x.Policy), andMore(x.Destinations))
		}
	}
}

// losses adds sentences about policies that are no longer effective, and returns the affected
// pairs of policy and Destination.
func (l *sentences) losses(losses []Loss) (lost map[string]bool) {
	defer l.limit(len(l.lines), "policies are overridden")
	lost = map[string]bool{}
	all := merged(losses)
	slices.SortStableFunc(all, func(a, b loss) int { return len(b.Destinations) - len(a.Destinations) })
	for _, x := range all {
		if x.Policy == l.own {
			continue // already reported
		}
		for _, d := range x.Destinations {
			lost[x.Policy.String()+" "+d] = true
		}
		if x.Winner == nil {
			l.warn("%s is no longer effective on %s: %s", l.name(x.Policy), andMore(x.Destinations), x.Reason)
			continue
		}
		l.warn("%s: %s is overridden on %s: %s", l.name(x.Policy), andMore(x.Fields), andMore(x.Destinations), l.conflict(x))
	}
	return lost
}

// state adds a sentence if the state of another object changes. Losses on single Destinations
// are reported separately.
func (l *sentences) state(s StateChange) {
	if s.Kind == string(policy.KindTrafficPolicy) || s.Kind == string(policy.KindAccessPolicy) {
		return
	}
	if s.After == policy.StateInvalid {
		effect := "groups nothing"
		if s.effective {
			effect = "groups the meshes that are left"
		}
		l.fail("%s becomes INVALID and %s: %s", s.KindRef, effect, strings.Join(s.Errors, "; "))
		return
	}
	l.info("%s becomes %s", s.KindRef, s.After)
}

// sentence describes a change of several settings for the same requests.
type sentence struct {
	severity      finding.Severity
	before, after string
	settings      []string
}

// settings adds sentences about settings that change for requests and connections. Equal
// changes of several settings for the same requests share a sentence.
func (l *sentences) settings(changes []SettingChange, lost map[string]bool) {
	defer l.limit(len(l.lines), "changes of settings")
	var all []*sentence
	type words struct {
		severity      finding.Severity
		before, after string
	}
	places := map[words]int{}
	for _, c := range changes {
		if c.Before != nil {
			name := c.Before.Policy.String()
			c.Destinations = slices.DeleteFunc(slices.Clone(c.Destinations), func(d string) bool { return lost[name+" "+d] })
			if len(c.Destinations) == 0 {
				continue
			}
		}
		severity, before, setting, after := l.changed(c)
		k, known := places[words{severity, before, after}]
		if !known {
			k, all = len(all), append(all, &sentence{severity: severity, before: before, after: after})
			places[words{severity, before, after}] = k
		}
		all[k].settings = append(all[k].settings, setting)
	}
	for _, s := range all {
		l.add(s.severity, "%s %s%s", s.before, andMore(s.settings), s.after)
	}
}

// changed returns the words for a change: the text before the setting, the
// setting, and the text after it.
func (l *sentences) changed(c SettingChange) (severity finding.Severity, before, setting, after string) {
	requests := l.requests(c)
	if c.Before == nil {
		text, _ := settingText(c.Field, c.After.Value)
		return finding.SeverityInfo, requests + " get", text, l.from(c.After)
	}
	severity = finding.SeverityWarning
	rewritten := c.After != nil && c.After.Policy == c.Before.Policy && l.written[c.After.Policy] == compare.PresenceChanged
	if c.Before.Policy == l.own && !l.broken || rewritten {
		severity = finding.SeverityInfo // the author requested it
	}
	old, oldKnown := settingText(c.Field, c.Before.Value)
	if c.After == nil {
		switch {
		case c.By != nil && *c.By != c.Before.Policy && (c.Before.Policy == l.own || l.written[c.Before.Policy] == ""):
			return severity, l.name(c.Before.Policy) + " loses", c.Field,
				" for " + requests + ": the more specific route of " + l.name(*c.By) + " handles them without it"
		case c.Before.Policy == l.own:
			return severity, requests + " no longer get", old, ""
		default:
			return severity, requests + " no longer get", old, " from " + c.Before.Policy.String()
		}
	}
	is, isKnown := settingText(c.Field, c.After.Value)
	was := strings.TrimPrefix(old, c.Field+" ")
	switch {
	case !oldKnown || !isKnown:
		if c.Before.Policy == c.After.Policy {
			return severity, requests + " get a different", c.Field, l.behind(c.After)
		}
		return severity, requests + " get the", c.Field, " of " + l.name(c.After.Policy) + " instead of that of " + l.name(c.Before.Policy)
	case c.Before.Policy == c.After.Policy:
		return severity, requests + " get", is + " instead of " + was, l.behind(c.After)
	case c.After.Policy == l.own:
		return severity, requests + " get", is + " instead of " + was, ", which " + l.name(c.Before.Policy) + " sets"
	default:
		return severity, requests + " get", is, l.from(c.After) + " instead of " + was + " from " + l.name(c.Before.Policy)
	}
}

// from names the policy of a setting, unless it is the one under review.
func (l *sentences) from(s *EffectiveSetting) string {
	if s.Policy == l.own {
		return ""
	}
	return " from " + s.Policy.String()
}

// behind returns from as an apposition, for sentences that compare two values.
func (l *sentences) behind(s *EffectiveSetting) string {
	if from := l.from(s); from != "" {
		return "," + from
	}
	return ""
}

// requests names the requests or connections that a change affects.
func (l *sentences) requests(c SettingChange) string {
	setting := c.After
	if setting == nil {
		setting = c.Before
	}
	if setting.Policy.Kind == "VirtualMesh" { // the keepalive of a VirtualMesh applies only to connections between clusters
		return "connections from other clusters to " + andMore(c.Destinations)
	}
	return requestsText(string(feature.All().Of(c.Field).Scope), c.Match, c.Callers, c.Destinations)
}

package describe

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
)

// changes says what others lose and gain.
func (l *impactLines) changes(view ChangeView) {
	for _, s := range view.States {
		l.state(s)
	}
	lost := map[string]bool{} // policies and Destinations
	for _, x := range merged(view.Losses) {
		if x.Policy == l.own {
			continue // told before
		}
		for _, d := range x.Destinations {
			lost[x.Policy.String()+" "+d] = true
		}
		if x.Winner == nil {
			l.warn("%s is no longer in force on %s: %s", l.name(x.Policy), andMore(x.Destinations), x.Reason)
			continue
		}
		l.warn("%s loses %s on %s: %s", l.name(x.Policy), andMore(x.Fields), andMore(x.Destinations), l.conflict(x))
	}
	l.settings(view.Settings, lost)
	l.meshes(view.Meshes)
	l.federation(view.Federation)
	for _, x := range merged(view.Restored) {
		if x.Policy != l.own {
			l.info("%s is in force again on %s", l.name(x.Policy), andMore(x.Destinations))
		}
	}
}

// state says that another object is judged differently. What policies lose and
// regain on single Destinations is told with these.
func (l *impactLines) state(s StateChange) {
	if s.Kind == string(policy.KindTrafficPolicy) || s.Kind == string(policy.KindAccessPolicy) {
		return
	}
	if s.After == policy.StateInvalid {
		l.fail("%s becomes INVALID and groups nothing: %s", s.KindRef, strings.Join(s.Errors, "; "))
		return
	}
	l.info("%s becomes %s", s.KindRef, s.After)
}

// settings says which requests and connections get what unlike before. New
// settings of the same requests share a sentence.
func (l *impactLines) settings(changes []SettingChange, lost map[string]bool) {
	type added struct {
		requests, by string
		settings     []string
	}
	var news []*added
	for _, c := range changes {
		if c.Before != nil {
			policyName := c.Before.Policy.String()
			c.Destinations = slices.DeleteFunc(slices.Clone(c.Destinations), func(d string) bool { return lost[policyName+" "+d] })
			if len(c.Destinations) > 0 {
				l.changed(c)
			}
			continue
		}
		text, _ := settingText(c.Field, c.After.Value)
		a := added{requests: requestsText(carrier(c.After.Value), c.Match, c.Callers, c.Destinations)}
		if c.After.Policy != l.own {
			a.by = " from " + c.After.Policy.String()
		}
		k := slices.IndexFunc(news, func(o *added) bool { return o.requests == a.requests && o.by == a.by })
		if k < 0 {
			k, news = len(news), append(news, &a)
		}
		news[k].settings = append(news[k].settings, text)
	}
	for _, a := range news {
		l.info("%s get %s%s", a.requests, strings.Join(a.settings, " and "), a.by)
	}
}

// changed says what takes the place of a setting.
func (l *impactLines) changed(c SettingChange) {
	severity := policy.SeverityWarning
	if c.Before.Policy == l.own {
		severity = policy.SeverityInfo
	}
	old, oldKnown := settingText(c.Field, c.Before.Value)
	requests := requestsText(carrier(c.Before.Value), c.Match, c.Callers, c.Destinations)
	switch {
	case c.After == nil && c.By != nil && *c.By != c.Before.Policy:
		l.add(severity, "%s loses %s for %s: the route of %s takes them and leaves it out", l.name(c.Before.Policy), c.Field, requests, l.name(*c.By))
	case c.After == nil:
		l.add(severity, "%s no longer get %s, which %s set", requests, old, l.name(c.Before.Policy))
	default:
		is, isKnown := settingText(c.Field, c.After.Value)
		was := strings.TrimPrefix(old, c.Field+" ")
		if !oldKnown || !isKnown {
			l.add(severity, "%s get the %s of %s instead of that of %s", requests, c.Field, l.name(c.After.Policy), l.name(c.Before.Policy))
			return
		}
		switch {
		case c.Before.Policy == c.After.Policy:
			l.add(severity, "%s get %s instead of %s", requests, is, was)
		case c.After.Policy == l.own:
			l.add(severity, "%s get %s instead of %s, which %s sets", requests, is, was, l.name(c.Before.Policy))
		default:
			l.add(severity, "%s get %s from %s instead of %s from %s", requests, is, l.name(c.After.Policy), was, l.name(c.Before.Policy))
		}
	}
}

// access says who may call what, unlike before.
func (l *impactLines) access(changes []AccessChange) {
	for _, c := range changes {
		who, to := c.Callers.text(), andMore(c.Destinations)
		switch {
		case c.After == policy.Denied && c.Before == policy.Conditional:
			l.warn("%s %s no longer allowed to call %s at all: %s", who, c.be(), to, c.Reason)
		case c.After == policy.Denied:
			l.warn("%s %s no longer allowed to call %s: %s", who, c.be(), to, c.Reason)
		case c.After == policy.Unreachable:
			l.warn("%s can no longer reach %s: %s", who, to, c.Reason)
		case c.After == policy.Conditional && c.Before == policy.Allowed:
			l.warn("%s may make only some requests to %s: %s", who, to, c.Reason)
		case c.After == policy.Conditional && c.Before == policy.Conditional:
			l.warn("%s may make other requests to %s than before: %s", who, to, c.Reason)
		case c.After == policy.Conditional && c.Before == policy.Unreachable:
			l.info("%s can now reach %s, for some requests: %s", who, to, c.Reason)
		case c.After == policy.Conditional:
			l.info("%s %s now allowed to call %s for some requests: %s", who, c.be(), to, c.Reason)
		case c.Before == policy.Unreachable:
			l.info("%s can now reach %s: %s", who, to, c.Reason)
		case c.byDefault: // nobody asked for it
			l.warn("%s %s now allowed to call %s: %s", who, c.be(), to, c.Reason)
		default:
			l.info("%s %s now allowed to call %s: %s", who, c.be(), to, c.Reason)
		}
	}
}

// findings says what is new and what is settled, apart from what other
// sentences say better.
func (l *impactLines) findings(view ChangeView, covered func(Finding) bool) {
	told := func(f Finding) bool {
		switch f.Code {
		case policy.CodeConflict, policy.CodeUnrealisable, policy.CodeMeshClaimedTwice, policy.CodeDeniedByDefault:
			return true
		default:
			return covered(f)
		}
	}
	for _, f := range view.Introduced {
		if !told(f) {
			l.add(f.Severity, "%s", l.findingText(f))
		}
	}
	settled := 0
	for _, f := range view.Fixed {
		if !told(f) && f.Severity != policy.SeverityInfo {
			settled++
		}
	}
	if settled > 0 {
		l.info("settles %s", countOf(settled, "finding"))
	}
}

func (l *impactLines) findingText(f Finding) string {
	about := f.Object + ": "
	if f.Object == l.own.Kind+"/"+l.own.Name+"."+l.own.Namespace {
		about = ""
	}
	return about + f.Message + " (" + string(f.Code) + ")"
}

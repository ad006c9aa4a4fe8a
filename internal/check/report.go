package check

import (
	"slices"
	"strings"
)

// Report is the result of all checks. docs/check.md documents its JSON form.
type Report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Success is true if no check failed; warnings are not failures.
	Success    bool             `json:"success"`
	Categories []CategoryReport `json:"categories"`
}

// CategoryReport is the result of the checks of a category.
type CategoryReport struct {
	ID    string `json:"id"`
	Title string `json:"-"`
	// Skipped is the reason if none of the checks was judged.
	Skipped string `json:"skipped,omitempty"`
	// Checks has one line per checked object.
	Checks []Line `json:"checks"`
}

// Line is the result of a check for one object.
type Line struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	Cluster     string `json:"cluster,omitempty"`
	Object      string `json:"object,omitempty"`
	Result      Result `json:"result"`
	Message     string `json:"message,omitempty"`
	Hint        string `json:"hint,omitempty"`
	// Unknown is true if the check could not be judged, because its input could not
	// be read. The result is then its worst one.
	Unknown bool `json:"unknown,omitempty"`
	// Anchor is the anchor in the documentation.
	Anchor string `json:"anchor"`

	// cause is that of the outcome.
	cause string
}

const (
	reportVersion = "check.meshctl.io/v1alpha1"
	reportKind    = "CheckReport"
	pageOfChecks  = "docs/check.md"
	pageOfFinding = "docs/findings.md"
)

// Judge judges the facts with the checks of the categories, or all if there are
// none. Failed checks of other categories that prevent one of these from being
// judged are included.
func Judge(f *Facts, categories []string) *Report {
	r := &Report{APIVersion: reportVersion, Kind: reportKind, Success: true, Categories: []CategoryReport{}}
	all := make([]CategoryReport, 0, len(Categories()))
	for _, c := range Categories() {
		all = append(all, judgeCategory(f, c))
	}
	causes := resolve(all)
	selected := func(c *CategoryReport) bool { return len(categories) == 0 || slices.Contains(categories, c.ID) }
	needed := map[*Line]bool{}
	for i := range all {
		if !selected(&all[i]) {
			continue
		}
		for k := range all[i].Checks {
			needed[causes[&all[i].Checks[k]]] = true
		}
		if all[i].Skipped != "" { // the whole category depends on the management cluster
			for k := range all[0].Checks {
				needed[&all[0].Checks[k]] = true
			}
		}
	}
	for i := range all {
		report := all[i]
		if !selected(&report) {
			report.Skipped, report.Checks = "", nil
			for k := range all[i].Checks {
				if l := &all[i].Checks[k]; needed[l] && l.Result == Failed {
					report.Checks = append(report.Checks, *l)
				}
			}
			if len(report.Checks) == 0 {
				continue
			}
		}
		r.Categories = append(r.Categories, report)
	}
	r.Success = r.Count(Failed) == 0
	return r
}

// resolve skips the unknown lines whose cause failed, and returns the failed line
// behind each of them. Lines are in an order in which causes come first.
func resolve(all []CategoryReport) map[*Line]*Line {
	causes := map[*Line]*Line{}
	var lines []*Line
	for i := range all {
		for k := range all[i].Checks {
			lines = append(lines, &all[i].Checks[k])
		}
	}
	for _, l := range lines {
		if l.cause == "" {
			continue
		}
		for _, other := range lines {
			if other.ID != l.cause || other.Cluster != l.Cluster && other.Cluster != "" && l.Cluster != "" {
				continue
			}
			root := causes[other]
			if root == nil && other.Result == Failed {
				root = other
			}
			if root != nil {
				causes[l] = root
				l.Result, l.Message, l.Hint, l.Unknown = Skipped, "it depends on "+l.cause+", which failed", "", false
				break
			}
		}
	}
	return causes
}

func judgeCategory(f *Facts, c Category) CategoryReport {
	report := CategoryReport{ID: c.ID, Title: c.Title, Checks: []Line{}}
	if report.Skipped = c.Skip(f); report.Skipped != "" {
		return report
	}
	first := "" // of the checks about which the same is not known
	for _, check := range c.Checks {
		for _, o := range check.Judge(f) {
			switch {
			case o.whole && first == "":
				first = check.ID
			case o.whole && first != check.ID:
				o.Cause = first
			}
			report.Checks = append(report.Checks, newLine(&check, o))
		}
	}
	return report
}

func newLine(c *Check, o Outcome) Line {
	l := Line{
		ID: c.ID, Description: c.Description, Cluster: o.Cluster, Object: o.Object, Result: o.Result,
		Message: o.Message, Hint: o.Hint, Anchor: pageOfChecks + "#" + c.ID,
	}
	if l.Result == "" {
		l.Result = c.Severity
	}
	if l.Hint == "" && !o.Unknown {
		l.Hint = c.Hint
	}
	if o.Unknown {
		l.Message, l.Unknown, l.cause = "not known: "+o.Message, true, o.Cause
	}
	if !l.Problem() {
		l.Hint = ""
	}
	if o.Finding != "" {
		l.ID, l.Description = string(o.Finding), o.Finding.Entry().Title
		l.Anchor = pageOfFinding + "#" + strings.ToLower(string(o.Finding))
	}
	return l
}

// Problem reports whether the line needs action.
func (l *Line) Problem() bool { return l.Result == Failed || l.Result == Warning }

// Subject returns the cluster, the object, or both; empty if the check already
// names them.
func (l *Line) Subject() string {
	switch {
	case l.Cluster == "":
		return l.Object
	case l.Object == "":
		return l.Cluster
	default:
		return l.Cluster + " " + l.Object
	}
}

// Count returns the number of lines with a result. A category that is skipped as a
// whole counts as one line.
func (r *Report) Count(result Result) int {
	count := 0
	for _, c := range r.Categories {
		if c.Skipped != "" && result == Skipped {
			count++
		}
		for i := range c.Checks {
			if c.Checks[i].Result == result {
				count++
			}
		}
	}
	return count
}

// Failures returns the failed checks, for example "cluster-reachable (east)".
func (r *Report) Failures() []string {
	var names []string
	for _, c := range r.Categories {
		for i := range c.Checks {
			l := &c.Checks[i]
			if l.Result != Failed {
				continue
			}
			name := l.ID
			if subject := l.Subject(); subject != "" {
				name += " (" + subject + ")"
			}
			names = append(names, name)
		}
	}
	return names
}

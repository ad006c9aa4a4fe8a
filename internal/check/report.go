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
	// Anchor is the anchor in the documentation.
	Anchor string `json:"anchor"`
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
	var management CategoryReport
	for _, c := range Categories() {
		report := judgeCategory(f, c)
		if c.ID == CategoryManagement {
			management = report
		}
		if len(categories) == 0 || slices.Contains(categories, c.ID) {
			r.Categories = append(r.Categories, report)
		}
	}
	kept := func(c CategoryReport) bool { return c.Skipped != "" }
	if len(categories) > 0 && !slices.Contains(categories, CategoryManagement) && slices.ContainsFunc(r.Categories, kept) {
		management.Checks = slices.DeleteFunc(management.Checks, func(l Line) bool { return l.Result != Failed })
		if len(management.Checks) > 0 {
			r.Categories = slices.Insert(r.Categories, 0, management)
		}
	}
	r.Success = r.Count(Failed) == 0
	return r
}

func judgeCategory(f *Facts, c Category) CategoryReport {
	report := CategoryReport{ID: c.ID, Title: c.Title, Checks: []Line{}}
	if report.Skipped = c.Skip(f); report.Skipped != "" {
		return report
	}
	for _, check := range c.Checks {
		for _, o := range check.Judge(f) {
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
	if l.Hint == "" {
		l.Hint = c.Hint
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

// Count returns the number of lines with a result.
func (r *Report) Count(result Result) int {
	count := 0
	for _, c := range r.Categories {
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

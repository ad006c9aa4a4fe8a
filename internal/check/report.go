package check

import (
	"slices"
	"strings"
)

// Report is what came of all checks. Its JSON form is documented in
// docs/check.md.
type Report struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Success says that no check failed; warnings are no failures.
	Success    bool             `json:"success"`
	Categories []CategoryReport `json:"categories"`
}

// CategoryReport is what came of the checks of a category.
type CategoryReport struct {
	ID    string `json:"id"`
	Title string `json:"-"`
	// Skipped says why none of the checks was judged.
	Skipped string `json:"skipped,omitempty"`
	// Checks has one line for everything that was checked.
	Checks []Line `json:"checks"`
}

// Line is what came of a check for one thing.
type Line struct {
	ID          string `json:"id"`
	Description string `json:"description"`
	Cluster     string `json:"cluster,omitempty"`
	Object      string `json:"object,omitempty"`
	Result      Result `json:"result"`
	Message     string `json:"message,omitempty"`
	Hint        string `json:"hint,omitempty"`
	// Anchor is where the documentation says more.
	Anchor string `json:"anchor"`
}

const (
	reportVersion = "check.meshctl.io/v1alpha1"
	reportKind    = "CheckReport"
	pageOfChecks  = "docs/check.md"
	pageOfFinding = "docs/findings.md"
)

// Judge judges the facts by the checks of the categories; all if there are
// none. If something of another category keeps one of them from being judged,
// what failed there is part of the report.
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

// Problem reports whether somebody should do something.
func (l *Line) Problem() bool { return l.Result == Failed || l.Result == Warning }

// Subject names what the line is about: the cluster, the object, or both; empty
// if the check says it.
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

// Count returns how many lines have a result.
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

// Failures names what failed, for example "cluster-reachable (east)".
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

package check

import (
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/meshctl/meshctl/internal/check"
	"github.com/meshctl/meshctl/internal/output/view"
)

// showsUTF8 reports whether the terminal supports UTF-8 according to the locale. As in other
// programs, the first variable that is set decides.
func showsUTF8(getenv func(string) string) bool {
	if getenv("TERM") == "dumb" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}

// reportView returns a report in all output formats. short omits checks without problems from
// the text; symbols allows characters outside ASCII.
func reportView(report *check.Report, symbols, short bool) view.View {
	return view.View{
		Document: view.Value(report),
		Text:     view.Lines(func(t *view.Text) { reportText{t, symbols}.write(report, short) }),
		Names:    problemNames(report),
	}
}

// problemNames returns the distinct names of the checks that found a problem.
func problemNames(report *check.Report) iter.Seq2[string, error] {
	var ids []string
	for _, c := range report.Categories {
		for i := range c.Checks {
			if l := &c.Checks[i]; l.Problem() && !slices.Contains(ids, l.ID) {
				ids = append(ids, l.ID)
			}
		}
	}
	return view.NameEach(ids, func(id *string) string { return "check/" + *id })
}

// reportText writes a report as text.
type reportText struct {
	*view.Text
	symbols bool
}

func (t reportText) write(report *check.Report, short bool) {
	for i := range report.Categories {
		t.category(&report.Categories[i], short)
	}
	if short && report.Success && report.Count(check.Warning) == 0 {
		t.Line("No problems found.")
		return
	}
	warnings := "warnings"
	if report.Count(check.Warning) == 1 {
		warnings = "warning"
	}
	t.Linef("%d failed, %d %s, %d ok, %d skipped",
		report.Count(check.Failed), report.Count(check.Warning), warnings, report.Count(check.OK), report.Count(check.Skipped))
}

// category writes a category and its checks. With short, it writes nothing if there are no
// problems.
func (t reportText) category(c *check.CategoryReport, short bool) {
	var shown []*check.Line
	for i := range c.Checks {
		if l := &c.Checks[i]; !short || l.Problem() {
			shown = append(shown, l)
		}
	}
	skipped := c.Skipped != "" && !short
	if len(shown) == 0 && !skipped {
		return
	}
	t.Linef("%s (%s)", c.Title, c.ID)
	for _, l := range shown {
		t.line(l)
	}
	if skipped {
		t.Marked(t.mark(check.Skipped), " "+c.Skipped)
	}
	t.Blank()
}

// mark returns the mark of a result. All marks have the same width.
func (t reportText) mark(result check.Result) view.Word {
	mark, symbol := view.Word{Text: "ok  ", Tone: view.Good}, "√"
	switch result {
	case check.OK:
	case check.Warning:
		mark, symbol = view.Word{Text: "WARN", Tone: view.Warning}, "‼"
	case check.Failed:
		mark, symbol = view.Word{Text: "FAIL", Tone: view.Bad}, "×"
	case check.Skipped:
		mark, symbol = view.Word{Text: "skip", Tone: view.Faint}, "-"
	}
	if t.symbols {
		mark.Text = symbol
	}
	return mark
}

// line writes a check: one line and, for a problem, the reason, what to do, and where to read
// more.
func (t reportText) line(l *check.Line) {
	text := l.Description
	if subject := l.Subject(); subject != "" {
		text = subject + ": " + text
	}
	switch {
	case l.Result == check.Skipped:
		text += " (skipped: " + l.Message + ")"
	case !l.Problem() && l.Message != "":
		text += " (" + l.Message + ")"
	}
	mark := t.mark(l.Result)
	t.Marked(mark, " "+text)
	if !l.Problem() {
		return
	}
	indent := strings.Repeat(" ", utf8.RuneCountInString(mark.Text)+1)
	for _, part := range []struct{ label, value string }{{"", l.Message}, {"hint: ", l.Hint}, {"see ", l.Anchor}} {
		if part.value != "" {
			t.Line(indent + part.label + part.value)
		}
	}
}

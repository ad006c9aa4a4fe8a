package impact

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// Line is one sentence about a change. It starts in lower case, so that the name
// of the object or a bullet can precede it.
type Line struct {
	Severity finding.Severity `json:"severity"`
	Text     string           `json:"text"`
}

// shownLines limits the sentences of a review.
const shownLines = 10

// sentences collects sentences and sorts them by importance.
type sentences struct {
	// own is the object under review; zero if there is none.
	own KindRef
	// broken is true if the object is INVALID.
	broken bool
	// groupsNew is true for a VirtualMesh that did not exist before.
	groupsNew bool
	lines     []Line
	pinned    string
	// all disables the limits.
	all bool
	// written are the changed authored objects with the kind of change.
	written map[KindRef]compare.Presence
}

func (l *sentences) add(severity finding.Severity, format string, values ...any) {
	l.lines = append(l.lines, Line{severity, fmt.Sprintf(format, values...)})
}

func (l *sentences) fail(format string, values ...any) {
	l.add(finding.SeverityError, format, values...)
}

func (l *sentences) warn(format string, values ...any) {
	l.add(finding.SeverityWarning, format, values...)
}

func (l *sentences) info(format string, values ...any) {
	l.add(finding.SeverityInfo, format, values...)
}

// pin adds a sentence that is always shown.
func (l *sentences) pin(format string, values ...any) {
	l.info(format, values...)
	l.pinned = l.lines[len(l.lines)-1].Text
}

// shownOfKind limits the sentences of one kind.
const shownOfKind = 3

// limit keeps the first sentences of each severity added since start, and
// replaces the others by their number.
func (l *sentences) limit(start int, kind string) {
	if l.all {
		return
	}
	shown, hidden := map[finding.Severity]int{}, map[finding.Severity]int{}
	all := distinctLines(l.lines[start:])
	for _, line := range all {
		hidden[line.Severity]++
	}
	l.lines = l.lines[:start]
	for _, line := range all {
		few := hidden[line.Severity] <= shownOfKind+1 // "1 more" would not be shorter
		if shown[line.Severity]++; few || shown[line.Severity] <= shownOfKind {
			l.lines = append(l.lines, line)
		} else if shown[line.Severity] == shownOfKind+1 {
			l.add(line.Severity, "%s %s", text.More(hidden[line.Severity]-shownOfKind), kind)
		}
	}
}

func distinctLines(lines []Line) []Line {
	var kept []Line
	seen := map[Line]bool{}
	for _, line := range lines {
		if !seen[line] {
			seen[line], kept = true, append(kept, line)
		}
	}
	return kept
}

// sorted returns the distinct sentences by severity, otherwise in the order of
// adding; a last one counts those that are not shown.
func (l *sentences) sorted() []Line {
	var all []Line
	for _, severity := range []finding.Severity{finding.SeverityError, finding.SeverityWarning, finding.SeverityInfo} {
		for _, line := range distinctLines(l.lines) {
			if line.Severity == severity {
				all = append(all, line)
			}
		}
	}
	if l.all || len(all) <= shownLines {
		return all
	}
	if k := slices.IndexFunc(all, func(line Line) bool { return line.Text == l.pinned }); k >= shownLines {
		pinned := all[k]
		all = slices.Insert(slices.Delete(all, k, k+1), shownLines-1, pinned)
	}
	hidden := all[shownLines:]
	more := Line{hidden[0].Severity, text.More(len(hidden))}
	return append(slices.Clone(all[:shownLines]), more)
}

// name names an object in a sentence.
func (l *sentences) name(ref KindRef) string {
	if ref == l.own {
		return "this " + ref.Kind
	}
	return ref.String()
}

// andMore joins names for a sentence, at most three.
func andMore(names []string) string { return andMoreOf(names, len(names)) }

// andMoreOf joins the first of total names.
func andMoreOf(names []string, total int) string {
	const most = 3
	if total > most && len(names) >= most-1 {
		return text.BoundedOf(names, total, most-1)
	}
	return text.And(names)
}

func (c Callers) text() string { return andMoreOf(c.Sources, c.SourceCount) }

// distinct returns the sorted names without duplicates.
func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// withNames counts objects and, if there are few, names them.
func withNames(names []string, noun string) string {
	switch {
	case len(names) > 3:
		return text.Count(len(names), noun)
	case len(names) == 1:
		return names[0]
	}
	return fmt.Sprintf("%s (%s)", text.Count(len(names), noun), strings.Join(names, ", "))
}

// shortValue is the maximum length of a value in a sentence.
const shortValue = 60

// settingText returns a setting with its value if that is short; known reports
// whether there is a value.
func settingText(field string, value any) (text string, known bool) {
	words := strings.Join(feature.Lines(field, value), ", ")
	if words == "" || len(words) > shortValue {
		return field, false
	}
	return field + " " + words, true
}

// requestsText names requests or connections.
func requestsText(what string, match *describe.RequestMatch, callers Callers, destinations []string) string {
	text := what
	if match != nil {
		text += " matching " + match.Text()
	}
	if !callers.Everyone {
		text += " from " + callers.text()
	}
	return text + " to " + andMore(destinations)
}

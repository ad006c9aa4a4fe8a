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

// Line is one sentence about what changes. It starts in lower case, for
// the name of the object or a bullet to go before it.
type Line struct {
	Severity finding.Severity `json:"severity"`
	Text     string           `json:"text"`
}

// shownLines is how many sentences a review shows.
const shownLines = 10

// sentences collects sentences, to be shown the most important first.
type sentences struct {
	// own is the object under review, zero if there is no single one.
	own KindRef
	// broken says that it is INVALID.
	broken bool
	// groupsNew says that it is a VirtualMesh that was not there before.
	groupsNew bool
	lines     []Line
	pinned    string
	// all says that no sentence is left out.
	all bool
	// written are the authored objects that differ, and how.
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

// pin adds a sentence that is shown however many others there are.
func (l *sentences) pin(format string, values ...any) {
	l.info(format, values...)
	l.pinned = l.lines[len(l.lines)-1].Text
}

// shownOfKind is how many sentences of one kind a review shows.
const shownOfKind = 3

// limit keeps the first of the sentences of each severity that were added since
// the list had the given length, and counts the others.
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
		few := hidden[line.Severity] <= shownOfKind+1 // no sentence says less than "1 more"
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

// sorted returns the sentences by severity, otherwise in the order they were
// added, each once; a last one counts those that are not shown.
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

// name names an object within a sentence.
func (l *sentences) name(ref KindRef) string {
	if ref == l.own {
		return "this " + ref.Kind
	}
	return ref.String()
}

// andMore joins names within a sentence, at most three of them.
func andMore(names []string) string { return andMoreOf(names, len(names)) }

// andMoreOf joins the first names of a number of them.
func andMoreOf(names []string, total int) string {
	const most = 3
	if total > most && len(names) >= most-1 {
		return text.BoundedOf(names, total, most-1)
	}
	return text.And(names)
}

func (c Callers) text() string { return andMoreOf(c.Sources, c.SourceCount) }

// distinct returns the names sorted, each once.
func distinct(names []string) []string { return slices.Compact(slices.Sorted(slices.Values(names))) }

// withNames counts things and names them if they are few.
func withNames(names []string, noun string) string {
	switch {
	case len(names) > 3:
		return text.Count(len(names), noun)
	case len(names) == 1:
		return names[0]
	}
	return fmt.Sprintf("%s (%s)", text.Count(len(names), noun), strings.Join(names, ", "))
}

// shortValue is how long a value may be to be part of a sentence.
const shortValue = 60

// settingText names a setting and its value, if that is short; known reports
// whether it is.
func settingText(field string, value any) (text string, known bool) {
	words := strings.Join(feature.Lines(field, value), ", ")
	if words == "" || len(words) > shortValue {
		return field, false
	}
	return field + " " + words, true
}

// requestsText says which requests or connections are meant.
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

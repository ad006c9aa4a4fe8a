package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Report is the result of a run.
type Report struct {
	Asked   int
	Unknown int
	// Again counts the questions about times that were asked a second time, and
	// then agreed.
	Again         int
	Disagreements []Disagreement
	// Errors are questions that could not be asked.
	Errors []string
	// Duration is that of the whole run.
	Duration time.Duration
}

// maxUnknown is the largest part of answers that may be UNKNOWN.
const maxUnknown = 0.02

// Err returns what makes the run fail: disagreements that are not known,
// questions that could not be asked, too many that the product cannot answer,
// and a run without questions. It is nil if there is nothing.
func (r Report) Err() error {
	var problems []string
	if unexplained := r.Unexplained(); len(unexplained) > 0 {
		problems = append(problems, fmt.Sprintf("%d disagreements", len(unexplained)))
	}
	if len(r.Errors) > 0 {
		problems = append(problems, fmt.Sprintf("%d questions could not be asked, the first: %s", len(r.Errors), r.Errors[0]))
	}
	if float64(r.Unknown) > maxUnknown*float64(r.Asked) {
		problems = append(problems, fmt.Sprintf("%d of %d answers are UNKNOWN", r.Unknown, r.Asked))
	}
	if r.Asked == 0 {
		problems = append(problems, "nothing was asked")
	}
	if len(problems) == 0 {
		return nil
	}
	return fmt.Errorf("the mesh does not do what meshctl says: %s", strings.Join(problems, "; "))
}

// Unexplained returns the disagreements that are not known.
func (r Report) Unexplained() []Disagreement {
	return slices.DeleteFunc(slices.Clone(r.Disagreements), func(d Disagreement) bool { return d.Known != "" })
}

// String is the report for people.
func (r Report) String() string {
	var b strings.Builder
	for _, d := range r.Unexplained() {
		b.WriteString(d.String())
	}
	for _, e := range r.Errors {
		fmt.Fprintf(&b, "not asked: %s\n", e)
	}
	counts := map[string]int{}
	for _, d := range r.Disagreements {
		if d.Known != "" {
			counts[d.Known]++
		}
	}
	fmt.Fprintf(&b, "%d questions in %s: %d disagreements", r.Asked, r.Duration.Round(time.Millisecond), len(r.Unexplained()))
	for _, id := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(&b, ", %d known as %s", counts[id], id)
	}
	fmt.Fprintf(&b, ", %d UNKNOWN, %d not asked, %d agreed at a second try\n", r.Unknown, len(r.Errors), r.Again)
	return b.String()
}

// String is the disagreement for people, several lines.
func (d Disagreement) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s: %s\n", d.Aspect, d.Question)
	fmt.Fprintf(&b, "    meshctl says: %s\n", d.Said)
	fmt.Fprintf(&b, "    the mesh does: %s\n", d.Was)
	fmt.Fprintf(&b, "    expected: %s\n", d.Question.Expect)
	fmt.Fprintf(&b, "    reason given: %s\n", d.Question.Expect.Reason)
	if d.Flags != "" {
		fmt.Fprintf(&b, "    response flags: %s\n", d.Flags)
	}
	for _, s := range d.Question.Expect.Settings {
		fmt.Fprintf(&b, "    setting %s of %s: %s\n", s.Field, s.Policy.Name, s.Value)
	}
	for i, s := range d.Observed.Seen {
		if i == 3 {
			fmt.Fprintf(&b, "    and %d more arrivals\n", len(d.Observed.Seen)-i)
			break
		}
		fmt.Fprintf(&b, "    arrived at %s:%d, %s %s %s, host %s, peer %q\n", refOf(s), s.Port, s.Protocol, s.Method, s.Path, s.Host, s.Peer)
	}
	if d.Evidence != "" {
		for line := range strings.Lines(d.Evidence) {
			b.WriteString("    | " + line)
		}
		if !strings.HasSuffix(d.Evidence, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

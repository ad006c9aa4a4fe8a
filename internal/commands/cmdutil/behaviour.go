package cmdutil

import (
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// NothingChanges is the text for unchanged behaviour or configuration.
const NothingChanges = "nothing changes"

// WriteBehaviour writes what changes in behaviour, one line for each change, or that
// it is unchanged.
func WriteBehaviour(t *view.Text, lines []impact.Line, unchanged string) {
	t.Line("Behaviour:")
	t.Nested(func() {
		if len(lines) == 0 {
			t.Line(unchanged)
		}
		for _, line := range lines {
			t.Marked(impactMark(line.Severity), line.Text)
		}
	})
}

// impactMark returns the label of a line.
func impactMark(severity finding.Severity) view.Word {
	switch severity {
	case finding.SeverityError:
		return view.Word{Text: "error: ", Tone: view.Bad}
	case finding.SeverityWarning:
		return view.Word{Text: "warning: ", Tone: view.Warning}
	default:
		return view.Word{}
	}
}

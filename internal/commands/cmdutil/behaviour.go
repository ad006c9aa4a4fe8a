package cmdutil

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
)

// NothingChanges is said of behaviour and of configuration.
const NothingChanges = "nothing changes"

// WriteBehaviour writes what changes in behaviour, one line for each change.
func WriteBehaviour(t *view.Text, lines []describe.ImpactLine) {
	t.Line("Behaviour:")
	t.Nested(func() {
		if len(lines) == 0 {
			t.Line(NothingChanges)
		}
		for _, line := range lines {
			t.Marked(impactMark(line.Severity), line.Text)
		}
	})
}

// impactMark returns what a line of an impact begins with.
func impactMark(severity policy.Severity) view.Word {
	switch severity {
	case policy.SeverityError:
		return view.Word{Text: "error: ", Tone: view.Bad}
	case policy.SeverityWarning:
		return view.Word{Text: "warning: ", Tone: view.Warning}
	default:
		return view.Word{}
	}
}

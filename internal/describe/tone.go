package describe

import (
	"strings"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// toneOf returns the tone of a state or a verdict.
func toneOf(state string) view.Tone {
	switch strings.TrimSuffix(state, assumedMark) {
	case "EFFECTIVE", "ACCEPTED", "ALLOWED":
		return view.Good
	case "PARTIAL", "CONDITIONAL", "UNKNOWN", "PENDING":
		return view.Warning
	case "INVALID", "DENIED", "UNREACHABLE", "FAILED":
		return view.Bad
	default:
		return view.Plain
	}
}

func stateWord(state string) view.Word { return view.Word{Text: state, Tone: toneOf(state)} }

func bad(word string) view.Word { return view.Word{Text: word, Tone: view.Bad} }

func severityWord(severity finding.Severity) view.Word {
	word := view.Word{Text: string(severity)}
	switch severity {
	case finding.SeverityError:
		word.Tone = view.Bad
	case finding.SeverityWarning:
		word.Tone = view.Warning
	case finding.SeverityInfo:
	}
	return word
}

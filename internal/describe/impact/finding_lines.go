package impact

import (
	"strings"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// findings adds new and resolved findings, except those that other sentences cover.
func (l *sentences) findings(view ChangeView, covered func(describe.Finding) bool) {
	skip := func(f describe.Finding) bool {
		switch f.Code {
		case finding.CodeConflict, finding.CodeUnrealisable, finding.CodeRejectedValue, finding.CodeMeshClaimedTwice, finding.CodeDeniedByDefault,
			finding.CodeProxiesUnknown, finding.CodeVisibilityUnknown, finding.CodeMeshConfigUnknown: // these are no consequence of the change
			return true
		default:
			return covered(f)
		}
	}
	defer l.limit(len(l.lines), "findings")
	for _, f := range view.Introduced {
		if !skip(f) {
			l.add(f.Severity, "%s", l.findingText(f))
		}
	}
	for _, f := range view.Fixed {
		if !skip(f) && f.Severity != finding.SeverityInfo {
			l.info("resolved: %s", l.findingText(f))
		}
	}
}

func (l *sentences) findingText(f describe.Finding) string {
	kind, name := describe.KindOf(f.Object)
	about := strings.TrimSpace(kind+" "+name) + ": "
	if f.Object == l.own.Kind+"/"+l.own.Name+"."+l.own.Namespace {
		about = ""
		if f.Code == finding.CodeNoSource {
			return "no effect: no known workload matches its sourceSelector (" + string(f.Code) + ")"
		}
	}
	return about + f.Message + " (" + string(f.Code) + ")"
}

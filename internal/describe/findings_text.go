package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// namedObjects limits the objects named in a line about several findings.
const namedObjects = 3

// writeFindings writes findings in full, except that those of severity info are
// counted in one line per code: below a table, and below full descriptions
// (detailed) if there are several of the code. -o wide has all of them in full.
func writeFindings(w *view.Text, findings []Finding, detailed bool) {
	byCode := map[finding.Code][]string{}
	for _, f := range findings {
		if f.Severity == finding.SeverityInfo {
			byCode[f.Code] = append(byCode[f.Code], f.Object)
		}
	}
	groups := groupFindings(findings)
	w.Section("Findings", len(groups) == 0, func() {
		for i, g := range groups {
			objects, counted := byCode[g.Code]
			switch {
			case g.Severity != finding.SeverityInfo, w.Wide, detailed && len(objects) == 1:
				hintFollows := i+1 < len(groups) && groups[i+1].Code == g.Code && groups[i+1].Hint == g.Hint
				g.write(w, !hintFollows)
			case counted:
				delete(byCode, g.Code)
				w.Marked(severityWord(g.Severity), fmt.Sprintf(" %s %s: %s", g.Code, g.Code.Entry().Title, countObjects(objects)))
			}
		}
	})
}

// findingGroup is one message that applies to several objects.
type findingGroup struct {
	Finding
	objects []string
}

// groupFindings groups findings by message and keeps the order of first
// occurrences.
func groupFindings(findings []Finding) []findingGroup {
	var groups []findingGroup
	positions := map[Finding]int{}
	for _, f := range findings {
		object := f.Object
		f.Object = ""
		position, known := positions[f]
		if !known {
			position = len(groups)
			positions[f] = position
			groups = append(groups, findingGroup{Finding: f})
		}
		groups[position].objects = append(groups[position].objects, object)
	}
	return groups
}

// write writes a finding. The hint is omitted if the next one has the same.
func (g findingGroup) write(w *view.Text, hint bool) {
	w.Marked(severityWord(g.Severity), fmt.Sprintf(" %s %s", g.Code, enumerate(g.objects, w.Wide)))
	w.Nested(func() {
		w.Line(g.Message)
		if hint && g.Hint != "" {
			w.Line("hint: " + g.Hint)
		}
	})
}

// countObjects counts the objects and names a few of them.
func countObjects(objects []string) string {
	noun := ""
	var names []string
	for _, object := range objects {
		kind, name := KindOf(object)
		switch {
		case kind == "":
			noun = "object"
		case noun == "":
			noun = kind
		case noun != kind:
			noun = "object"
		}
		names = append(names, name)
	}
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	return fmt.Sprintf("%s (%s); details with -o wide", text.Count(len(names), nounOf(noun)), text.Bounded(names, namedObjects))
}

// nounOf returns the readable name of a kind. Kinds that users author keep the
// name that manifests use.
func nounOf(kind string) string {
	switch kind {
	case "Mesh", "Workload", "Destination":
		return strings.ToLower(kind)
	default:
		return kind
	}
}

// KindOf splits the object of a finding into its kind and name. For a place in
// the input the kind is empty.
func KindOf(object string) (kind, name string) {
	kind, name, _ = strings.Cut(object, "/")
	switch kind {
	case "Mesh", "Workload", "Destination", "VirtualMesh", "TrafficPolicy", "AccessPolicy":
		return kind, name
	default: // file paths contain slashes, too
		return "", object
	}
}

package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// namedObjects is how many objects a line about several findings names.
const namedObjects = 3

// writeFindings writes findings in full, except that those which only inform are
// counted in one line for each code: below a table, and below full descriptions
// if there are several. -o wide has all of them in full.
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

// findingGroup is what is found in the same words about several objects.
type findingGroup struct {
	Finding
	objects []string
}

// groupFindings keeps the order in which something is found first.
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

// write writes a finding; the hint is left to the next one if both have the same.
func (g findingGroup) write(w *view.Text, hint bool) {
	w.Marked(severityWord(g.Severity), fmt.Sprintf(" %s %s", g.Code, enumerate(g.objects, w.Wide)))
	w.Nested(func() {
		w.Line(g.Message)
		if hint && g.Hint != "" {
			w.Line("hint: " + g.Hint)
		}
	})
}

// countObjects counts the objects of findings and names a few of them.
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

// nounOf is what people call a kind; authored kinds are called what manifests
// call them.
func nounOf(kind string) string {
	switch kind {
	case "Mesh", "Workload", "Destination":
		return strings.ToLower(kind)
	default:
		return kind
	}
}

// KindOf splits the object of a finding into its kind and its name; the kind of
// a place in the input is empty.
func KindOf(object string) (kind, name string) {
	kind, name, _ = strings.Cut(object, "/")
	switch kind {
	case "Mesh", "Workload", "Destination", "VirtualMesh", "TrafficPolicy", "AccessPolicy":
		return kind, name
	default: // a path of a file has slashes, too
		return "", object
	}
}

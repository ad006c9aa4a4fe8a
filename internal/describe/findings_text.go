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
	w.Section("Findings", len(findings) == 0, func() {
		for _, f := range findings {
			objects, counted := byCode[f.Code]
			switch {
			case f.Severity != finding.SeverityInfo, w.Wide, detailed && len(objects) == 1:
				writeFinding(w, f)
			case counted:
				delete(byCode, f.Code)
				w.Marked(severityWord(f.Severity), fmt.Sprintf(" %s %s: %s", f.Code, f.Code.Entry().Title, countObjects(objects)))
			}
		}
	})
}

func writeFinding(w *view.Text, f Finding) {
	w.Marked(severityWord(f.Severity), fmt.Sprintf(" %s %s", f.Code, f.Object))
	w.Nested(func() {
		w.Linef("%s", f.Message)
		if f.Hint != "" {
			w.Linef("hint: %s", f.Hint)
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

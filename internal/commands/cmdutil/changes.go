package cmdutil

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// AnnouncedChanges is from how many changes on one is told to wait.
const AnnouncedChanges = 100

// OutcomesText says how often there was which outcome.
func OutcomesText(count map[kube.Outcome]int) string {
	var parts []string
	for _, outcome := range []kube.Outcome{
		kube.Created, kube.Configured, kube.Deleted, kube.Kept, kube.Conflict, kube.Failed, kube.Cancelled, kube.Unchanged,
	} {
		if count[outcome] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[outcome], outcome))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// ChangeSign is what stands before an object or a field that changes.
func ChangeSign(kind kube.ChangeKind) string {
	switch kind {
	case kube.ChangeAdd:
		return "+"
	case kube.ChangeModify:
		return "~"
	case kube.ChangeRemove:
		return "-"
	case kube.ChangeNone, kube.ChangeLeave, kube.ChangeRefuse:
	}
	return ""
}

// FieldsText names the fields that change, within bounds.
func FieldsText(fields []kube.FieldChange) string {
	const shown = 4
	var paths []string
	for _, field := range fields {
		if strings.HasPrefix(field.Path, "spec") {
			paths = append(paths, ChangeSign(field.Kind)+field.Path)
		}
	}
	if len(paths) == 0 && len(fields) > 0 {
		return "labels or annotations only" // which nobody needs to read beside others
	}
	return text.Bounded(paths, shown)
}

// ShownChanges bounds the objects of one cluster that a plan lists.
const ShownChanges = 20

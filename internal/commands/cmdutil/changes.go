package cmdutil

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// AnnouncedChanges is the number of changes above which progress messages announce a cluster.
const AnnouncedChanges = 100

// OutcomesText returns the number of objects by outcome, such as "3 created, 1 failed".
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

// ChangeSign returns the sign shown before a changed object or field.
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

// FieldsText lists the first few of the changed fields.
func FieldsText(fields []kube.FieldChange) string {
	const shown = 4
	var paths []string
	for _, field := range fields {
		if strings.HasPrefix(field.Path, "spec") {
			paths = append(paths, ChangeSign(field.Kind)+field.Path)
		}
	}
	if len(paths) == 0 && len(fields) > 0 {
		return "labels or annotations only" // not mentioned if the spec changes too
	}
	return text.Bounded(paths, shown)
}

// ShownChanges is the maximum number of objects per cluster that a plan lists.
const ShownChanges = 20

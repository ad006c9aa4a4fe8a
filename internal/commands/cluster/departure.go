package cluster

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// planLines describes what a deregistration deletes, what remains on the cluster, and how to
// remove that.
func planLines(plan *registration.DeregistrationPlan, management string) []string {
	lines := []string{
		fmt.Sprintf("Deregistering cluster %s:", plan.Cluster),
		fmt.Sprintf("  Deleted on %s: meshctl's service account with its token and permissions", plan.Cluster),
		fmt.Sprintf("  Deleted on %s: the registration and %s", management, text.Count(plan.Discovered, "discovered object")),
	}
	left := plan.AppliedLeftover()
	if left == nil {
		return lines
	}
	kept := fmt.Sprintf("  Kept on %s: %s", plan.Cluster, left.Object)
	if _, protecting := plan.AppliedCount(); protecting > 0 {
		kept += fmt.Sprintf("; %d of them %s denying calls or enforcing TLS", protecting, text.Choose(protecting, "keeps", "keep"))
	}
	lines = append(lines, kept)
	if plan.AppliedErr != nil {
		lines = append(lines, fmt.Sprintf("    Cannot list it: %v", plan.AppliedErr))
	}
	if left.Command != "" {
		return append(lines, "    To remove them afterwards:", "    "+left.Command)
	}
	return append(lines, "    To remove them afterwards, "+left.Advice+", or pass --remote-context to get the command")
}

// shownNames limits the names in a line.
const shownNames = 5

// departureLines describes what changes for the other clusters.
func departureLines(d *compare.Departure, cluster string) []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, "  "+fmt.Sprintf(format, args...)) }
	for i := range d.VirtualMeshes {
		s := &d.VirtualMeshes[i]
		lost := text.Named("mesh", refNames(s.Lost))
		if len(s.Left) == 0 {
			add("%s loses its last %s and no longer has any effect", objectName(s.VirtualMesh), lost)
			continue
		}
		keep := "its TLS enforcement, access default and federation"
		if s.Trust == policy.TrustShared {
			keep = "its trust, TLS enforcement, access default and federation"
		}
		add("%s loses %s and is INVALID until you remove it from spec.meshes; %s %s %s",
			objectName(s.VirtualMesh), lost, text.Named("mesh", refNames(s.Left)), text.Choose(len(s.Left), "keeps", "keep"), keep)
	}
	if d.Federated > 0 {
		add("No longer reachable from other meshes: %s of %s", text.Count(d.Federated, "federated Service"), cluster)
	}
	if len(d.Unresolved) > 0 {
		add("References to %s become invalid in: %s", cluster, objectNames(d.Unresolved))
	}
	if len(d.Idle) > 0 {
		add("No longer effective on any Service: %s", objectNames(d.Idle))
	}
	return lines
}

func objectName(id world.ObjectID) string { return id.Kind + " " + id.Name + "." + id.Namespace }

func objectNames(ids []world.ObjectID) string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = objectName(id)
	}
	return text.Bounded(names, shownNames)
}

func refNames(refs []core.ObjectRef) []string {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = strings.Join([]string{ref.Name, ref.Namespace}, ".")
	}
	return names
}

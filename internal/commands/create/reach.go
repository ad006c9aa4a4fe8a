package create

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// limitReach takes its effect from the resource if its namespace does not count, and
// says what to do.
func (o *options[I, O]) limitReach(a *authored[I, O], joins *world.Objects) []impact.Line {
	namespace := a.resource.GetNamespace()
	if a.home == "" || namespace == a.home || slices.Contains(a.listed, namespace) {
		return nil
	}
	line := impact.Line{Severity: finding.SeverityWarning}
	if a.reachErr != nil {
		line.Text = fmt.Sprintf("not known whether resources in namespace %s have an effect: %s (%s)", namespace, a.reachErr, finding.CodeIgnoredNamespace)
		return []impact.Line{line}
	}
	load.ApplyNamespaceRules(joins, a.home, a.listed)
	listed := append(slices.Clone(a.listed), namespace)
	slices.Sort(listed)
	line.Text = fmt.Sprintf("resources in namespace %s have no effect (%s): create the %s in namespace %s, or ask an administrator to run 'meshctl install --policy-namespaces %s'",
		namespace, finding.CodeIgnoredNamespace, o.kind.Noun, a.home, strings.Join(listed, ","))
	return []impact.Line{line}
}

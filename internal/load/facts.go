package load

import (
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// factsPath is where a discovered resource has the facts that meshctl adds.
const factsPath = "spec.meshctl"

// checkFacts removes facts that the schema rejects: what another tool wrote there is
// not known, and no reason to leave out the resource (D46). The report is
// that of the whole object. It returns the report about the rest, and the violations
// of the facts.
func checkFacts(
	c checker, gvk schema.GroupVersionKind, object map[string]any, report validation.Report,
) (rest validation.Report, ignored []validation.FieldError, err error) {
	rest = report
	for {
		var wrong []validation.FieldError
		for _, e := range rest.Errors {
			if e.Path == factsPath || strings.HasPrefix(e.Path, factsPath+".") {
				wrong = append(wrong, e)
			}
		}
		if len(wrong) == 0 {
			return rest, ignored, nil
		}
		ignored = append(ignored, wrong...)
		for _, e := range wrong {
			removeFact(object, e.Path)
		}
		// Removing a fact may uncover a rule that was not evaluated before.
		if rest, err = c.Check(gvk, object); err != nil {
			return rest, ignored, err
		}
		rest.Unknown = report.Unknown
	}
}

// removeFact removes the fact that a path leads to or into, or all facts if the path
// leads to none.
func removeFact(object map[string]any, path string) {
	spec, _ := object["spec"].(map[string]any)
	facts, _ := spec["meshctl"].(map[string]any)
	name := strings.TrimPrefix(strings.TrimPrefix(path, factsPath), ".")
	if end := strings.IndexAny(name, ".["); end >= 0 {
		name = name[:end]
	}
	if _, found := facts[name]; found {
		delete(facts, name)
	} else {
		delete(spec, "meshctl")
	}
}

// ignoredFact is the problem that a fact of a resource cannot be used.
func ignoredFact(origin world.Origin, object, message string) world.Problem {
	return world.Problem{
		Kind: world.IgnoredFact, Origin: origin, Object: object, Message: "a fact is ignored: " + message,
		Hint: "the fact counts as not known; run 'meshctl discover' to write it anew",
	}
}

package selector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
)

func checkWildcards(at string, values []string) []finding.Problem {
	var problems []finding.Problem
	for _, v := range values {
		if strings.Contains(v, "*") {
			problems = append(problems, finding.Problem{
				Code:    finding.CodeWildcard,
				Message: fmt.Sprintf("%s: wildcards are not supported: %q", at, v),
			})
		}
	}
	return problems
}

func checkLabelWildcards(at string, labels map[string]string) []finding.Problem {
	var problems []finding.Problem
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		problems = append(problems, checkWildcards(at+"."+k, []string{k, labels[k]})...)
	}
	return problems
}

package remark

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/policy/operation"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// AboutAccess returns remarks about an AccessPolicy.
func AboutAccess(spec *networkingv1.AccessPolicySpec) []finding.Problem {
	var r remarks
	for i, path := range spec.AllowedPaths {
		at := fmt.Sprintf("spec.allowedPaths[%d]", i)
		if reason := operation.NeverHasPath(path); reason != "" {
			r.add(finding.CodeNeverAllows, "%s: %q allows no request, because %s", at, path, reason)
		} else if prefix, pattern := strings.CutSuffix(path, ".*"); pattern {
			r.add(finding.CodeNeverAllows, "%s: %q is not a regular expression, and allows only paths that start with %q", at, path, prefix+".")
		}
	}
	for i, method := range spec.AllowedMethods {
		if reason := operation.NeverHasMethod(method); reason != "" {
			r.add(finding.CodeNeverAllows, "spec.allowedMethods[%d]: %q allows no request, because %s", i, method, reason)
		}
	}
	return r
}

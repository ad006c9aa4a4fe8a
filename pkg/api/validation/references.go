package validation

import "strings"

// The messages about a field that must be set.
const (
	missing = "is required"
	empty   = "must not be empty"
)

// combineReferences reports all that is missing in one reference together, as an
// empty reference is one mistake. The errors must be sorted by path.
func combineReferences(errs []FieldError) []FieldError {
	var combined []FieldError
	for i := 0; i < len(errs); {
		reference, fields := incompleteReference(errs[i:])
		if len(fields) < 2 {
			combined = append(combined, errs[i])
			i++
			continue
		}
		combined = append(combined, FieldError{Path: reference, Message: "incomplete reference: • " + strings.Join(fields, " • ")})
		i += len(fields)
	}
	return combined
}

// incompleteReference returns the path of the reference that the first error is
// about, and what its errors say.
func incompleteReference(errs []FieldError) (reference string, fields []string) {
	for _, e := range errs {
		end := strings.LastIndexByte(e.Path, '.')
		if end < 0 || (e.Message != missing && e.Message != empty) || (len(fields) > 0 && e.Path[:end] != reference) {
			break
		}
		field := e.Path[end+1:]
		if field != "name" && field != "namespace" && field != "clusterName" {
			break
		}
		reference, fields = e.Path[:end], append(fields, field+" "+e.Message)
	}
	return reference, fields
}

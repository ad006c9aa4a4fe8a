package validation

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// readable converts an API server's error into a path and a readable message. The
// path of the whole object is empty.
func readable(e *field.Error) FieldError {
	return FieldError{Path: strings.TrimPrefix(strings.TrimPrefix(e.Field, "<nil>"), "."), Message: message(e)}
}

func message(e *field.Error) string {
	switch e.Type {
	case field.ErrorTypeRequired:
		return missing
	case field.ErrorTypeNotSupported:
		supported := strings.ReplaceAll(strings.TrimPrefix(e.Detail, "supported values: "), `"`, "")
		return fmt.Sprintf("%q must be one of: %s", fmt.Sprint(e.BadValue), supported)
	case field.ErrorTypeTooMany, field.ErrorTypeTooFew:
		return e.ErrorBody()
	case field.ErrorTypeTypeInvalid, field.ErrorTypeInvalid, field.ErrorTypeTooLong, field.ErrorTypeTooShort,
		field.ErrorTypeNotFound, field.ErrorTypeDuplicate, field.ErrorTypeForbidden, field.ErrorTypeInternal:
	}
	return reword(e)
}

// reword replaces phrases of the schema validator about request bodies and
// regular expressions.
func reword(e *field.Error) string {
	detail := e.Detail
	if _, after, ok := strings.Cut(detail, " in body "); ok {
		detail = after
	}
	switch {
	case detail == "should be at least 1 chars long":
		return empty
	case strings.HasPrefix(detail, "should be "), strings.HasPrefix(detail, "should have "):
		detail = "must " + strings.TrimPrefix(detail, "should ")
		return fmt.Sprintf("%s, not %v", detail, e.BadValue)
	case strings.HasPrefix(detail, "Checked value must be "):
		// The name of the field follows, but the path already contains it.
		detail, _, _ = strings.Cut(strings.TrimPrefix(detail, "Checked value "), " in ")
		return detail
	case strings.HasPrefix(detail, "must be of type "):
		// The validator's format is WANTED: "GOT".
		wanted, got, ok := strings.Cut(detail, ": ")
		if !ok {
			return wanted
		}
		return fmt.Sprintf("%s, not %s", wanted, strings.Trim(got, `"`))
	case detail == "":
		return e.ErrorBody()
	default:
		return detail
	}
}

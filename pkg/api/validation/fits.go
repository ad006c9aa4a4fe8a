package validation

import (
	"math"
	"reflect"
	"slices"
	"unicode/utf8"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
)

// fits reports whether a value certainly satisfies the OpenAPI part of a schema.
// The API server's validator gives the same result with reasons, but is many
// times slower, and nearly all objects are valid. Therefore it is only used for
// objects that do not fit, and for schemas with constraints that fits does not
// support.
func fits(value any, s *structuralschema.Structural) bool {
	limits := s.ValueValidation
	if limits == nil {
		limits = &structuralschema.ValueValidation{}
	}
	if !simple(limits) || s.XIntOrString || s.XEmbeddedResource {
		return false
	}
	if s.Type == "" {
		// A field with preserved unknown fields accepts every value, unless the
		// schema has constraints.
		return s.XPreserveUnknownFields && value != nil && reflect.DeepEqual(*limits, structuralschema.ValueValidation{})
	}
	switch value := value.(type) {
	case map[string]any:
		return s.Type == "object" && fieldsFit(value, s, limits.Required)
	case []any:
		return s.Type == "array" && itemsFit(value, s, limits)
	case string:
		return s.Type == "string" && textFits(value, limits)
	case bool:
		return s.Type == "boolean"
	case int64:
		return (s.Type == "integer" || s.Type == "number") && numberFits(float64(value), limits)
	case float64:
		return s.Type == "number" && numberFits(value, limits)
	default:
		return false
	}
}

// simple reports whether a schema only has constraints that fits supports.
func simple(v *structuralschema.ValueValidation) bool {
	return v.Pattern == "" && v.MultipleOf == nil && v.MinProperties == nil && v.MaxProperties == nil &&
		!v.UniqueItems && !v.ExclusiveMinimum && !v.ExclusiveMaximum && v.Not == nil &&
		len(v.AllOf) == 0 && len(v.AnyOf) == 0 && len(v.OneOf) == 0 &&
		slices.Contains([]string{"", "int32", "int64", "double"}, v.Format)
}

func fieldsFit(fields map[string]any, s *structuralschema.Structural, required []string) bool {
	for _, name := range required {
		if _, found := fields[name]; !found {
			return false
		}
	}
	for name, value := range fields {
		if property, known := s.Properties[name]; known {
			if !fits(value, &property) {
				return false
			}
			continue
		}
		additional := s.AdditionalProperties
		if additional != nil && (additional.Structural == nil || !fits(value, additional.Structural)) {
			return false
		}
	}
	return true
}

func itemsFit(items []any, s *structuralschema.Structural, limits *structuralschema.ValueValidation) bool {
	size := int64(len(items))
	if s.Items == nil || (limits.MinItems != nil && size < *limits.MinItems) || (limits.MaxItems != nil && size > *limits.MaxItems) {
		return false
	}
	return !slices.ContainsFunc(items, func(item any) bool { return !fits(item, s.Items) })
}

func textFits(text string, limits *structuralschema.ValueValidation) bool {
	if limits.MinLength != nil || limits.MaxLength != nil {
		size := int64(utf8.RuneCountInString(text))
		if (limits.MinLength != nil && size < *limits.MinLength) || (limits.MaxLength != nil && size > *limits.MaxLength) {
			return false
		}
	}
	if limits.Format != "" {
		return false
	}
	return len(limits.Enum) == 0 ||
		slices.ContainsFunc(limits.Enum, func(allowed structuralschema.JSON) bool { return allowed.Object == text })
}

func numberFits(number float64, limits *structuralschema.ValueValidation) bool {
	if len(limits.Enum) > 0 || (limits.Format == "int32" && (number < math.MinInt32 || number > math.MaxInt32)) {
		return false
	}
	return (limits.Minimum == nil || number >= *limits.Minimum) && (limits.Maximum == nil || number <= *limits.Maximum)
}

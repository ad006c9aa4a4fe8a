package validation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// fits must never accept what the API server's validator rejects, and must
// accept what is plainly valid, or nothing is gained. Every node of an object
// with every field is replaced in turn.
func TestFitsAgreesWithTheAPIServer(t *testing.T) {
	replacements := []any{
		"",
		"a",
		"10s",
		strings.Repeat("é", 300),
		int64(0),
		int64(-1),
		int64(70000),
		int64(1) << 40,
		0.5,
		true,
		nil,
		map[string]any{},
		[]any{},
		[]any{map[string]any{}},
		slices.Repeat([]any{map[string]any{}}, 65),
	}
	v := New()
	v.load.Do(v.loadKinds)
	if v.loadErr != nil {
		t.Fatal(v.loadErr)
	}
	for gvk, kind := range v.kinds {
		if err := kind.compiled(); err != nil {
			t.Fatal(err)
		}
		server := serverValidator(t, kind)
		full := example(kind.structural)
		if !fits(full, kind.structural) {
			t.Errorf("%s: a valid object does not fit", gvk.Kind)
		}
		refused := 0
		eachReplaced(full, replacements, func(at string, replacement any) {
			if !fits(full, kind.structural) {
				refused++
				return
			}
			if errs := schemavalidation.ValidateCustomResource(nil, full, server); len(errs) > 0 {
				t.Errorf("%s: fits with %s = %.40q, but: %v", gvk.Kind, at, fmt.Sprint(replacement), errs)
			}
		})
		if refused == 0 {
			t.Errorf("%s: every replacement fits", gvk.Kind)
		}
	}
}

// serverValidator returns the API server's validator of a kind.
func serverValidator(t *testing.T, kind *kindSchema) schemavalidation.SchemaValidator {
	t.Helper()
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(kind.source, internal, nil); err != nil {
		t.Fatal(err)
	}
	delete(internal.Properties, "status")
	validator, _, err := schemavalidation.NewSchemaValidator(internal)
	if err != nil {
		t.Fatal(err)
	}
	return validator
}

// TestViolationsAreThoseOfTheServer replaces every node of an object in every
// way: asking level by level must find what asking about all of it finds.
func TestViolationsAreThoseOfTheServer(t *testing.T) {
	t.Parallel()
	v := New()
	v.load.Do(v.loadKinds)
	if v.loadErr != nil {
		t.Fatal(v.loadErr)
	}
	said := func(errs field.ErrorList) []FieldError {
		var all []FieldError
		for _, e := range errs {
			said := readable(e)
			// Of these, the server says only in the text where they are.
			if _, at, found := strings.Cut(e.Detail, " with format int32 in "); found && said.Path == "" {
				said.Path = at
			}
			all = append(all, said)
		}
		return sortErrors(all)
	}
	replacements := []any{"no such thing", int64(-1), 0.5, true, map[string]any{"key": int64(1)}, []any{int64(1), "x"}}
	for gvk, kind := range v.kinds {
		if err := kind.compiled(); err != nil {
			t.Fatal(err)
		}
		server := serverValidator(t, kind)
		full := example(kind.structural)
		eachReplaced(full, replacements, func(at string, replacement any) {
			if fits(full, kind.structural) {
				return // there is nothing to say, by TestFitsAgreesWithTheAPIServer
			}
			want := said(schemavalidation.ValidateCustomResource(nil, full, server))
			if diff := cmp.Diff(want, said(kind.root.violations(nil, full))); diff != "" {
				t.Errorf("%s with %s = %.40q (-server +meshctl):\n%s", gvk.Kind, at, fmt.Sprint(replacement), diff)
			}
		})
	}
}

// example returns a value with every field of the schema but bytes, which fits
// leaves to the API server's validator.
func example(s *structuralschema.Structural) any {
	switch s.Type {
	case "object":
		fields := map[string]any{}
		for name, property := range s.Properties {
			if property.ValueValidation == nil || property.ValueValidation.Format != "byte" {
				fields[name] = example(&property)
			}
		}
		if s.AdditionalProperties != nil {
			fields["key"] = example(s.AdditionalProperties.Structural)
		}
		return fields
	case "array":
		return []any{example(s.Items)}
	case "string":
		if s.ValueValidation != nil && len(s.ValueValidation.Enum) > 0 {
			return s.ValueValidation.Enum[0].Object
		}
		return "10s"
	case "boolean":
		return true
	case "integer":
		if s.ValueValidation != nil && s.ValueValidation.Minimum != nil {
			return int64(*s.ValueValidation.Minimum)
		}
		return int64(1)
	case "number":
		return 0.5
	default:
		return map[string]any{"anything": nil}
	}
}

// eachReplaced calls visit once for every node of the value and every
// replacement, while the node is replaced.
func eachReplaced(value any, replacements []any, visit func(at string, replacement any)) {
	switch value := value.(type) {
	case map[string]any:
		for name, child := range value {
			for _, replacement := range replacements {
				value[name] = replacement
				visit(name, replacement)
			}
			delete(value, name)
			visit(name, "(absent)")
			value[name] = child
			eachReplaced(child, replacements, func(at string, replacement any) { visit(name+"."+at, replacement) })
		}
	case []any:
		for i, child := range value {
			for _, replacement := range replacements {
				value[i] = replacement
				visit("[]", replacement)
			}
			value[i] = child
			eachReplaced(child, replacements, func(at string, replacement any) { visit("[]."+at, replacement) })
		}
	}
}

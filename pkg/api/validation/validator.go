// Package validation validates resources against the embedded CRDs like an API
// server, but without one: structural schema, CEL rules and unknown fields.
package validation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/meshctl/meshctl/pkg/api/crds"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Validator checks objects against the embedded CRDs. It is safe for concurrent
// use; the schema of a kind is compiled on first use.
type Validator struct {
	load    sync.Once
	loadErr error
	kinds   map[schema.GroupVersionKind]*kindSchema
}

// New returns a Validator. Schemas are loaded on first use.
func New() *Validator { return &Validator{} }

// Report is the result of validating one object. Both lists are sorted by path,
// then by message.
type Report struct {
	// Unknown lists the fields that are not in the schema.
	Unknown []UnknownField
	// Errors lists the violations; an API server would reject an object with any.
	Errors []FieldError
}

// UnknownField is a field that is not in the schema.
type UnknownField struct {
	// Path is the path of the field, such as spec.policy.retrys.
	Path string
	// Suggestion is the probable correction: the most similar sibling, or the
	// full path of a field with this name elsewhere; empty if there is none.
	Suggestion string
	// LeavesEmpty is true if the object that contained the field is now empty.
	// That matters where an empty object has a meaning, as in selectors.
	LeavesEmpty bool
}

// FieldError is one violation.
type FieldError struct{ Path, Message string }

// String returns the path with the message; the whole object has no path.
func (e FieldError) String() string {
	if e.Path == "" {
		return e.Message
	}
	return e.Path + ": " + e.Message
}

// Check prunes nulls like an API server, removes the unknown fields from the
// object and reports them, and validates the rest. The status is ignored, because
// controllers write it and users cannot correct it. It returns an error for a
// kind without a CRD.
func (v *Validator) Check(gvk schema.GroupVersionKind, object map[string]any) (Report, error) {
	v.load.Do(v.loadKinds)
	if v.loadErr != nil {
		return Report{}, v.loadErr
	}
	kind, known := v.kinds[gvk]
	if !known {
		return Report{}, fmt.Errorf("there is no schema for %s", gvk)
	}
	if err := kind.compiled(); err != nil {
		return Report{}, err
	}
	return kind.check(object), nil
}

func (v *Validator) loadKinds() {
	all, err := crds.All()
	if err != nil {
		v.loadErr = err
		return
	}
	v.kinds = map[schema.GroupVersionKind]*kindSchema{}
	for _, crd := range all {
		for _, version := range crd.Spec.Versions {
			gvk := schema.GroupVersionKind{Group: crd.Spec.Group, Version: version.Name, Kind: crd.Spec.Names.Kind}
			v.kinds[gvk] = &kindSchema{gvk: gvk, source: version.Schema.OpenAPIV3Schema}
		}
	}
}

// kindSchema is the schema of one kind in the forms that the checks need.
type kindSchema struct {
	gvk    schema.GroupVersionKind
	source *apiextensionsv1.JSONSchemaProps

	compile    sync.Once
	compileErr error
	structural *structuralschema.Structural
	// fields is structural plus the fields of metadata.
	fields structuralschema.Structural
	root   *schemaNode
	rules  *cel.Validator
	// paths lists the paths of fields by name.
	paths map[string][]string
}

func (k *kindSchema) compiled() error {
	k.compile.Do(func() {
		if err := k.doCompile(); err != nil {
			k.compileErr = fmt.Errorf("compile the schema of %s: %w", k.gvk.Kind, err)
		}
	})
	return k.compileErr
}

func (k *kindSchema) doCompile() error {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(k.source, internal, nil); err != nil {
		return err
	}
	delete(internal.Properties, "status")
	structural, err := structuralschema.NewStructural(internal)
	if err != nil {
		return err
	}
	k.structural = structural
	k.root = newSchemaNode(internal, structural)
	k.rules = cel.NewValidator(structural, true, celconfig.PerCallLimit)
	k.paths = map[string][]string{}
	collectPaths("", structural, k.paths)
	k.fields = *structural
	k.fields.Properties = maps.Clone(structural.Properties)
	k.fields.Properties["metadata"] = metadataSchema()
	return nil
}

func (k *kindSchema) check(object map[string]any) Report {
	status, hasStatus := object["status"]
	delete(object, "status")
	defer func() {
		if hasStatus {
			object["status"] = status
		}
	}()
	defaulting.PruneNonNullableNullsWithoutDefaults(object, k.structural)
	report := Report{Unknown: k.removeUnknown(object)}

	errs := k.root.violations(nil, object)
	if k.rules != nil && !slices.ContainsFunc(errs, hidesRules) {
		ruleErrs, _ := k.rules.Validate(context.Background(), nil, k.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, ruleErrs...)
	}
	errs = append(errs, checkMetadata(object)...)
	if k.gvk.Group == discoveryv1.GroupName {
		errs = append(errs, checkReferences(field.NewPath("spec"), object["spec"])...)
	}
	mistyped := map[string]bool{}
	for _, e := range errs {
		if e.Type == field.ErrorTypeTypeInvalid {
			mistyped[e.Field] = true
		}
	}
	for _, e := range errs {
		if e.Type == field.ErrorTypeNotSupported && mistyped[e.Field] {
			continue // a consequence of the wrong type, which is already reported
		}
		report.Errors = append(report.Errors, readable(e))
	}
	report.Errors = combineReferences(sortErrors(report.Errors))
	return report
}

// hidesRules reports whether an object with this error has a shape for which an
// API server does not evaluate CEL rules.
func hidesRules(e *field.Error) bool {
	switch e.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany,
		field.ErrorTypeTypeInvalid:
		return true
	default:
		return false
	}
}

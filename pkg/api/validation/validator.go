// Package validation checks resources against the embedded CRDs the way an API
// server would, without one: structural schema, CEL rules and unknown fields.
package validation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/meshctl/meshctl/pkg/api/crds"
)

// Validator checks objects against the embedded CRDs. It is safe for concurrent
// use; the schema of a kind is compiled when it is first needed.
type Validator struct {
	load    sync.Once
	loadErr error
	kinds   map[schema.GroupVersionKind]*kindSchema
}

// New returns a Validator. It reads nothing yet.
func New() *Validator { return &Validator{} }

// Report is what the schema says about one object. Both lists are sorted by
// path, then by message.
type Report struct {
	// Unknown lists the fields that the kind does not have.
	Unknown []UnknownField
	// Errors lists the violations; an object with any would be rejected.
	Errors []FieldError
}

// UnknownField is a field that the kind does not have.
type UnknownField struct {
	// Path is the path of the field, such as spec.policy.retrys.
	Path string
	// Suggestion is the field that was probably meant: the nearest name beside
	// it, or the full path where a field of this name exists; empty if there is
	// none.
	Suggestion string
}

// FieldError is one violation.
type FieldError struct{ Path, Message string }

// Check prunes nulls the way an API server does, removes the unknown fields
// from the object and reports them, and validates the rest. The status is not
// looked at: it is written by controllers, and no user can correct it. The
// error is for a kind without a CRD.
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

// kindSchema is the schema of one kind in its forms for the several checks.
type kindSchema struct {
	gvk    schema.GroupVersionKind
	source *apiextensionsv1.JSONSchemaProps

	compile    sync.Once
	compileErr error
	structural *structuralschema.Structural
	openAPI    schemavalidation.SchemaValidator
	rules      *cel.Validator
	paths      map[string][]string
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
	openAPI, _, err := schemavalidation.NewSchemaValidator(internal)
	if err != nil {
		return err
	}
	k.structural, k.openAPI = structural, openAPI
	k.rules = cel.NewValidator(structural, true, celconfig.PerCallLimit)
	k.paths = map[string][]string{}
	collectPaths("", structural, k.paths)
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

	errs := checkName(object)
	errs = append(errs, schemavalidation.ValidateCustomResource(nil, object, k.openAPI)...)
	if len(errs) == 0 && k.rules != nil {
		// Like an API server, evaluate rules only on objects of the right shape:
		// they may rely on it.
		ruleErrs, _ := k.rules.Validate(context.Background(), nil, k.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, ruleErrs...)
	}
	for _, e := range errs {
		report.Errors = append(report.Errors, readable(e))
	}
	slices.SortFunc(report.Errors, func(a, b FieldError) int {
		return strings.Compare(a.Path+"\x00"+a.Message, b.Path+"\x00"+b.Message)
	})
	report.Errors = slices.Compact(report.Errors)
	return report
}

func checkName(object map[string]any) field.ErrorList {
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		return nil
	}
	var errs field.ErrorList
	for name, check := range map[string]apivalidation.ValidateNameFunc{
		"name": apivalidation.NameIsDNSSubdomain, "namespace": apivalidation.ValidateNamespaceName,
	} {
		if value, ok := metadata[name].(string); ok && value != "" {
			for _, message := range check(value, false) {
				errs = append(errs, field.Invalid(field.NewPath("metadata", name), value, message))
			}
		}
	}
	return errs
}

package validation

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemavalidation "k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// schemaNode is one level of a schema with its children.
//
// The API server's validator compares every violation with all others, which
// takes quadratic time for values with many of them. Therefore it only validates
// one level at a time here, and violations visits the children.
type schemaNode struct {
	structural *structuralschema.Structural
	// level returns the validator of a value without its children. It is built on
	// first use, as most levels never have a violation.
	level func() (schemavalidation.SchemaValidator, error)

	properties        map[string]*schemaNode
	additional, items *schemaNode
}

// newSchemaNode builds the tree from a schema given in both of its forms.
func newSchemaNode(props *apiextensions.JSONSchemaProps, structural *structuralschema.Structural) *schemaNode {
	node := &schemaNode{structural: structural}
	level := *props
	if isSimpleContainer(structural) {
		level.Properties, level.AdditionalProperties, level.Items = nil, nil, nil
		node.addBelow(props)
	}
	node.level = sync.OnceValues(func() (schemavalidation.SchemaValidator, error) {
		validator, _, err := schemavalidation.NewSchemaValidator(&level)
		return validator, err
	})
	return node
}

// isSimpleContainer reports whether the children of a value can be validated
// independently of it.
func isSimpleContainer(s *structuralschema.Structural) bool {
	return (s.Type == "object" || s.Type == "array") && (s.ValueValidation == nil || simple(s.ValueValidation)) &&
		!s.XIntOrString && !s.XEmbeddedResource
}

func (n *schemaNode) addBelow(props *apiextensions.JSONSchemaProps) {
	n.properties = map[string]*schemaNode{}
	for name, property := range n.structural.Properties {
		child := props.Properties[name]
		n.properties[name] = newSchemaNode(&child, &property)
	}
	if additional := n.structural.AdditionalProperties; additional != nil && additional.Structural != nil && props.AdditionalProperties != nil {
		n.additional = newSchemaNode(props.AdditionalProperties.Schema, additional.Structural)
	}
	if n.structural.Items != nil && props.Items != nil {
		n.items = newSchemaNode(props.Items.Schema, n.structural.Items)
	}
}

// violations returns the violations of the OpenAPI part of the schema.
func (n *schemaNode) violations(path *field.Path, value any) field.ErrorList {
	if fits(value, n.structural) {
		return nil
	}
	level, err := n.level()
	if err != nil {
		return field.ErrorList{field.InternalError(path, err)}
	}
	errs := schemavalidation.ValidateCustomResource(path, value, level)
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			child := n.properties[name]
			if child == nil {
				child = n.additional
			}
			if child != nil {
				errs = append(errs, child.violations(childPath(path, name), value[name])...)
			}
		}
	case []any:
		if n.items != nil {
			for i, item := range value {
				errs = append(errs, n.items.violations(path.Index(i), item)...)
			}
		}
	}
	return errs
}

// childPath is path.Child for a path that may be the root.
func childPath(path *field.Path, name string) *field.Path {
	if path == nil {
		return field.NewPath(name)
	}
	return path.Child(name)
}

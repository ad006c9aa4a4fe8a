package validation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// removeUnknown deletes every field that is not in the schema and returns these
// fields sorted by path.
func (k *kindSchema) removeUnknown(object map[string]any) []UnknownField {
	var unknown []UnknownField
	k.walk("", object, &k.fields, &unknown)
	slices.SortFunc(unknown, func(a, b UnknownField) int { return strings.Compare(a.Path, b.Path) })
	return unknown
}

func (k *kindSchema) walk(path string, value any, s *structuralschema.Structural, unknown *[]UnknownField) {
	if s == nil || s.XPreserveUnknownFields {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		first, size := len(*unknown), len(value)
		for name, child := range value {
			at := strings.TrimPrefix(path+"."+name, ".")
			property, known := s.Properties[name]
			switch {
			case known:
				k.walk(at, child, &property, unknown)
			case s.AdditionalProperties != nil:
				k.walk(at, child, s.AdditionalProperties.Structural, unknown)
			default:
				*unknown = append(*unknown, UnknownField{Path: at, Suggestion: k.suggest(name, s)})
				delete(value, name)
			}
		}
		if size > 0 && len(value) == 0 {
			for i := first; i < len(*unknown); i++ {
				(*unknown)[i].LeavesEmpty = true
			}
		}
	case []any:
		for i, child := range value {
			k.walk(fmt.Sprintf("%s[%d]", path, i), child, s.Items, unknown)
		}
	}
}

// suggest returns the probable correction of an unknown field name: the most
// similar sibling, else the path of a field with this name.
func (k *kindSchema) suggest(name string, parent *structuralschema.Structural) string {
	var siblings []string
	for sibling := range parent.Properties {
		siblings = append(siblings, sibling)
	}
	if near := spelling.Nearest(name, siblings); near != "" {
		return near
	}
	if len(siblings) == 1 {
		return siblings[0]
	}
	// Fields at the wrong level are as common as misspelt ones. If several levels
	// have the field, the outermost is suggested.
	paths := slices.Clone(k.paths[name])
	slices.SortFunc(paths, func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "."), strings.Count(b, ".")), strings.Compare(a, b))
	})
	if len(paths) == 0 {
		return ""
	}
	return paths[0]
}

// collectPaths indexes every property of a schema by its name.
func collectPaths(path string, s *structuralschema.Structural, paths map[string][]string) {
	if s == nil {
		return
	}
	for name, property := range s.Properties {
		at := strings.TrimPrefix(path+"."+name, ".")
		if at == "metadata" {
			continue
		}
		paths[name] = append(paths[name], at)
		collectPaths(at, &property, paths)
	}
	collectPaths(path+"[]", s.Items, paths)
}

package validation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// metadataSchema returns the names of the metadata fields, which are not part of
// a CRD.
func metadataSchema() structuralschema.Structural {
	names := []string{
		"annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers",
		"generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences",
		"resourceVersion", "selfLink", "uid",
	}
	metadata := structuralschema.Structural{Properties: map[string]structuralschema.Structural{}}
	for _, name := range names {
		metadata.Properties[name] = structuralschema.Structural{
			Extensions: structuralschema.Extensions{XPreserveUnknownFields: true},
		}
	}
	return metadata
}

// checkMetadata validates the metadata fields that users write, and ignores those
// that only API servers write.
func checkMetadata(object map[string]any) field.ErrorList {
	path := field.NewPath("metadata")
	metadata, ok := object["metadata"].(map[string]any)
	switch {
	case object["metadata"] == nil:
		return field.ErrorList{field.Required(path.Child("name"), "")}
	case !ok:
		return nil // the schema check reports metadata of another type
	}
	errs := checkName(path.Child("name"), metadata["name"], apivalidation.NameIsDNSSubdomain)
	if name, isText := metadata["name"].(string); metadata["name"] == nil || (isText && name == "") {
		errs = append(errs, field.Required(path.Child("name"), ""))
	}
	errs = append(errs, checkName(path.Child("namespace"), metadata["namespace"], apivalidation.ValidateNamespaceName)...)

	labels, labelErrs := texts(path.Child("labels"), metadata["labels"])
	annotations, annotationErrs := texts(path.Child("annotations"), metadata["annotations"])
	errs = append(append(errs, labelErrs...), annotationErrs...)
	errs = append(errs, metavalidation.ValidateLabels(labels, path.Child("labels"))...)
	errs = append(errs, apivalidation.ValidateAnnotations(annotations, path.Child("annotations"))...)
	return append(errs, checkTime(path.Child("creationTimestamp"), metadata["creationTimestamp"])...)
}

func checkName(path *field.Path, value any, check apivalidation.ValidateNameFunc) field.ErrorList {
	name, ok := value.(string)
	switch {
	case value == nil || (ok && name == ""):
		return nil
	case !ok:
		return field.ErrorList{field.TypeInvalid(path, value, "must be of type string")}
	}
	var errs field.ErrorList
	for _, message := range check(name, false) {
		errs = append(errs, field.Invalid(path, name, message))
	}
	return errs
}

// checkReferences validates the names in references of a discovered object,
// because other objects are named after them.
func checkReferences(path *field.Path, value any) field.ErrorList {
	var errs field.ErrorList
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			at := path.Child(name)
			if reference, ok := value[name].(map[string]any); ok && (name == "ref" || name == "controller") {
				for _, part := range []struct {
					name  string
					check apivalidation.ValidateNameFunc
				}{
					{"name", apivalidation.NameIsDNSSubdomain}, {"namespace", apivalidation.ValidateNamespaceName}, {"clusterName", checkClusterName},
				} {
					if text, isText := reference[part.name].(string); isText {
						errs = append(errs, checkName(at.Child(part.name), text, part.check)...)
					}
				}
				continue
			}
			errs = append(errs, checkReferences(at, value[name])...)
		}
	case []any:
		for i, item := range value {
			errs = append(errs, checkReferences(path.Index(i), item)...)
		}
	}
	return errs
}

// checkClusterName accepts the names of kubeconfig contexts, including cloud
// resource names (arn:aws:eks:...), but no invisible characters.
func checkClusterName(name string, _ bool) []string {
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || unicode.IsSpace(r) }) {
		return []string{"must be printable characters without blanks"}
	}
	return nil
}

// texts returns a map of strings, and an error for each value that is not a
// string.
func texts(path *field.Path, value any) (map[string]string, field.ErrorList) {
	if value == nil {
		return nil, nil
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return nil, field.ErrorList{field.TypeInvalid(path, value, "must be of type object")}
	}
	found := make(map[string]string, len(fields))
	var errs field.ErrorList
	for name, value := range fields {
		if text, ok := value.(string); ok {
			found[name] = text
			continue
		}
		errs = append(errs, field.TypeInvalid(path.Key(name), value,
			fmt.Sprintf("must be of type string; write %q in quotes", fmt.Sprint(value))))
	}
	return found, errs
}

func checkTime(path *field.Path, value any) field.ErrorList {
	if value == nil {
		return nil
	}
	text, ok := value.(string)
	if !ok {
		return field.ErrorList{field.TypeInvalid(path, value, "must be of type string")}
	}
	if _, err := time.Parse(time.RFC3339, text); err != nil {
		return field.ErrorList{field.Invalid(path, text, "must be a time such as 2006-01-02T15:04:05Z")}
	}
	return nil
}

// sortErrors returns the distinct errors sorted by path and message.
func sortErrors(errs []FieldError) []FieldError {
	slices.SortFunc(errs, func(a, b FieldError) int {
		if byPath := strings.Compare(a.Path, b.Path); byPath != 0 {
			return byPath
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.Compact(errs)
}

package render

import (
	"encoding/json"
	"fmt"

	yaml "go.yaml.in/yaml/v2"
	"k8s.io/apimachinery/pkg/runtime"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Manifest returns a resource as canonical YAML, the way a person would write
// it: what the user decides about, without status and what servers add. Keys
// are sorted, so equal resources give equal bytes.
func Manifest(o Object) ([]byte, error) {
	fields, err := manifestFields(o)
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("write %s as YAML: %w", objectName(o), err)
	}
	return text, nil
}

// ManifestJSON is Manifest in indented JSON.
func ManifestJSON(o Object) ([]byte, error) {
	fields, err := manifestFields(o)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(fields, "", "    ")
	if err != nil {
		return nil, fmt.Errorf("write %s as JSON: %w", objectName(o), err)
	}
	return append(text, '\n'), nil
}

// manifestFields returns the fields of a manifest as plain values.
func manifestFields(o Object) (map[string]any, error) {
	all, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, fmt.Errorf("write %s as a manifest: %w", objectName(o), err)
	}
	apiVersion, kind := typeOf(o)
	fields := map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadataFields(o), "spec": map[string]any{}}
	if spec, found := all["spec"]; found && spec != nil {
		fields["spec"] = withoutNulls(spec)
	}
	return fields, nil
}

func metadataFields(o Object) map[string]any {
	metadata := map[string]any{}
	for key, value := range map[string]string{"name": o.GetName(), "namespace": o.GetNamespace()} {
		if value != "" {
			metadata[key] = value
		}
	}
	for key, entries := range map[string]map[string]string{"labels": o.GetLabels(), "annotations": o.GetAnnotations()} {
		if len(entries) == 0 {
			continue
		}
		values := make(map[string]any, len(entries))
		for k, v := range entries {
			values[k] = v
		}
		metadata[key] = values
	}
	return metadata
}

// typeOf returns the type of a resource, also of one that does not carry it.
func typeOf(o Object) (apiVersion, kind string) {
	apiVersion, kind = o.GetObjectKind().GroupVersionKind().ToAPIVersionAndKind()
	switch o.(type) {
	case *networkingv1.VirtualMesh:
		return networkingv1.GroupVersion().String(), "VirtualMesh"
	case *networkingv1.TrafficPolicy:
		return networkingv1.GroupVersion().String(), "TrafficPolicy"
	case *networkingv1.AccessPolicy:
		return networkingv1.GroupVersion().String(), "AccessPolicy"
	}
	return apiVersion, kind
}

// objectName returns KIND/NAME.NAMESPACE, as errors name objects.
func objectName(o Object) string {
	_, kind := typeOf(o)
	return kind + "/" + o.GetName() + "." + o.GetNamespace()
}

func withoutNulls(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			if inner == nil {
				delete(v, key)
				continue
			}
			v[key] = withoutNulls(inner)
		}
	case []any:
		for i := range v {
			v[i] = withoutNulls(v[i])
		}
	}
	return value
}

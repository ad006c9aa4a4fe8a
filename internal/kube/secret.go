package kube

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Secret is a Secret with decoded data. Printing it never shows the data.
type Secret struct {
	Namespace, Name, Type string
	Labels, Annotations   map[string]string
	Data                  map[string][]byte
	// Version is the resource version if the Secret was read from a cluster.
	Version string
}

// String returns the name of the Secret without its data.
func (s Secret) String() string { return DescribeObject("Secret", s.Namespace, s.Name) }

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// ReadSecret reads a Secret; nil without an error if it does not exist. Errors
// never contain the data.
func ReadSecret(ctx context.Context, c *Connection, namespace, name string) (*Secret, error) {
	object, err := Get(ctx, c, ObjectKey{GVK: SecretKind(), Namespace: namespace, Name: name})
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNotFound {
		return nil, nil //nolint:nilnil // documented: nil means that it does not exist
	}
	if err != nil {
		return nil, err
	}
	return secretFrom(object)
}

func secretFrom(object *unstructured.Unstructured) (*Secret, error) {
	s := &Secret{
		Namespace: object.GetNamespace(), Name: object.GetName(), Labels: object.GetLabels(), Annotations: object.GetAnnotations(),
		Version: object.GetResourceVersion(), Data: map[string][]byte{},
	}
	s.Type, _, _ = unstructured.NestedString(object.Object, "type")
	encoded, _, err := unstructured.NestedStringMap(object.Object, "data")
	if err != nil {
		return nil, fmt.Errorf("%s has data that is no text", s)
	}
	for key, text := range encoded {
		if s.Data[key], err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, fmt.Errorf("%s has data under the key %s that is not in base64", s, key)
		}
	}
	return s, nil
}

// Manifest returns the Secret as a manifest.
func (s *Secret) Manifest() *unstructured.Unstructured {
	data := map[string]any{}
	for key, value := range s.Data {
		data[key] = base64.StdEncoding.EncodeToString(value)
	}
	object := &unstructured.Unstructured{Object: map[string]any{"data": data}}
	if s.Type != "" {
		object.Object["type"] = s.Type
	}
	object.SetGroupVersionKind(SecretKind())
	object.SetNamespace(s.Namespace)
	object.SetName(s.Name)
	object.SetLabels(maps.Clone(s.Labels))
	object.SetAnnotations(maps.Clone(s.Annotations))
	return object
}

// WriteSecret applies a Secret and removes all other data keys from the stored
// one. If opts name an owner, a Secret of another owner is not changed. The error
// is an *Error.
func WriteSecret(ctx context.Context, c *Connection, s *Secret, opts ApplyOptions) (Outcome, error) {
	result := Apply(ctx, c, []*unstructured.Unstructured{s.Manifest()}, opts)[0]
	if result.Err != nil {
		return result.Outcome, result.Err
	}
	stored, _, _ := unstructured.NestedMap(result.Object.Object, "data")
	surplus := map[string]any{}
	for key := range stored {
		if _, wanted := s.Data[key]; !wanted {
			surplus[key] = nil
		}
	}
	if len(surplus) == 0 || opts.DryRun == DryRunServer {
		return result.Outcome, nil
	}
	action := "remove other data of " + s.String()
	body, err := json.Marshal(map[string]any{"data": surplus, "metadata": map[string]any{"resourceVersion": result.Object.GetResourceVersion()}})
	if err != nil {
		return Failed, c.Translate(action, err)
	}
	target, err := c.Target(ctx, SecretKind(), s.Namespace)
	if err == nil {
		_, err = target.Patch(ctx, s.Name, types.MergePatchType, body, metav1.PatchOptions{FieldManager: DefaultFieldManager})
	}
	if err != nil {
		return Failed, c.Translate(action, err)
	}
	return Configured, nil
}

// DeleteSecret deletes a Secret that carries the owner labels. A missing one is
// not an error; all errors are an *Error.
func DeleteSecret(ctx context.Context, c *Connection, namespace, name string, owner map[string]string) error {
	result := Delete(ctx, c, ObjectKey{GVK: SecretKind(), Namespace: namespace, Name: name}, DeleteOptions{Owner: owner})
	if result.Err != nil {
		return result.Err
	}
	return nil
}

// SecretKind returns the kind Secret.
func SecretKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
}

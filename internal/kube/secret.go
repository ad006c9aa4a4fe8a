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

// Secret is a Secret with its data decoded. It does not print its data.
type Secret struct {
	Namespace, Name, Type string
	Labels, Annotations   map[string]string
	Data                  map[string][]byte
	// Version is the resource version of a Secret that was read from a cluster.
	Version string
}

// String names the Secret.
func (s Secret) String() string { return DescribeObject("Secret", s.Namespace, s.Name) }

// GoString names the Secret.
func (s Secret) GoString() string { return s.String() }

// ReadSecret reads a Secret. One that does not exist is nil without an error.
// Errors never quote the data.
func ReadSecret(ctx context.Context, c *Connection, namespace, name string) (*Secret, error) {
	object, err := Get(ctx, c, ObjectKey{GVK: SecretKind(), Namespace: namespace, Name: name})
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNotFound {
		return nil, nil //nolint:nilnil // documented: there is none
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

// Manifest returns the Secret as a manifest has it.
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

// WriteSecret applies a Secret and removes the data that it does not have, so
// that it holds exactly that. What has another owner is left alone, if opts name
// one. The error is an *Error.
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

// DeleteSecret deletes a Secret that has the labels of its owner. One that does
// not exist is no error; all others are an *Error.
func DeleteSecret(ctx context.Context, c *Connection, namespace, name string, owner map[string]string) error {
	result := Delete(ctx, c, ObjectKey{GVK: SecretKind(), Namespace: namespace, Name: name}, DeleteOptions{Owner: owner})
	if result.Err != nil {
		return result.Err
	}
	return nil
}

// SecretKind returns the kind of Secrets.
func SecretKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
}

//go:build linux

package mesh

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"
)

// manager owns the fields that the lab itself writes.
const manager = "lab"

// Objects applies, lists and deletes objects of all kinds in one cluster.
type Objects struct {
	client dynamic.Interface
	mapper *restmapper.DeferredDiscoveryRESTMapper
}

// NewObjects returns a client of the cluster.
func NewObjects(config *rest.Config) (*Objects, error) {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	found, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	return &Objects{client: client, mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(found))}, nil
}

// resource returns the client of an object's kind.
func (o *Objects) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := o.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if meta.IsNoMatchError(err) {
		o.mapper.Reset() // Its definition may be new.
		mapping, err = o.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	}
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() != meta.RESTScopeNameNamespace {
		return o.client.Resource(mapping.Resource), nil
	}
	namespace := object.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return o.client.Resource(mapping.Resource).Namespace(namespace), nil
}

// Apply makes the objects be there, in their order.
func (o *Objects) Apply(ctx context.Context, objects ...unstructured.Unstructured) error {
	var errs []error
	for i := range objects {
		object := &objects[i]
		resource, err := o.resource(object)
		if err == nil {
			var body []byte
			if body, err = json.Marshal(object); err == nil {
				err = patch(ctx, resource, object.GetName(), body)
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("apply %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// patch applies one object. While istiod is replaced, API servers may ask one
// that has gone to validate it: that is tried again.
func patch(ctx context.Context, resource dynamic.ResourceInterface, name string, body []byte) error {
	force := true
	var err error
	for range 20 {
		_, err = resource.Patch(ctx, name, types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: manager, Force: &force})
		if !apierrors.IsInternalError(err) || !strings.Contains(err.Error(), "failed calling webhook") {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
	return err
}

// ApplyYAML applies the objects of a YAML stream.
func (o *Objects) ApplyYAML(ctx context.Context, text string) error {
	objects, err := ParseYAML([]byte(text))
	if err != nil {
		return err
	}
	return o.Apply(ctx, objects...)
}

// Delete deletes the objects that are there.
func (o *Objects) Delete(ctx context.Context, objects ...unstructured.Unstructured) error {
	var errs []error
	for i := range objects {
		object := &objects[i]
		resource, err := o.resource(object)
		if err == nil {
			err = resource.Delete(ctx, object.GetName(), metav1.DeleteOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
			errs = append(errs, fmt.Errorf("delete %s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err))
		}
	}
	return errors.Join(errs...)
}

// DeleteYAML deletes the objects of a YAML stream.
func (o *Objects) DeleteYAML(ctx context.Context, text string) error {
	objects, err := ParseYAML([]byte(text))
	if err != nil {
		return err
	}
	return o.Delete(ctx, objects...)
}

// List returns all objects of a kind in all namespaces; none if the cluster
// does not know the kind.
func (o *Objects) List(ctx context.Context, apiVersion, kind string) ([]unstructured.Unstructured, error) {
	probe := &unstructured.Unstructured{}
	probe.SetAPIVersion(apiVersion)
	probe.SetKind(kind)
	gvk := probe.GroupVersionKind()
	mapping, err := o.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		o.mapper.Reset()
		mapping, err = o.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	}
	if meta.IsNoMatchError(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	list, err := o.client.Resource(mapping.Resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return list.Items, nil
}

// Get returns an object.
func (o *Objects) Get(ctx context.Context, apiVersion, kind, namespace, name string) (*unstructured.Unstructured, error) {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	object.SetNamespace(namespace)
	resource, err := o.resource(object)
	if err != nil {
		return nil, err
	}
	return resource.Get(ctx, name, metav1.GetOptions{})
}

// ParseYAML returns the objects of a YAML stream.
func ParseYAML(text []byte) ([]unstructured.Unstructured, error) {
	var objects []unstructured.Unstructured
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		object := unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("parse an object: %w", err)
		}
		if len(object.Object) > 0 {
			objects = append(objects, object)
		}
	}
}

// eventually calls attempt until it succeeds, at most for the given time, and
// returns the error of the last attempt.
func eventually(ctx context.Context, timeout time.Duration, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := attempt(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// sameJSON reports whether two values are encoded alike.
func sameJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// Patch changes an object.
func (o *Objects) Patch(ctx context.Context, object *unstructured.Unstructured, kind types.PatchType, body []byte, options metav1.PatchOptions) error {
	resource, err := o.resource(object)
	if err != nil {
		return err
	}
	_, err = resource.Patch(ctx, object.GetName(), kind, body, options)
	return err
}

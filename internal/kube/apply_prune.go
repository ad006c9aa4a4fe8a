package kube

import (
	"context"
	"errors"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Stale returns the objects of the kinds that carry all owner labels and are not
// in keep, sorted by kind, namespace and name. Kinds that the
// cluster does not serve have no objects. An empty owner is an error, because
// every object would be stale.
func Stale(ctx context.Context, c *Connection, kinds []schema.GroupVersionKind, owner map[string]string, keep []*unstructured.Unstructured) ([]ObjectKey, error) {
	if len(owner) == 0 {
		return nil, errors.New("no labels say whose objects may be stale")
	}
	// An object stays the same when the version of its kind changes.
	kept := map[ObjectKey]bool{}
	for _, object := range keep {
		kept[Unversioned(ObjectKey{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()})] = true
	}
	found := make([][]ObjectKey, len(kinds))
	var questions []Question
	for i, gvk := range kinds {
		questions = append(questions, func(ctx context.Context) error {
			resource, err := c.Resource(ctx, gvk)
			if err != nil {
				return err
			}
			metas, err := ListMetadata(ctx, c, resource.GroupVersionResource, ListOptions{Labels: labels.SelectorFromSet(owner).String()})
			for _, meta := range metas {
				key := ObjectKey{GVK: gvk, Namespace: meta.Namespace, Name: meta.Name}
				if !kept[Unversioned(key)] {
					found[i] = append(found[i], key)
				}
			}
			return err
		})
	}
	notes, err := Ask(ctx, c, 0, questions...)
	if err != nil {
		return nil, err
	}
	for _, e := range notes {
		if e.Reason != ReasonNoSuchKind {
			return nil, e
		}
	}
	stale := slices.Concat(found...)
	slices.SortFunc(stale, compareKeys)
	return stale, nil
}

// DeleteAll deletes objects in parallel and returns one result per object, in
// order.
func DeleteAll(ctx context.Context, c *Connection, keys []ObjectKey, opts DeleteOptions) []Result {
	return ParallelRequests(keys, func(key ObjectKey) Result { return Delete(ctx, c, key, opts) })
}

// Unversioned returns the key without the version of its kind, in which two
// manifests of one object may differ.
func Unversioned(key ObjectKey) ObjectKey {
	key.GVK.Version = ""
	return key
}

func compareKeys(a, b ObjectKey) int {
	return strings.Compare(
		strings.Join([]string{a.GVK.Group, a.GVK.Kind, a.Namespace, a.Name}, "\x00"),
		strings.Join([]string{b.GVK.Group, b.GVK.Kind, b.Namespace, b.Name}, "\x00"),
	)
}

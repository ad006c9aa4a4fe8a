//go:build linux

package mesh

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// Replace turns a deployed world into another one whose workloads are the same:
// objects that only the old one has are deleted, those of the new one applied,
// and meshctl applies what follows.
func (l *Lab) Replace(ctx context.Context, from, to *worldgen.World) error {
	management, err := NewObjects(l.fleet.Cluster(Management).Admin().Config())
	if err != nil {
		return err
	}
	if err := management.replace(ctx, from.Management, to.Management); err != nil {
		return err
	}
	if err := l.eachCluster(func(c *Cluster) error {
		before, after := from.Cluster(c.Name), to.Cluster(c.Name)
		if before == nil || after == nil {
			return nil
		}
		return c.Objects.replace(ctx, before.Objects, after.Objects)
	}); err != nil {
		return err
	}
	if _, err := l.Meshctl(ctx, nil, "discover"); err != nil {
		return err
	}
	_, err = l.Meshctl(ctx, nil, "apply", "--yes")
	return err
}

// replace deletes what only the first list has and applies what is new or
// different in the second.
func (o *Objects) replace(ctx context.Context, before, after []unstructured.Unstructured) error {
	old := map[string]*unstructured.Unstructured{}
	for i := range before {
		old[keyOf(&before[i])] = &before[i]
	}
	changed := slices.DeleteFunc(slices.Clone(after), func(object unstructured.Unstructured) bool {
		there := old[keyOf(&object)]
		delete(old, keyOf(&object))
		return there != nil && sameJSON(there, object)
	})
	for _, object := range old {
		if err := o.Delete(ctx, *object); err != nil {
			return err
		}
	}
	return o.Apply(ctx, changed...)
}

func keyOf(object *unstructured.Unstructured) string {
	return object.GetAPIVersion() + " " + object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
}

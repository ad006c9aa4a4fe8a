package kube

import (
	"context"
	"maps"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/meshctl/meshctl/pkg/api/crds"
)

// Watch calls changed whenever one of meshctl's resources on the cluster is
// added, deleted or changed in its generation, labels or annotations; status
// changes are ignored. It reads only metadata. Until ctx ends it retries with
// growing pauses when the API server is unreachable or does not serve a kind yet.
//
// changed is called from several goroutines, and also for each existing object.
func Watch(ctx context.Context, c *Connection, changed func()) error {
	const action = "watch meshctl's resources"
	resources, err := watchedResources()
	if err != nil {
		return err
	}
	config := c.RESTConfig()
	config.Timeout = 0 // a watch has no time limit
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return c.Explain(action, err)
	}
	var running sync.WaitGroup
	for _, resource := range resources {
		informer := metadatainformer.NewFilteredMetadataInformer(client, resource, metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer()
		// Errors show again when the resources are read.
		if err := informer.SetWatchErrorHandlerWithContext(func(context.Context, *cache.Reflector, error) {}); err != nil {
			return c.Explain(action, err)
		}
		if err := informer.SetTransform(stripManagedFields); err != nil {
			return c.Explain(action, err)
		}
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { changed() },
			DeleteFunc: func(any) { changed() },
			UpdateFunc: func(before, after any) {
				if changedBeyondStatus(before, after) {
					changed()
				}
			},
		}); err != nil {
			return c.Explain(action, err)
		}
		running.Go(func() { informer.Run(ctx.Done()) })
	}
	running.Wait()
	return ctx.Err()
}

// watchedResources returns the resources that install defines.
func watchedResources() ([]schema.GroupVersionResource, error) {
	all, err := crds.All()
	if err != nil {
		return nil, err
	}
	var resources []schema.GroupVersionResource
	for _, crd := range all {
		for _, version := range crd.Spec.Versions {
			if version.Served {
				resources = append(resources, schema.GroupVersionResource{Group: crd.Spec.Group, Version: version.Name, Resource: crd.Spec.Names.Plural})
				break
			}
		}
	}
	return resources, nil
}

// stripManagedFields strips the managed fields, which do not signal a change, to save
// memory.
func stripManagedFields(object any) (any, error) {
	if meta, ok := object.(*metav1.PartialObjectMetadata); ok {
		meta.ManagedFields = nil
	}
	return object, nil
}

// changedBeyondStatus reports whether an object changed in more than its status.
func changedBeyondStatus(before, after any) bool {
	was, known := before.(*metav1.PartialObjectMetadata)
	is, both := after.(*metav1.PartialObjectMetadata)
	return !known || !both || was.UID != is.UID || was.Generation != is.Generation ||
		!maps.Equal(was.Labels, is.Labels) || !maps.Equal(was.Annotations, is.Annotations)
}

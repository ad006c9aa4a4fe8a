package cluster

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
)

// meshesOf returns the service meshes of a cluster. It applies the rules of discovery, but
// reads only what they need for that.
func meshesOf(ctx context.Context, c *kube.Connection) ([]string, error) {
	deployments, err := listAs[appsv1.Deployment](ctx, c, appsv1.SchemeGroupVersion.WithResource("deployments"), "")
	if err != nil {
		return nil, err
	}
	input := discovery.Input{Cluster: c.Name, Deployments: deployments}
	for _, namespace := range discovery.ControlPlaneNamespaces(deployments) {
		maps, err := listAs[corev1.ConfigMap](ctx, c, schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, namespace)
		if err != nil {
			return nil, err
		}
		input.ConfigMaps = append(input.ConfigMaps, maps...)
	}
	var meshes []string
	for _, mesh := range discovery.Discover(input).Meshes {
		meshes = append(meshes, cmdutil.MeshText(mesh.Spec))
	}
	return meshes, nil
}

// listAs lists objects as typed values. Objects that cannot be decoded are skipped.
func listAs[T any](ctx context.Context, c *kube.Connection, resource schema.GroupVersionResource, namespace string) ([]T, error) {
	decoded, err := kube.List(ctx, c, resource, kube.ListOptions{Namespace: namespace}, func(u *unstructured.Unstructured) *T {
		object := new(T)
		if runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, object) != nil {
			return nil
		}
		return object
	})
	objects := make([]T, 0, len(decoded))
	for _, object := range decoded {
		if object != nil {
			objects = append(objects, *object)
		}
	}
	return objects, err
}

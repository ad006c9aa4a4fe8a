package kube

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// DeleteNamespaceIfEmpty deletes a namespace that carries the owner labels and
// holds only the objects that Kubernetes and Istio create in every namespace. It
// reports whether it did; a namespace that may hold other objects stays.
func DeleteNamespaceIfEmpty(ctx context.Context, c *Connection, name string, owner map[string]string) (bool, error) {
	namespace, err := Get(ctx, c, ObjectKey{GVK: NamespaceKind(), Name: name})
	if IsReason(err, ReasonNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !IsOwned(namespace, owner) {
		return false, nil
	}
	if empty, err := c.isEmpty(ctx, name); err != nil || !empty {
		return false, err
	}
	result := Delete(ctx, c, ObjectKey{GVK: NamespaceKind(), Name: name}, DeleteOptions{Owner: owner})
	if result.Err != nil {
		return false, result.Err
	}
	return result.Outcome == Deleted, nil
}

// isEmpty reports whether a namespace holds no user-made object of any kind.
// Kinds that cannot be listed count as not empty.
func (c *Connection) isEmpty(ctx context.Context, namespace string) (bool, error) {
	if err := c.connect(); err != nil {
		return false, err
	}
	client, err := discovery.NewDiscoveryClientForConfigAndClient(c.config, c.clients.http)
	if err != nil {
		return false, c.Explain("use the configuration", err)
	}
	served, err := client.ServerPreferredNamespacedResources()
	switch {
	case discovery.IsGroupDiscoveryFailedError(err):
		return false, nil
	case err != nil:
		return false, c.Explain("list the kinds of resources", err)
	}
	answers := ParallelRequests(listable(served), func(resource schema.GroupVersionResource) error {
		return c.holdsNone(ctx, resource, namespace)
	})
	return !slices.ContainsFunc(answers, func(err error) bool { return err != nil }), ctx.Err()
}

// listable returns the resources whose objects users create.
func listable(served []*metav1.APIResourceList) []schema.GroupVersionResource {
	var resources []schema.GroupVersionResource
	for _, list := range served {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil || version.Group == "metrics.k8s.io" {
			continue
		}
		for _, r := range list.APIResources {
			byCluster := r.Name == "events" || r.Name == "endpoints" || r.Name == "endpointslices"
			if !byCluster && slices.Contains(r.Verbs, "list") && !strings.Contains(r.Name, "/") {
				resources = append(resources, version.WithResource(r.Name))
			}
		}
	}
	return resources
}

// holdsNone returns an error if a namespace holds, or may hold, user-made objects
// of a resource.
func (c *Connection) holdsNone(ctx context.Context, resource schema.GroupVersionResource, namespace string) error {
	found, err := ListMetadata(ctx, c, resource, ListOptions{Namespace: namespace})
	if IsReason(err, ReasonNoSuchKind) {
		return nil // it was removed in the meantime
	}
	if err != nil {
		return err
	}
	for _, object := range found {
		// Leases of meshctl are only in use while it runs.
		lease := resource.Resource == "leases" && object.Labels[ManagedByLabel] == ManagedBy
		if object.DeletionTimestamp == nil && !lease && !isBuiltIn(resource.Resource, object.Name) {
			return &Error{Cluster: c.Name, Action: "empty Namespace " + namespace, Reason: ReasonConflict, Why: resource.Resource + " " + object.Name + " is in it"}
		}
	}
	return nil
}

// isBuiltIn reports whether an object is one that every namespace has.
func isBuiltIn(resource, name string) bool {
	switch resource {
	case "configmaps":
		return name == "kube-root-ca.crt" || strings.HasPrefix(name, "istio-ca-")
	case "serviceaccounts":
		return name == metav1.NamespaceDefault
	default:
		return false
	}
}

// NamespaceKind returns the kind Namespace.
func NamespaceKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
}

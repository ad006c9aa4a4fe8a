package kube

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// ensureNamespace makes a namespace with the given labels unless it exists, and
// notes it if so. A namespace that is being deleted is waited for.
func (j *journal) ensureNamespace(ctx context.Context, c *Connection, kubeconfig, name string, labels map[string]string, limit time.Duration) (Result, error) {
	result := Result{GVK: namespaceKind(), Name: name, Cluster: c.Name, Outcome: Unchanged}
	client, err := c.Dynamic()
	if err != nil {
		return result, err
	}
	err = c.await(ctx, limit, "use Namespace "+name, "it is still being deleted", "find out what keeps it, or try again later", func(ctx context.Context) (bool, error) {
		namespace, err := client.Resource(namespaces()).Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return err == nil && namespace.GetDeletionTimestamp() == nil, err
	})
	if err != nil {
		return result, err
	}
	created, err := EnsureNamespace(ctx, c, name, labels, DryRunNone)
	if e := c.explain("create Namespace "+name, err); created || e != nil && isLost(e) {
		// Only one with our labels is ever taken back.
		j.entries = append(j.entries, journalEntry{c, kubeconfig, ObjectKey{GVK: namespaceKind(), Name: name}, labels})
	}
	if created {
		result.Outcome = Created
	}
	return result, err
}

func namespaceKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}
}

// deleteIfEmpty deletes a namespace that carries the labels of its owner and in
// which nothing is left but what Kubernetes and Istio put into every namespace.
// It reports whether it did; a namespace that may hold something stays.
func deleteIfEmpty(ctx context.Context, c *Connection, name string, owner map[string]string) (bool, error) {
	namespace, err := Get(ctx, c, ObjectKey{GVK: namespaceKind(), Name: name})
	if isReason(err, ReasonNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !isOwned(namespace, owner) {
		return false, nil
	}
	if empty, err := c.isEmpty(ctx, name); err != nil || !empty {
		return false, err
	}
	result := Delete(ctx, c, ObjectKey{GVK: namespaceKind(), Name: name}, DeleteOptions{Owner: owner})
	if result.Err != nil {
		return false, result.Err
	}
	return result.Outcome == Deleted, nil
}

// isEmpty reports whether a namespace holds no object of any kind that anyone
// made. What cannot be looked at may be there.
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
	answers := bounded(listable(served), func(resource schema.GroupVersionResource) error {
		return c.holdsNone(ctx, resource, namespace)
	})
	return !slices.ContainsFunc(answers, func(err error) bool { return err != nil }), ctx.Err()
}

// listable returns the resources whose objects people make.
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

// holdsNone returns an error if a namespace has, or may have, objects of a
// resource that someone made.
func (c *Connection) holdsNone(ctx context.Context, resource schema.GroupVersionResource, namespace string) error {
	found, err := ListMetadata(ctx, c, resource, ListOptions{Namespace: namespace})
	if isReason(err, ReasonNoSuchKind) {
		return nil // it was removed meanwhile
	}
	if err != nil {
		return err
	}
	for _, object := range found {
		// A Lease is only in use while meshctl works.
		lease := resource.Resource == "leases" && object.Labels[ManagedByLabel] == ManagedBy
		if object.DeletionTimestamp == nil && !lease && !isGiven(resource.Resource, object.Name) {
			return &Error{Cluster: c.Name, Action: "empty Namespace " + namespace, Reason: ReasonConflict, Why: resource.Resource + " " + object.Name + " is in it"}
		}
	}
	return nil
}

// isGiven reports whether an object is in every namespace without anyone having
// made it there.
func isGiven(resource, name string) bool {
	switch resource {
	case "configmaps":
		return name == "kube-root-ca.crt" || strings.HasPrefix(name, "istio-ca-")
	case "serviceaccounts":
		return name == metav1.NamespaceDefault
	default:
		return false
	}
}

// waitUntilGone waits until an object does not exist any more.
func waitUntilGone(ctx context.Context, c *Connection, key ObjectKey, limit time.Duration) error {
	target, err := c.target(ctx, key.GVK, key.Namespace)
	if err != nil {
		return err
	}
	object := describeObject(key.GVK.Kind, key.Namespace, key.Name)
	return c.await(ctx, limit, "delete "+object, "it still exists", "look at its finalizers", func(ctx context.Context) (bool, error) {
		_, err := target.Get(ctx, key.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

package kube

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Resource is a kind as served by a cluster.
type Resource struct {
	schema.GroupVersionResource
	Kind string
	// Namespaced is true if objects of the kind live in namespaces.
	Namespaced bool
}

// Resource returns how the cluster serves a kind. It requests only the group and
// version of the kind, once for each. A kind that the cluster does not serve is
// an *Error with ReasonNoSuchKind.
func (c *Connection) Resource(ctx context.Context, gvk schema.GroupVersionKind) (Resource, error) {
	action := "find kind " + gvk.Kind
	c.mu.Lock()
	served := c.resources[gvk.GroupVersion()]
	c.mu.Unlock()
	if resource, found := findKind(served, gvk); found {
		return resource, nil
	}
	// A missing kind may have been installed since it was cached.
	served, err := c.discover(ctx, gvk.GroupVersion())
	if err != nil {
		return Resource{}, c.Translate(action, err)
	}
	if resource, found := findKind(served, gvk); found {
		return resource, nil
	}
	return Resource{}, c.noSuchKind(ctx, action, gvk.GroupVersion())
}

// discover reads the resources that the cluster serves in a group and version;
// none if it does not serve the group or version.
func (c *Connection) discover(ctx context.Context, gv schema.GroupVersion) ([]metav1.APIResource, error) {
	var list metav1.APIResourceList
	if err := c.getJSON(ctx, apiPath(gv), &list, func() bool { return list.Kind == "APIResourceList" }); err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resources[gv] = list.APIResources
	return list.APIResources, nil
}

// serves reports whether the cluster serves a resource; the error means that this
// is not known.
func (c *Connection) serves(ctx context.Context, resource schema.GroupVersionResource) (bool, error) {
	served, err := c.discover(ctx, resource.GroupVersion())
	return slices.ContainsFunc(served, func(r metav1.APIResource) bool { return r.Name == resource.Resource }), err
}

func findKind(served []metav1.APIResource, gvk schema.GroupVersionKind) (Resource, bool) {
	for _, r := range served {
		// The list also contains subresources such as pods/status.
		if r.Kind == gvk.Kind && !strings.Contains(r.Name, "/") {
			return Resource{
				GroupVersionResource: gvk.GroupVersion().WithResource(r.Name), Kind: r.Kind, Namespaced: r.Namespaced,
			}, true
		}
	}
	return Resource{}, false
}

func apiPath(gv schema.GroupVersion) string {
	if gv.Group == "" {
		return "/api/" + gv.Version
	}
	return "/apis/" + gv.Group + "/" + gv.Version
}

// noSuchKind returns the error for a missing kind, with the versions that the
// cluster serves instead.
func (c *Connection) noSuchKind(ctx context.Context, action string, gv schema.GroupVersion) *Error {
	e := &Error{Cluster: c.Name, Action: action, Reason: ReasonNoSuchKind, Why: "kind not found in " + gv.String(), Hint: hintNoSuchKind}
	if c.Source == SourceManagement && slices.Contains(ownGroups(), gv.Group) && c.servesNone(ctx, ownGroups()) {
		e.Action, e.Why, e.Hint = "", NotManagement, HintNotManagement
		return e
	}
	if versions := c.ServedVersions(ctx, gv.Group); len(versions) > 0 && !slices.Contains(versions, gv.Version) {
		e.Why = "the cluster does not serve " + gv.String() + " but " + strings.Join(versions, ", ") + " of that group"
		e.Hint = "upgrade its CustomResourceDefinitions"
	}
	return e
}

// NotManagement says why a cluster that serves none of meshctl's kinds cannot be
// used as the management cluster, and HintNotManagement what to do.
const (
	NotManagement     = "not a management cluster: the CRDs of meshctl are not installed"
	HintNotManagement = "name the management cluster with --context, or run 'meshctl install'"
)

// servesNone reports whether the cluster is known to serve none of the groups.
func (c *Connection) servesNone(ctx context.Context, groups []string) bool {
	for _, group := range groups {
		var served metav1.APIGroup
		err := c.getJSON(ctx, "/apis/"+group, &served, func() bool { return served.Kind == "APIGroup" })
		if !apierrors.IsNotFound(err) {
			return false
		}
	}
	return true
}

// ServedVersions returns the versions of a group that a cluster serves; none if
// they are not known.
func (c *Connection) ServedVersions(ctx context.Context, group string) []string {
	var served metav1.APIGroup
	if group == "" || c.getJSON(ctx, "/apis/"+group, &served, func() bool { return served.Kind == "APIGroup" }) != nil {
		return nil
	}
	versions := make([]string, 0, len(served.Versions))
	for _, v := range served.Versions {
		versions = append(versions, v.Version)
	}
	slices.Sort(versions)
	return versions
}

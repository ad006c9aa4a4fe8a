package kube

import (
	"context"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// Permission is a permission to check.
type Permission struct {
	Verb, Group, Resource, Subresource string
	// Namespace is empty for all namespaces and for cluster-scoped resources.
	Namespace string
	// Name is empty for any name.
	Name string
}

// String returns the permission in the form of kubectl auth can-i: "create
// secrets in gloo-mesh".
func (p Permission) String() string {
	text := p.Verb + " " + p.Resource
	if p.Subresource != "" {
		text += "/" + p.Subresource
	}
	if p.Group != "" {
		text += "." + p.Group
	}
	if p.Name != "" {
		text += " " + p.Name
	}
	if p.Namespace != "" {
		text += " in " + p.Namespace
	}
	return text
}

// Missing returns the permissions that the credentials of the connection lack, in
// the given order. It asks the cluster with SelfSubjectAccessReview.
func Missing(ctx context.Context, c *Connection, permissions []Permission) ([]Permission, error) {
	client, err := c.Dynamic()
	if err != nil {
		return nil, err
	}
	reviews := authorizationv1.SchemeGroupVersion.WithResource("selfsubjectaccessreviews")
	type answer struct {
		allowed bool
		err     error
	}
	answers := ParallelRequests(permissions, func(p Permission) answer {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&authorizationv1.SelfSubjectAccessReview{
			TypeMeta: metav1.TypeMeta{APIVersion: authorizationv1.SchemeGroupVersion.String(), Kind: "SelfSubjectAccessReview"},
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: p.Verb, Group: p.Group, Resource: p.Resource, Subresource: p.Subresource, Namespace: p.Namespace, Name: p.Name,
			}},
		})
		if err != nil {
			return answer{err: err}
		}
		review, err := client.Resource(reviews).Create(ctx, &unstructured.Unstructured{Object: content}, metav1.CreateOptions{})
		if err != nil {
			return answer{err: c.Explain("review the permissions", err)}
		}
		allowed, _, _ := unstructured.NestedBool(review.Object, "status", "allowed")
		return answer{allowed: allowed}
	})
	var missing []Permission
	for i, a := range answers {
		if a.err != nil {
			return nil, a.err
		}
		if !a.allowed {
			missing = append(missing, permissions[i])
		}
	}
	return missing, nil
}

// RequirePermissions returns an *Error that lists all missing permissions, or nil
// if none is missing.
func RequirePermissions(ctx context.Context, c *Connection, action string, permissions []Permission) error {
	missing, err := Missing(ctx, c, permissions)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	texts := make([]string, 0, len(missing))
	for _, p := range missing {
		texts = append(texts, p.String())
	}
	return &Error{
		Cluster: c.Name, Action: action, Reason: ReasonForbidden,
		Why: "not allowed to " + strings.Join(texts, ", "), Hint: "get " + c.grants(missing) + ", or use other credentials",
	}
}

// grants returns a hint with the ClusterRoles of the management cluster that
// grant the permissions, if they grant all of them.
func (c *Connection) grants(missing []Permission) string {
	var roles []string
	for _, p := range missing {
		role := RoleFor(p.Verb, p.Group, p.Resource)
		if role == "" || c.Source != SourceManagement {
			return "these permissions"
		}
		roles = append(roles, role)
	}
	slices.Sort(roles)
	roles = slices.Compact(roles)
	return text.Choose(len(roles), "the ClusterRole ", "the ClusterRoles ") + text.And(roles)
}

// PermissionsFor returns one permission for each verb.
func PermissionsFor(p Permission, verbs ...string) []Permission {
	all := make([]Permission, 0, len(verbs))
	for _, verb := range verbs {
		p.Verb = verb
		all = append(all, p)
	}
	return all
}

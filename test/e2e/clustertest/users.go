//go:build unix

package clustertest

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AddUser returns the credentials of a new user, who may do nothing but what
// the groups may, and what Grant allows.
func (c *Cluster) AddUser(name string, groups ...string) (*Credentials, error) {
	client, err := c.ca.identify(name, groups)
	if err != nil {
		return nil, err
	}
	return &Credentials{Cluster: c.Name, User: name, Server: c.Server, ca: c.ca.pem, client: client}, nil
}

// ServiceAccount returns the credentials of a service account, with a token such
// as the kubelet asks for when it starts a pod.
func (c *Cluster) ServiceAccount(ctx context.Context, namespace, name string) (*Credentials, error) {
	client, err := c.Clientset()
	if err != nil {
		return nil, err
	}
	request, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("request a token of service account %s in %s: %w", name, namespace, err)
	}
	user := "system:serviceaccount:" + namespace + ":" + name
	return &Credentials{Cluster: c.Name, User: user, Server: c.Server, ca: c.ca.pem, token: request.Status.Token}, nil
}

// AddReadOnlyUser returns the credentials of a new user who may read what the
// standard role `view` shows, the nodes, and all objects of the given API
// groups, in all namespaces, but no Secrets.
func (c *Cluster) AddReadOnlyUser(ctx context.Context, name string, groups ...string) (*Credentials, error) {
	user, err := c.AddUser(name)
	if err != nil {
		return nil, err
	}
	client, err := c.Clientset()
	if err != nil {
		return nil, err
	}
	binding := bindingOf(name+"-view", "view", name)
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("let %s read: %w", name, err)
	}
	read := []string{"get", "list", "watch"}
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: read},
		{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: read},
	}
	if len(groups) > 0 {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: groups, Resources: []string{"*"}, Verbs: read})
	}
	return user, c.Grant(ctx, name, rules...)
}

// Grant allows the user what the rules say, in all namespaces. A user is
// granted rights once.
func (c *Cluster) Grant(ctx context.Context, user string, rules ...rbacv1.PolicyRule) error {
	client, err := c.Clientset()
	if err != nil {
		return err
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "granted-to-" + user}, Rules: rules}
	if _, err := client.RbacV1().ClusterRoles().Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("grant rights to %s: %w", user, err)
	}
	binding := bindingOf(role.Name, role.Name, user)
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("grant rights to %s: %w", user, err)
	}
	return nil
}

func bindingOf(name, role, user string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	}
}

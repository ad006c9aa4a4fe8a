package registration

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// Access is the set of permissions of the credentials of a registered cluster.
type Access string

// The kinds of access; each includes the previous one.
const (
	// AccessRead allows reading what discovery and diff need.
	AccessRead Access = "read"
	// AccessConfigure also allows writing the Istio configuration that meshctl renders.
	AccessConfigure Access = "configure"
	// AccessFull also allows what shared trust needs: access to the Secret with Istio's CA, and
	// restarting workloads.
	AccessFull Access = "full"
)

// Accesses returns all kinds of access, from least to most.
func Accesses() []string {
	return []string{string(AccessRead), string(AccessConfigure), string(AccessFull)}
}

// trustBackupSecret is the Secret in which a takeover of shared trust keeps the replaced
// Secret.
const (
	trustBackupSecret = "cacerts-backup"
)

// MemberRules returns the permissions of the credentials of a registered cluster: only those
// that meshctl itself uses. The only Secrets they cover are Istio's CA and its backup.
//
// Two permissions are wider than necessary because RBAC is not more fine-grained: ConfigMaps
// are only read in the namespaces of control planes, and permission to patch a Deployment is
// not limited to the restart annotation.
func MemberRules(access Access) []rbacv1.PolicyRule {
	read := []string{"get", "list"}
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps", "namespaces", "nodes", "pods", "services"}, Verbs: read},
		{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "replicasets", "statefulsets"}, Verbs: read},
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: read},
		{APIGroups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: []string{"list"}}, // for restart plans
		{APIGroups: []string{"appmesh.k8s.aws"}, Resources: []string{"meshes"}, Verbs: read},
	}
	istio := read
	if access != AccessRead {
		// Server-side apply needs create and patch.
		istio = []string{"get", "list", "create", "patch", "delete"}
	}
	rules = append(rules,
		rbacv1.PolicyRule{APIGroups: []string{"networking.istio.io"}, Resources: []string{"destinationrules", "gateways", "serviceentries", "virtualservices"}, Verbs: istio},
		rbacv1.PolicyRule{APIGroups: []string{"security.istio.io"}, Resources: []string{"authorizationpolicies", "peerauthentications"}, Verbs: istio},
	)
	if access == AccessFull {
		rules = append(rules,
			// A server-side apply request contains the name of the object to create, so create can
			// be restricted to that name.
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{trust.CASecretName, trustBackupSecret}, Verbs: []string{"get", "create", "patch"}},
			rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: []string{"patch"}},
		)
	}
	return rules
}

// selfRemovalRule allows the credentials of a registration to remove themselves: the other
// objects on the cluster are owned by their ClusterRole.
func selfRemovalRule(role string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, ResourceNames: []string{role}, Verbs: []string{"get", "delete"},
	}
}

// managementRoles returns the ClusterRoles of the management cluster to view, edit and
// administer meshctl's resources. The first is aggregated to the view role of Kubernetes. The
// others are not aggregated, because they affect all clusters: permission to edit some
// namespace must not be enough (D72). Only administrators may register clusters.
func managementRoles() []*rbacv1.ClusterRole {
	const (
		networking   = "networking.mesh.gloo.solo.io"
		settings     = "settings.mesh.gloo.solo.io"
		discovery    = "discovery.mesh.gloo.solo.io"
		multicluster = "multicluster.solo.io"
		coordination = "coordination.k8s.io"
	)
	read := []string{"get", "list", "watch"}
	write := []string{"create", "delete", "deletecollection", "patch", "update"}
	policies := []string{"accesspolicies", "trafficpolicies", "virtualmeshes"}
	discovered := []string{"destinations", "meshes", "workloads"}
	rule := func(verbs []string, group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
	}
	role := func(name, aggregateTo string, rules ...rbacv1.PolicyRule) *rbacv1.ClusterRole {
		r := &rbacv1.ClusterRole{Rules: rules}
		r.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind("ClusterRole"))
		r.Name = name
		r.Labels = kube.OwnLabels()
		if aggregateTo != "" {
			r.Labels["rbac.authorization.k8s.io/aggregate-to-"+aggregateTo] = "true"
		}
		return r
	}
	return []*rbacv1.ClusterRole{
		role(kube.ViewRole, "view",
			// The annotation of meshctl's namespace lists the policy namespaces.
			rule([]string{"get"}, "", "namespaces"),
			rule(read, networking, policies...),
			rule(read, settings, "settings"),
			rule(read, discovery, discovered...),
			rule(read, multicluster, "kubernetesclusters")),
		role(kube.EditRole, "",
			rule(write, networking, policies...),
			rule(write, settings, "settings"),
			rule(write, discovery, discovered...),
			rule([]string{"patch", "update"}, networking, withStatus(policies)...),
			rule([]string{"patch", "update"}, discovery, withStatus(discovered)...),
			// Changing trust requires a Lease per virtual mesh; the names are not known in advance.
			rule([]string{"create", "get", "update"}, coordination, "leases")),
		role(kube.AdminRole, "",
			rule(write, multicluster, "kubernetesclusters"),
			rule([]string{"patch", "update"}, multicluster, "kubernetesclusters/status")),
	}
}

// withStatus returns the status subresources of the resources.
func withStatus(resources []string) []string {
	status := slices.Clone(resources)
	for i := range status {
		status[i] += "/status"
	}
	return status
}

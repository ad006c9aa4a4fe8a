package registration

import (
	"slices"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// Access says how much the credentials of a registered cluster may do there.
type Access string

// The kinds of access, each with all that the one before it has.
const (
	// AccessRead is what discovery and diff read.
	AccessRead Access = "read"
	// AccessConfigure adds writing the configuration of Istio that meshctl
	// renders.
	AccessConfigure Access = "configure"
	// AccessFull adds what shared trust needs: the Secret with Istio's CA, and
	// restarting workloads.
	AccessFull Access = "full"
)

// Accesses returns all kinds of access, from the least to the most.
func Accesses() []string {
	return []string{string(AccessRead), string(AccessConfigure), string(AccessFull)}
}

// The Secrets of shared trust: the one that Istio reads its intermediate CA from,
// and the one that keeps what a takeover replaces.
const (
	trustBackupSecret = "cacerts-backup"
)

// MemberRules returns what the credentials of a registered cluster may do
// there: no more than meshctl does itself (semantics 8.2, without what an agent
// would need). The rules name no Secret but Istio's CA and its backup.
//
// Two permissions are wider than their use, because RBAC knows nothing finer:
// ConfigMaps are read in the namespaces of control planes only, and whoever may
// patch a Deployment may change more of it than the annotation that restarts it.
func MemberRules(access Access) []rbacv1.PolicyRule {
	read := []string{"get", "list"}
	rules := []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps", "namespaces", "nodes", "pods", "services"}, Verbs: read},
		{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "replicasets", "statefulsets"}, Verbs: read},
		{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: read},
		{APIGroups: []string{"policy"}, Resources: []string{"poddisruptionbudgets"}, Verbs: []string{"list"}}, // for plans of restarts
		{APIGroups: []string{"appmesh.k8s.aws"}, Resources: []string{"meshes"}, Verbs: read},
	}
	istio := read
	if access != AccessRead {
		// Server-side apply creates and patches.
		istio = []string{"get", "list", "create", "patch", "delete"}
	}
	rules = append(rules,
		rbacv1.PolicyRule{APIGroups: []string{"networking.istio.io"}, Resources: []string{"destinationrules", "gateways", "serviceentries", "virtualservices"}, Verbs: istio},
		rbacv1.PolicyRule{APIGroups: []string{"security.istio.io"}, Resources: []string{"authorizationpolicies", "peerauthentications"}, Verbs: istio},
	)
	if access == AccessFull {
		rules = append(rules,
			// Server-side apply names the object that it creates, so that even
			// creating is confined to the one name.
			rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{trust.CASecretName, trustBackupSecret}, Verbs: []string{"get", "create", "patch"}},
			rbacv1.PolicyRule{APIGroups: []string{"apps"}, Resources: []string{"daemonsets", "deployments", "statefulsets"}, Verbs: []string{"patch"}},
		)
	}
	return rules
}

// withdrawalRule lets the credentials of a registration remove themselves: what
// else belongs to them on the cluster is owned by their ClusterRole.
func withdrawalRule(role string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{
		APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, ResourceNames: []string{role}, Verbs: []string{"get", "delete"},
	}
}

// managementRoles returns the ClusterRoles of the management cluster, for those
// who view, edit and administer the resources of meshctl. Kubernetes aggregates the
// first one to its own view. What the others allow governs all clusters, and is
// given by name only: whoever may edit some namespace is nobody in particular
// (semantics D72). Registering clusters is left to administrators.
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
			// The namespace of meshctl lists from which other namespaces policies take effect.
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
			// Whoever works on trust holds a Lease for each virtual mesh, whose names
			// are not known before.
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

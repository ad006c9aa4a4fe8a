package registration

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
)

// may reports whether rules grant a permission.
func may(rules []rbacv1.PolicyRule, p kube.Permission) bool {
	resource := p.Resource
	if p.Subresource != "" {
		resource += "/" + p.Subresource
	}
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.Verbs, p.Verb) && slices.Contains(r.APIGroups, p.Group) && slices.Contains(r.Resources, resource) &&
			(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, p.Name))
	})
}

func TestMembersMayBeDiscovered(t *testing.T) {
	t.Parallel()
	for _, access := range Accesses() {
		for _, kind := range discovery.Kinds() {
			for _, verb := range []string{"get", "list"} {
				p := kube.Permission{Verb: verb, Group: kind.Group, Resource: kind.Resource}
				if !may(MemberRules(Access(access)), p) {
					t.Errorf("with access %s, discovery may not %s", access, p)
				}
			}
		}
	}
}

// TestEditorsHoldLeases checks that users who may edit meshctl's resources may hold the Leases
// for trust.
func TestEditorsHoldLeases(t *testing.T) {
	t.Parallel()
	for _, role := range managementRoles() {
		for _, verb := range []string{"create", "get", "update"} {
			p := kube.Permission{Verb: verb, Group: "coordination.k8s.io", Resource: "leases", Name: "meshctl-trust-prod.mesh"}
			if got, want := may(role.Rules, p), role.Name == kube.EditRole; got != want {
				t.Errorf("%s allows %s: %t, want %t", role.Name, p, got, want)
			}
		}
	}
}

func TestMemberRules(t *testing.T) {
	t.Parallel()
	const istio = "networking.istio.io"
	for _, tt := range []struct {
		what kube.Permission
		want []bool // read, configure, full
	}{
		{kube.Permission{Verb: "list", Group: istio, Resource: "virtualservices"}, []bool{true, true, true}},
		{kube.Permission{Verb: "patch", Group: istio, Resource: "virtualservices"}, []bool{false, true, true}},
		{kube.Permission{Verb: "delete", Group: "security.istio.io", Resource: "peerauthentications"}, []bool{false, true, true}},
		{kube.Permission{Verb: "create", Group: istio, Resource: "envoyfilters"}, []bool{false, false, false}},
		{kube.Permission{Verb: "create", Group: istio, Resource: "sidecars"}, []bool{false, false, false}},
		{kube.Permission{Verb: "get", Resource: "secrets", Name: "cacerts"}, []bool{false, false, true}},
		{kube.Permission{Verb: "patch", Resource: "secrets", Name: "cacerts"}, []bool{false, false, true}},
		{kube.Permission{Verb: "get", Resource: "secrets", Name: "other"}, []bool{false, false, false}},
		{kube.Permission{Verb: "list", Resource: "secrets"}, []bool{false, false, false}},
		{kube.Permission{Verb: "delete", Resource: "secrets", Name: "cacerts"}, []bool{false, false, false}},
		{kube.Permission{Verb: "patch", Group: "apps", Resource: "deployments"}, []bool{false, false, true}},
		{kube.Permission{Verb: "patch", Group: "apps", Resource: "replicasets"}, []bool{false, false, false}},
		{kube.Permission{Verb: "update", Group: "apps", Resource: "deployments"}, []bool{false, false, false}},
		{kube.Permission{Verb: "delete", Resource: "pods"}, []bool{false, false, false}},
		{kube.Permission{Verb: "patch", Resource: "configmaps"}, []bool{false, false, false}},
		{kube.Permission{Verb: "list", Group: "policy", Resource: "poddisruptionbudgets"}, []bool{true, true, true}},
		{kube.Permission{Verb: "get", Group: "policy", Resource: "poddisruptionbudgets"}, []bool{false, false, false}},
		{kube.Permission{Verb: "watch", Resource: "pods"}, []bool{false, false, false}},
		{kube.Permission{Verb: "watch", Group: istio, Resource: "virtualservices"}, []bool{false, false, false}},
	} {
		var got []bool
		for _, access := range Accesses() {
			got = append(got, may(MemberRules(Access(access)), tt.what))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s with access %v (-want +got):\n%s", tt.what, Accesses(), diff)
		}
	}
	for _, access := range Accesses() {
		for _, rule := range MemberRules(Access(access)) {
			for _, words := range [][]string{rule.Verbs, rule.APIGroups, rule.Resources} {
				if slices.Contains(words, "*") || len(words) == 0 {
					t.Errorf("a rule of access %s is wider than it looks: %v", access, rule)
				}
			}
		}
	}
}

func TestPermissionText(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]kube.Permission{
		"list pods": {Verb: "list", Resource: "pods"},
		"create serviceaccounts/token east in gloo-mesh": {Verb: "create", Resource: "serviceaccounts", Subresource: "token", Namespace: "gloo-mesh", Name: "east"},
		"get deployments.apps in default":                {Verb: "get", Group: "apps", Resource: "deployments", Namespace: "default"},
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestAggregatedRolesDoNotAffectAllClusters checks that the permission to edit or administer some
// namespace does not extend to resources that affect all clusters.
func TestAggregatedRolesDoNotAffectAllClusters(t *testing.T) {
	t.Parallel()
	got := map[string][]string{}
	for _, role := range managementRoles() {
		got[role.Name] = nil
		for label := range role.Labels {
			if strings.HasPrefix(label, "rbac.authorization.k8s.io/") {
				got[role.Name] = append(got[role.Name], label)
			}
		}
	}
	want := map[string][]string{kube.ViewRole: {"rbac.authorization.k8s.io/aggregate-to-view"}, kube.EditRole: nil, kube.AdminRole: nil}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("aggregated (-want +got)\n%s", diff)
	}
}

// TestRolesGrantWhatIsSaid compares the roles named in messages with the permissions that they
// grant.
func TestRolesGrantWhatIsSaid(t *testing.T) {
	t.Parallel()
	for _, role := range managementRoles() {
		for _, rule := range role.Rules {
			for _, group := range rule.APIGroups {
				for _, verb := range rule.Verbs {
					for _, resource := range rule.Resources {
						if got := kube.RoleFor(verb, group, resource); got != role.Name {
							t.Errorf("%s %s %s: messages name %q, and %s grants it", verb, group, resource, got, role.Name)
						}
					}
				}
			}
		}
	}
	if got := kube.RoleFor("list", "apps", "deployments"); got != "" {
		t.Errorf("messages claim that %s grants a permission that it does not grant", got)
	}
}

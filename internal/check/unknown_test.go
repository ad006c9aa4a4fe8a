package check

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// TestUnknownIsNotInOrder holds that no category is a success where its input could
// not be read, and that each says why: by itself, or by the check that it depends
// on, which is then part of the report.
func TestUnknownIsNotInOrder(t *testing.T) {
	t.Parallel()
	forbidden := &kube.Error{Cluster: "kind-mgmt", Action: "list x", Reason: kube.ReasonForbidden, Why: "no"}
	broken := &kube.Error{Cluster: "kind-mgmt", Action: "list x", Reason: kube.ReasonOther, Why: "out of order"}
	unlisted := func(e *kube.Error, meshes ...world.Object[discoveryv1.Mesh]) *policy.Result {
		return policy.Evaluate(world.New(world.Objects{Meshes: meshes, Problems: []world.Problem{
			{Kind: world.UnlistedKind, Origin: world.Origin{File: "cluster kind-mgmt"}, Message: e.Message(), LeftOut: !e.Skippable()},
		}}))
	}
	mesh := world.Object[discoveryv1.Mesh]{Resource: istioMesh("1.27.0")}
	nothing := func(f *Facts) { // the user may not read anything
		f.Management.CannotRead = []kube.Permission{{Verb: "list", Group: "g", Resource: "a"}}
		f.MembersErr, f.World = forbidden, unlisted(forbidden)
	}
	const cannotRead = "failed management-read: not allowed to list a.g"
	all := func(f *Facts) map[string][]string {
		found := map[string][]string{}
		for _, category := range CategoryIDs() {
			r := Judge(f, []string{category})
			if r.Success {
				t.Errorf("check %s is a success", category)
			}
			for _, c := range r.Categories {
				found[category] = append(found[category], problemsOf(lines(r, c.ID))...)
			}
		}
		return found
	}
	for name, test := range map[string]struct {
		change func(*Facts)
		want   map[string][]string
	}{
		"no permission": {nothing, map[string][]string{
			CategoryManagement: {cannotRead}, CategoryClusters: {cannotRead}, CategoryMeshes: {cannotRead}, CategoryTrust: {cannotRead}, CategoryConfiguration: {cannotRead},
		}},
		"no permission, which is not known either": {
			func(f *Facts) {
				nothing(f)
				f.Management.CannotRead, f.Management.PermissionsErr = nil, forbidden
			},
			map[string][]string{
				CategoryManagement: {
					"failed management-read: not known: cannot list x on cluster kind-mgmt: no",
					"warning management-write: not known: cannot list x on cluster kind-mgmt: no",
				},
				CategoryClusters:      {"failed management-read: not known: cannot list x on cluster kind-mgmt: no"},
				CategoryMeshes:        {"failed management-read: not known: cannot list x on cluster kind-mgmt: no"},
				CategoryTrust:         {"failed management-read: not known: cannot list x on cluster kind-mgmt: no"},
				CategoryConfiguration: {"failed management-read: not known: cannot list x on cluster kind-mgmt: no"},
			},
		},
	} {
		f := wellFacts()
		test.change(f)
		if diff := cmp.Diff(test.want, all(f)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}

	for name, test := range map[string]struct {
		category string
		change   func(*Facts)
		want     []string
	}{
		"registrations, for another reason": {CategoryClusters, func(f *Facts) { f.MembersErr = broken }, []string{
			"failed cluster-registration: not known: cannot list x on cluster kind-mgmt: out of order",
		}},
		"meshes": {CategoryMeshes, func(f *Facts) { f.World = unlisted(broken) }, []string{
			"failed mesh-control-plane: not known: no mesh found, and part of the configuration could not be read",
		}},
		"virtual meshes": {CategoryMeshes, func(f *Facts) {
			f.Members, f.World = []MemberFacts{wellMember("east")}, unlisted(broken, mesh)
			f.Members[0].ControlPlanes = []ControlPlane{{Namespace: "istio-system", Name: "istiod", Labels: map[string]string{"app": "istiod"}, Wanted: 1, Available: 1}}
		}, []string{
			"failed mesh-dns east Mesh/istiod.gloo-mesh: not known: the VirtualMesh of the mesh was not found, and part of the configuration could not be read",
		}},
		"a control plane": {CategoryMeshes, func(f *Facts) {
			f.Members = []MemberFacts{wellMember("east")}
			f.Members[0].ControlPlanesErr = &kube.Error{Cluster: "east", Action: "list deployments", Reason: kube.ReasonForbidden, Why: "no"}
			f.World = policy.Evaluate(world.New(world.Objects{Meshes: []world.Object[discoveryv1.Mesh]{mesh}}))
		}, []string{"failed mesh-control-plane east Mesh/istiod.gloo-mesh: not known: cannot list deployments on cluster east: no"}},
		"a control plane on a cluster that is not registered": {CategoryMeshes, func(f *Facts) {
			f.World = policy.Evaluate(world.New(world.Objects{Meshes: []world.Object[discoveryv1.Mesh]{mesh}}))
		}, []string{"failed mesh-control-plane east Mesh/istiod.gloo-mesh: not known: cluster east is not registered"}},
		"policies": {CategoryConfiguration, func(f *Facts) { f.World = unlisted(broken) }, []string{
			"failed MC0108 cluster kind-mgmt: not known: cannot list x on cluster kind-mgmt: out of order",
			"failed configuration-written: not known: part of the configuration could not be read",
		}},
		"registrations, for the configuration": {CategoryConfiguration, func(f *Facts) { f.MembersErr = broken }, []string{
			"warning configuration-current: not known: cannot list x on cluster kind-mgmt: out of order",
			"failed configuration-written: not known: cannot list x on cluster kind-mgmt: out of order",
		}},
		"the identity of a cluster": {CategoryClusters, func(f *Facts) {
			f.Members = []MemberFacts{wellMember("east")}
			f.Members[0].UID = ""
		}, []string{"failed cluster-identity east: not known: the uid of namespace kube-system could not be read"}},
		"what runs in a cluster": {CategoryConfiguration, func(f *Facts) {
			f.Members = []MemberFacts{wellMember("east")}
			f.Members[0].Discovered = &inventory.Cluster{Err: broken}
		}, []string{"warning configuration-current east: not known: cannot list x on cluster kind-mgmt: out of order"}},
		"a dead cluster": {CategoryConfiguration, func(f *Facts) {
			f.Members = []MemberFacts{wellMember("east")}
			f.Members[0].Err = &kube.Error{Cluster: "east", Reason: kube.ReasonTimeout, Why: "no answer"}
		}, []string{"failed cluster-reachable east: no answer"}},
		"a registration that may not be read": {CategoryConfiguration, func(f *Facts) {
			f.Members = []MemberFacts{wellMember("east")}
			f.Members[0].RegistrationErr = &kube.Error{Cluster: "mgmt", Action: "read Secret east", Reason: kube.ReasonForbidden, Why: "no"}
		}, []string{"failed cluster-registration east: not known: cannot read Secret east on cluster mgmt: no"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := wellFacts()
			test.change(f)
			r := Judge(f, []string{test.category})
			var got []string
			for _, c := range r.Categories {
				got = append(got, problemsOf(lines(r, c.ID))...)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if failed := strings.Contains(strings.Join(got, "\n"), "failed "); r.Success == failed {
				t.Errorf("success = %v", r.Success)
			}
			for _, c := range r.Categories {
				for _, l := range c.Checks {
					if l.Unknown != strings.HasPrefix(l.Message, "not known: ") || l.Unknown && !l.Problem() {
						t.Errorf("%s is unknown = %v: %s", l.ID, l.Unknown, l.Message)
					}
				}
			}
		})
	}
}

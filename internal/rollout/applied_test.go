package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	security "istio.io/api/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The last applied world is read back from statuses. It evaluates as the original world did,
// even after every authored object has changed or been deleted.
func TestLastApplied(t *testing.T) {
	t.Parallel()
	for seed := range uint64(10) {
		w := newGovernedWorld(seed)
		w.apply(t)
		applied := policy.Evaluate(world.New(w.objects))
		before, recorded := LastApplied(applied.World)
		if !recorded {
			t.Fatalf("seed %d: nothing is recorded", seed)
		}
		if lines := impact.AllChangeLines(impact.Changes(compare.Results(applied, policy.Evaluate(before)))); len(lines) > 0 {
			t.Errorf("seed %d: nothing changed, but got %v", seed, lines)
		}
		if before, _ = LastApplied(applied.World.WithAuthored(world.Objects{})); before == nil {
			t.Fatalf("seed %d: deleted objects are not recorded", seed)
		}
		differences := compare.Results(applied, policy.Evaluate(before))
		if len(differences.Settings)+len(differences.Verdicts)+len(differences.Memberships)+len(differences.Federation) > 0 {
			t.Errorf("seed %d: deleted objects were not restored: %+v", seed, impact.AllChangeLines(impact.Changes(differences)))
		}
	}
}

func TestLastAppliedOfManifests(t *testing.T) {
	t.Parallel()
	mesh := &discoveryv1.Mesh{ObjectMeta: metav1.ObjectMeta{Name: "m", Namespace: "meshes"}}
	w := world.New(world.Objects{Meshes: []world.Object[discoveryv1.Mesh]{{Resource: mesh}}})
	if _, recorded := LastApplied(w); recorded {
		t.Error("a world of manifests has a last applied state")
	}
}

// A plan marks the changes that remove protection.
func TestLosses(t *testing.T) {
	t.Parallel()
	vm := world.ObjectID{Kind: "VirtualMesh", Namespace: "meshes", Name: "prod"}
	peers := func(name string, mode security.PeerAuthentication_MutualTLS_Mode) *istio.Object {
		o := object(istio.KindPeerAuthentication, name, &security.PeerAuthentication{Mtls: &security.PeerAuthentication_MutualTLS{Mode: mode}})
		o.Parents = []world.ObjectID{vm}
		return o
	}
	rules := func(name string, spec *security.AuthorizationPolicy) *istio.Object {
		o := object(istio.KindAuthorizationPolicy, name, spec)
		o.Parents = []world.ObjectID{vm}
		return o
	}
	strict, permissive := security.PeerAuthentication_MutualTLS_STRICT, security.PeerAuthentication_MutualTLS_PERMISSIVE
	some := []*security.Rule{{From: []*security.Rule_From{{Source: &security.Source{Namespaces: []string{"a"}}}}}}
	s := newStore()
	s.put(stored(t, peers("looser", strict), peers("stricter", permissive), peers("gone", strict), peers("same", strict), hostWith("host"),
		rules("denial", &security.AuthorizationPolicy{}), rules("allow", &security.AuthorizationPolicy{Rules: some}),
		rules("open", &security.AuthorizationPolicy{Rules: []*security.Rule{some[0], {}}}), // restricts nobody
		rules("deny all", &security.AuthorizationPolicy{Action: security.AuthorizationPolicy_DENY, Rules: []*security.Rule{{}}}),
		rules("deny", &security.AuthorizationPolicy{Action: security.AuthorizationPolicy_DENY, Rules: some}))...)
	wanted := []*istio.Object{peers("looser", permissive), peers("stricter", strict), peers("same", strict)}
	result := policy.Evaluate(world.New(world.Objects{}))
	invalid := &networkingv1.VirtualMesh{ObjectMeta: metav1.ObjectMeta{Name: vm.Name, Namespace: vm.Namespace}}
	broken := policy.Evaluate(world.New(world.Objects{VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: invalid, Errors: []string{"broken"}}}}))
	all := map[string]Loss{"looser": LossTLS, "gone": LossTLS, "denial": LossDefaultDenial, "allow": LossAccess, "deny": LossAccess, "deny all": LossAccess}
	for name, test := range map[string]struct {
		guard        *istio.Guard
		losses, held int
	}{
		"it was deleted": {istio.NewGuard(result, true), 6, 0},
		"it is held":     {istio.NewGuard(broken, true), 0, 7},
	} {
		c := compared(t, s, compareOptions{guard: test.guard}, wanted...)
		c.markLosses(result)
		got := map[string]Loss{}
		for i := range c.Changes {
			if change := &c.Changes[i]; change.Loss != "" {
				got[change.Key.Name] = change.Loss
				if change.Held != (change.Kind == kube.ChangeRefuse) {
					t.Errorf("%s: %s is %s, held %t", name, change.Key.Name, change.Kind, change.Held)
				}
			}
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Errorf("%s: losses (-want +got)\n%s", name, diff)
		}
		plan := &Plan{Clusters: []Cluster{*c}}
		if plan.Losses() != test.losses || plan.Held() != test.held {
			t.Errorf("%s: %d losses, %d held; want %d, %d", name, plan.Losses(), plan.Held(), test.losses, test.held)
		}
	}
}

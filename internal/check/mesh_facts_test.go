package check

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TestMeshFacts changes a world of two meshes that export to each other.
func TestMeshFacts(t *testing.T) {
	t.Parallel()
	const mesh = " east Mesh/istiod.gloo-mesh: "
	no := false
	accepting := func(domains ...string) *discoveryv1.MeshFacts {
		return &discoveryv1.MeshFacts{TrustDomainAliases: []string{}, CACertificateTrustDomains: append([]string{}, domains...), SkipValidateTrustDomain: &no}
	}
	for name, test := range map[string]struct {
		change func(*world.Objects)
		want   []string
	}{
		"in order": {func(*world.Objects) {}, nil},
		"older mesh": {
			func(o *world.Objects) { o.Meshes[0].Resource.Spec.Meshctl = nil },
			[]string{
				"warning mesh-trust-domains" + mesh + "it is not known to accept trust domain west.example: calls from there to its federated Services fail",
				"warning mesh-facts" + mesh + "1 of 3 objects have no facts about Istio, as an older version or another tool wrote them; answers assume Istio's defaults",
			},
		},
		"refused": {
			func(o *world.Objects) { o.Meshes[0].Resource.Spec.Meshctl = accepting("north.example") },
			[]string{"warning mesh-trust-domains" + mesh + "it does not accept trust domain west.example: calls from there to its federated Services fail"},
		},
		"half-injected": {
			func(o *world.Objects) { o.Workloads[0].Resource.Spec.Meshctl.Proxy = discoveryv1.PresenceSome },
			[]string{"warning mesh-proxies" + mesh + "only some pods have a proxy in 1 workload (web.shop); access rules and TLS do not hold for the others"},
		},
		"older objects and invalid facts": {
			func(o *world.Objects) {
				o.Workloads[0].Resource.Spec.Meshctl = nil
				o.Destinations[0].Resource.Spec.Meshctl.ServiceAccounts = []string{"../x"}
				o.Problems = append(o.Problems, world.Problem{Kind: world.IgnoredFact, Object: "Mesh/other.gloo-mesh", Message: "a fact is ignored"})
			},
			[]string{
				"warning mesh-facts" + mesh + "1 of 3 objects have no facts about Istio, as an older version or another tool wrote them; " +
					"facts are ignored because they are invalid: Destination/web.gloo-mesh; answers assume Istio's defaults",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			east, west := istioMesh("1.26.2"), istioMesh("1.26.2")
			east.Spec.Istio.TrustDomain, east.Spec.Meshctl = "east.example", accepting("west.example")
			west.Name, west.Spec.Istio.Installation.Cluster, west.Spec.Istio.TrustDomain = "istiod-west", "west", "west.example"
			west.Spec.Meshctl = accepting("east.example")
			ref := core.ObjectRef{Name: east.Name, Namespace: east.Namespace}
			vm := &networkingv1.VirtualMesh{ObjectMeta: metav1.ObjectMeta{Name: "vm", Namespace: "gloo-mesh"}}
			vm.Spec.Meshes = []core.ObjectRef{ref, {Name: west.Name, Namespace: west.Namespace}}
			vm.Spec.Federation = &networkingv1.Federation{FlatNetwork: true, Selectors: []networkingv1.FederationSelector{{}}}
			web := &discoveryv1.Workload{
				ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "gloo-mesh"},
				Spec: discoveryv1.WorkloadSpec{Mesh: &ref, Meshctl: &discoveryv1.WorkloadFacts{Proxy: discoveryv1.PresenceAll}, Kubernetes: &discoveryv1.KubernetesWorkload{
					Controller: &core.ClusterObjectRef{Name: "web", Namespace: "shop", ClusterName: "east"},
				}},
			}
			service := &discoveryv1.Destination{
				ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "gloo-mesh"},
				Spec: discoveryv1.DestinationSpec{Mesh: &ref, Meshctl: &discoveryv1.DestinationFacts{}, KubeService: &discoveryv1.KubeService{
					Ref: &core.ClusterObjectRef{Name: "web", Namespace: "shop", ClusterName: "east"},
				}},
			}
			objects := world.Objects{
				Meshes:        []world.Object[discoveryv1.Mesh]{{Resource: east}, {Resource: west}},
				Workloads:     []world.Object[discoveryv1.Workload]{{Resource: web}},
				Destinations:  []world.Object[discoveryv1.Destination]{{Resource: service}},
				VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: vm}},
			}
			test.change(&objects)
			f := wellFacts(wellMember("east"), wellMember("west"))
			f.World = policy.Evaluate(world.New(objects))
			var got []string
			for _, id := range []string{"mesh-trust-domains", "mesh-proxies", "mesh-facts"} {
				for _, c := range meshesCategory().Checks {
					if c.ID != id {
						continue
					}
					for _, o := range c.Judge(f) {
						if o.Result == "" {
							got = append(got, string(c.Severity)+" "+c.ID+" "+o.Cluster+" "+o.Object+": "+o.Message)
						}
					}
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			f.MeshesJudged = true
			for _, o := range judgeFindings(f) {
				if o.Finding == finding.CodeTrustDomain {
					t.Errorf("the configuration repeats what the checks of meshes say: %s", o.Message)
				}
			}
		})
	}
}

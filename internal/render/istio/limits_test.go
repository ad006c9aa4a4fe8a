package istio_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// twoClusters returns the base of most cases with all Services of both clusters
// federated.
func twoClusters(t *testing.T, more ...string) string {
	t.Helper()
	base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", "two-clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append([]string{string(base), `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
metadata: {name: prod, namespace: gloo-mesh}
spec:
  meshes:
  - {name: istiod-istio-system-east, namespace: gloo-mesh}
  - {name: istiod-istio-system-west, namespace: gloo-mesh}
  federation: {selectors: [{}]}
`}, more...), "\n---\n")
}

func find[T any](t *testing.T, all rendered, cluster, name string) []T {
	t.Helper()
	var found []T
	for i := range all.objects {
		o := &all.objects[i]
		if spec, ok := o.Spec.(T); ok && o.Cluster == cluster && strings.HasPrefix(o.Name, name) {
			for _, reason := range violations(o) {
				t.Errorf("Istio would reject %s: %s", o.ID(), reason)
			}
			found = append(found, spec)
		}
	}
	return found
}

// TestManyEndpoints holds that a flat network has as many pods as a ServiceEntry
// can have, and that gateways have none.
func TestManyEndpoints(t *testing.T) {
	t.Parallel()
	var pods strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&pods, "    - {ipAddress: 10.1.%d.%d, labels: {version: v%d}}\n", i/250, i%250, i%2)
	}
	text := twoClusters(t, `
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Destination
metadata: {name: huge-shop-east, namespace: gloo-mesh}
spec:
  mesh: {name: istiod-istio-system-east, namespace: gloo-mesh}
  kubeService:
    ref: {name: huge, namespace: shop, clusterName: east}
    ports: [{port: 80, name: http}]
    endpointSubsets:
    - ports: [{port: 8080, name: http}]
      endpoints:
`+strings.ReplaceAll(pods.String(), "    -", "      -"))
	gateways := render(loadText(t, validation.New(), text))
	flat := render(loadText(t, validation.New(), strings.ReplaceAll(text, "federation: {", "federation: {flatNetwork: true, ")))
	imported := find[*networking.ServiceEntry](t, gateways, "west", "huge.")
	pointed := find[*networking.ServiceEntry](t, flat, "west", "huge.")
	if len(imported) != 1 || len(pointed) != 1 {
		t.Fatalf("%d and %d ServiceEntries", len(imported), len(pointed))
	}
	if len(pointed[0].Endpoints) != 4096 || !strings.Contains(omissionsText(flat.omissions), "5000 pods") {
		t.Errorf("%d pods are named, and left out is\n%s", len(pointed[0].Endpoints), omissionsText(flat.omissions))
	}
	if len(imported[0].Endpoints) != 1 || strings.Contains(omissionsText(gateways.omissions), "5000 pods") {
		t.Errorf("gateways are %v, and left out is\n%s", imported[0].Endpoints, omissionsText(gateways.omissions))
	}
}

// TestManyAccessPolicies holds that more rules than fit into one
// AuthorizationPolicy, and more sources than fit into a rule, go on in another.
func TestManyAccessPolicies(t *testing.T) {
	t.Parallel()
	var policies []string
	for i := range 600 {
		policies = append(policies, fmt.Sprintf(`
apiVersion: networking.mesh.gloo.solo.io/v1
kind: AccessPolicy
metadata: {name: policy-%d, namespace: gloo-mesh}
spec:
  destinationSelector: [{kubeServiceRefs: {services: [{name: api, namespace: shop, clusterName: east}]}}]
  sourceSelector: [{kubeIdentityMatcher: {namespaces: [team-%d]}}]
`, i, i))
	}
	all := render(loadText(t, validation.New(), twoClusters(t, policies...)))
	checkIdentities(t, all)
	admitted := map[string]bool{}
	found := find[*security.AuthorizationPolicy](t, all, "east", "api")
	for _, p := range found {
		for _, rule := range p.Rules {
			admitted[rule.From[0].Source.Namespaces[0]] = true
		}
	}
	if len(found) != 2 || len(admitted) != 600 {
		t.Errorf("%d objects admit %d namespaces", len(found), len(admitted))
	}
}

// TestOddClusterName holds that a cluster whose name is no part of a hostname
// gets its own objects, and that its Services are not made known to others.
func TestOddClusterName(t *testing.T) {
	t.Parallel()
	const odd = "arn:aws:eks:cluster/East_1"
	text := twoClusters(t)
	for _, form := range []string{"cluster: %s,", "clusterName: %s}"} {
		text = strings.ReplaceAll(text, fmt.Sprintf(form, "east"), fmt.Sprintf(form, `"`+odd+`"`))
	}
	all := render(loadText(t, validation.New(), text))
	if len(find[*networking.DestinationRule](t, all, odd, "api")) == 0 {
		t.Error("nothing is rendered for the cluster itself")
	}
	if found := find[*networking.ServiceEntry](t, all, "west", "api.shop.svc.arn"); len(found) > 0 {
		t.Errorf("another cluster is told about %v", found[0].Hosts)
	}
	if want := "is not a valid DNS name"; !strings.Contains(omissionsText(all.omissions), want) {
		t.Errorf("nothing is left out because it %s:\n%s", want, omissionsText(all.omissions))
	}
	if got, want := istio.ClusterLabelValue(odd), "arn-aws-eks-cluster-east-1"; got != want {
		t.Errorf("the cluster's label is %q, want %q", got, want)
	}
}

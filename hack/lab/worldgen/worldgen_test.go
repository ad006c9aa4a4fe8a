package worldgen_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/pkg/api/validation"

	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// seeds are those that TestFeatures looks at.
const seeds = 50

func worlds() []worldgen.World {
	var result []worldgen.World
	for seed := int64(1); seed <= seeds; seed++ {
		result = append(result, worldgen.Generate(seed, worldgen.Options{Foreign: seed%2 == 0, OtherDomains: seed%3 == 0, OtherTrustDomains: seed%5 == 0, Unusual: seed%7 < 2}))
	}
	return result
}

func bundled(t *testing.T) worldgen.World {
	t.Helper()
	w, err := worldgen.Bundled(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	again := worlds()
	for i, w := range worlds() {
		if diff := cmp.Diff(w, again[i]); diff != "" {
			t.Fatalf("seed %d (-first +second):\n%s", w.Seed, diff)
		}
	}
	if cmp.Equal(again[0].Management, again[1].Management) {
		t.Error("two seeds make the same policies")
	}
}

// TestResourcesPassTheSchema holds every meshctl resource against its CRD.
func TestResourcesPassTheSchema(t *testing.T) {
	t.Parallel()
	schemas := validation.New()
	for _, w := range append(worlds(), bundled(t)) {
		for _, o := range w.Management {
			report, err := schemas.Check(o.GroupVersionKind(), o.DeepCopy().Object)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(validation.Report{}, report); diff != "" {
				t.Errorf("%s: %s %s (-want +got):\n%s", w.Name, o.GetKind(), o.GetName(), diff)
			}
		}
	}
}

// TestObjectsCanBeDeployed decodes what Kubernetes knows strictly, and looks
// whether everything that an object refers to comes before it.
func TestObjectsCanBeDeployed(t *testing.T) {
	t.Parallel()
	for _, w := range append(worlds(), bundled(t)) {
		for _, c := range w.Clusters {
			known := map[string]bool{}
			for _, o := range c.Objects {
				key := o.GetKind() + " " + o.GetNamespace() + "/" + o.GetName()
				if known[key] {
					t.Errorf("%s: %s exists twice in %s", w.Name, key, c.Name)
				}
				if o.GetNamespace() != "" && !known["Namespace /"+o.GetNamespace()] {
					t.Errorf("%s: the namespace of %s in %s does not come before it", w.Name, key, c.Name)
				}
				checkObject(t, w, o, known)
				known[key] = true
			}
		}
	}
}

func checkObject(t *testing.T, w worldgen.World, o unstructured.Unstructured, known map[string]bool) {
	t.Helper()
	strict := func(into any) {
		t.Helper()
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true); err != nil {
			t.Errorf("%s: %s %s: %v", w.Name, o.GetKind(), o.GetName(), err)
		}
	}
	switch o.GetKind() {
	case "Namespace":
		strict(&corev1.Namespace{})
	case "ServiceAccount":
		strict(&corev1.ServiceAccount{})
	case "Service":
		strict(&corev1.Service{})
	case "Deployment":
		d := &appsv1.Deployment{}
		strict(d)
		account := d.Spec.Template.Spec.ServiceAccountName
		if account != "default" && !known["ServiceAccount "+d.Namespace+"/"+account] {
			t.Errorf("%s: Deployment %s names the unknown service account %s", w.Name, d.Name, account)
		}
	default:
		if !strings.Contains(o.GetAPIVersion(), "istio.io") {
			t.Errorf("%s: unexpected object %s", w.Name, o.GetKind())
		}
	}
}

func TestWorldsAreSmall(t *testing.T) {
	t.Parallel()
	for _, w := range worlds() {
		total := 0
		for _, c := range w.Clusters {
			pods := 0
			for _, o := range c.Objects {
				if replicas, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
					pods += int(replicas)
				}
			}
			if pods < 4 || pods > 8 {
				t.Errorf("%s: %d pods in %s", w.Name, pods, c.Name)
			}
			total += pods
		}
		if total > 15 {
			t.Errorf("%s: %d pods", w.Name, total)
		}
	}
}

// TestFeatures holds that the first seeds together exercise everything. A
// feature that is missing here is one that no seed may ever try.
func TestFeatures(t *testing.T) {
	t.Parallel()
	found := map[string]int64{}
	for _, w := range worlds() {
		for _, f := range w.Features() {
			if _, known := found[f]; !known {
				found[f] = w.Seed
			}
		}
	}
	want := strings.Split(strings.TrimSpace(`
clusters 2
clusters 3
network flat
network gateways
replicas
ports 1
ports 2
ports 3
port http
port http2
port grpc
port tcp
port web
target port by name
target port differs
shift to subset
shift to Service
foreign AuthorizationPolicy
foreign PeerAuthentication
foreign VirtualService
foreign DestinationRule
foreign Sidecar
foreign ServiceEntry
VirtualMesh globalAccessPolicy ENABLED
VirtualMesh globalAccessPolicy DISABLED
VirtualMesh globalAccessPolicy MESH_DEFAULT
VirtualMesh federation permissive
VirtualMesh federation selectors destinationSelectors
VirtualMesh federation selectors meshes
VirtualMesh federation flatNetwork
VirtualMesh federation hostnameSuffix
VirtualMesh federation tcpKeepalive
VirtualMesh federation ingressGatewaySelectors portName
VirtualMesh federation tlsEnforcementSettings enforcementMode STRICT
VirtualMesh federation tlsEnforcementSettings enforcementMode PERMISSIVE
VirtualMesh federation tlsEnforcementSettings enforcementMode UNSET
TrafficPolicy sourceSelector kubeWorkloadMatcher labels
TrafficPolicy sourceSelector kubeWorkloadMatcher namespaces
TrafficPolicy sourceSelector kubeWorkloadMatcher clusters
TrafficPolicy destinationSelector kubeServiceMatcher labels
TrafficPolicy destinationSelector kubeServiceMatcher namespaces
TrafficPolicy destinationSelector kubeServiceMatcher clusters
TrafficPolicy destinationSelector kubeServiceRefs services
TrafficPolicy destinationPorts
TrafficPolicy httpRequestMatchers uri exact
TrafficPolicy httpRequestMatchers uri prefix
TrafficPolicy httpRequestMatchers uri regex
TrafficPolicy httpRequestMatchers uri suffix
TrafficPolicy httpRequestMatchers method
TrafficPolicy httpRequestMatchers headers name
TrafficPolicy httpRequestMatchers headers value
TrafficPolicy httpRequestMatchers headers regex
TrafficPolicy httpRequestMatchers headers invertMatch
TrafficPolicy httpRequestMatchers queryParameters value
TrafficPolicy httpRequestMatchers queryParameters regex
TrafficPolicy policy requestTimeout
TrafficPolicy policy retries attempts
TrafficPolicy policy retries perTryTimeout
TrafficPolicy policy faultInjection abort
TrafficPolicy policy faultInjection fixedDelay
TrafficPolicy policy faultInjection percentage
TrafficPolicy policy headerManipulation appendRequestHeaders
TrafficPolicy policy headerManipulation appendResponseHeaders
TrafficPolicy policy headerManipulation removeRequestHeaders
TrafficPolicy policy headerManipulation removeResponseHeaders
TrafficPolicy policy corsPolicy allowOrigins exact
TrafficPolicy policy corsPolicy allowOrigins prefix
TrafficPolicy policy corsPolicy allowOrigins regex
TrafficPolicy policy corsPolicy allowCredentials
TrafficPolicy policy corsPolicy maxAge
TrafficPolicy policy mirror percentage
TrafficPolicy policy trafficShift destinations options
TrafficPolicy policy outlierDetection
TrafficPolicy policy connectionPoolSettings tcp maxConnections
TrafficPolicy policy connectionPoolSettings tcp tcpKeepalive
TrafficPolicy policy connectionPoolSettings http
TrafficPolicy policy mtls istio tlsMode DISABLE
TrafficPolicy policy mtls istio tlsMode SIMPLE
TrafficPolicy policy mtls istio tlsMode ISTIO_MUTUAL
AccessPolicy sourceSelector kubeServiceAccountRefs serviceAccounts clusterName
AccessPolicy sourceSelector kubeIdentityMatcher namespaces
AccessPolicy sourceSelector kubeIdentityMatcher clusters
AccessPolicy allowedPaths
AccessPolicy allowedMethods
AccessPolicy allowedPorts
`), "\n")
	for _, f := range want {
		if _, known := found[f]; !known {
			t.Errorf("no seed up to %d has %s", seeds, f)
		}
	}
	var lines []string
	for f, seed := range found {
		if slices.Contains(want, f) {
			lines = append(lines, f+": first in seed "+string(rune('0'+seed/10))+string(rune('0'+seed%10)))
		}
	}
	slices.Sort(lines)
	t.Logf("\n%s", strings.Join(lines, "\n"))
}

func TestBundled(t *testing.T) {
	t.Parallel()
	w := bundled(t)
	got := map[string][]string{}
	for _, c := range w.Clusters {
		for _, o := range c.Objects {
			got[c.Name] = append(got[c.Name], o.GetKind()+" "+o.GetName())
		}
	}
	want := map[string][]string{
		"east": {
			"Namespace bookinfo", "Namespace istio-system",
			"ServiceAccount bookinfo-details", "ServiceAccount bookinfo-productpage", "ServiceAccount bookinfo-ratings",
			"ServiceAccount bookinfo-reviews", "ServiceAccount istio-ingressgateway-service-account",
			"Deployment istio-ingressgateway", "Deployment details-v1", "Deployment productpage-v1", "Deployment ratings-v1",
			"Deployment reviews-v1", "Deployment reviews-v2",
			"Service istio-ingressgateway", "Service details", "Service productpage", "Service ratings", "Service reviews",
		},
		"west": {
			"Namespace bookinfo", "Namespace istio-system",
			"ServiceAccount bookinfo-details", "ServiceAccount bookinfo-productpage", "ServiceAccount bookinfo-ratings",
			"ServiceAccount bookinfo-reviews", "ServiceAccount istio-ingressgateway-service-account",
			"Deployment istio-ingressgateway", "Deployment details-v1", "Deployment productpage-v1", "Deployment ratings-v1",
			"Deployment reviews-v3",
			"Service istio-ingressgateway", "Service details", "Service productpage", "Service ratings", "Service reviews",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
	reviews := w.Clusters[1].Objects[len(w.Clusters[1].Objects)-1].Object
	wantReviews := map[string]any{
		"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": "reviews", "namespace": "bookinfo", "labels": map[string]any{"app": "reviews", "service": "reviews"}},
		"spec": map[string]any{
			"type": "ClusterIP", "selector": map[string]any{"app": "reviews"},
			"ports": []any{map[string]any{"name": "http", "port": int64(9080), "targetPort": int64(9080), "protocol": "TCP"}},
		},
	}
	if diff := cmp.Diff(wantReviews, reviews); diff != "" {
		t.Errorf("reviews in the west (-want +got):\n%s", diff)
	}
	if got, want := len(w.Management), 22; got != want {
		t.Errorf("%d management resources, want %d", got, want)
	}
	east := w.Cluster("east")
	if east.TrustDomain != "east.example.internal" || !east.DNSCapture() || east.Mesh() != "istiod-istio-system-east" {
		t.Errorf("east has trust domain %s, DNS capture %v, mesh %s", east.TrustDomain, east.DNSCapture(), east.Mesh())
	}
	accepted := map[string]any{"caCertificates": []any{map[string]any{"trustDomains": []any{"west.example.internal"}}}}
	if diff := cmp.Diff(accepted["caCertificates"], east.MeshConfig["caCertificates"]); diff != "" {
		t.Errorf("caCertificates of east (-want +got):\n%s", diff)
	}
}

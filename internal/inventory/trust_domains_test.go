package inventory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// TestTrustDomainsAreRemembered discovers a mesh several times and checks that the accepted
// trust domain is kept.
func TestTrustDomainsAreRemembered(t *testing.T) {
	t.Parallel()
	stored := func(spec map[string]any, annotations map[string]string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		object.SetGroupVersionKind(Kinds()[0])
		object.SetNamespace("gloo-mesh")
		object.SetName("istiod-east")
		object.SetLabels(map[string]string{discovery.OwnerLabel: "gloo-mesh", discovery.ClusterLabel: "east"})
		object.SetAnnotations(annotations)
		return object
	}
	istio := func(domain string) map[string]any {
		return map[string]any{"istio": map[string]any{"trustDomain": domain}}
	}
	for name, tt := range map[string]struct {
		stored *unstructured.Unstructured
		found  string
		noted  string
		change []TrustDomainChange
	}{
		"new":                 {nil, "east.example", "east.example", nil},
		"new, of the default": {nil, "", "cluster.local", nil},
		"the same":            {stored(istio("east.example"), nil), "east.example", "east.example", nil},
		"changed, stored by an older version": {
			stored(istio("east.example"), nil), "west.example", "east.example", []TrustDomainChange{{"istiod-east", "east", "east.example", "west.example"}},
		},
		"still changed": {
			stored(istio("west.example"), map[string]string{discoveryv1.TrustDomainAnnotation: "east.example"}), "west.example", "east.example",
			[]TrustDomainChange{{"istiod-east", "east", "east.example", "west.example"}},
		},
		"accepted since": {stored(istio("west.example"), map[string]string{discoveryv1.TrustDomainAnnotation: "west.example"}), "west.example", "west.example", nil},
		"changed back":   {stored(istio("west.example"), map[string]string{discoveryv1.TrustDomainAnnotation: "east.example"}), "east.example", "east.example", nil},
		"from the default": {
			stored(map[string]any{"istio": map[string]any{}}, nil), "east.example", "cluster.local", []TrustDomainChange{{"istiod-east", "east", "cluster.local", "east.example"}},
		},
		"of another kind before": {stored(map[string]any{"linkerd": map[string]any{}}, nil), "east.example", "east.example", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &Stored{
				connection: kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: "https://mgmt.example"}, kube.Options{}), namespace: "gloo-mesh", kinds: Kinds(),
				objects: map[kube.ObjectKey]*unstructured.Unstructured{},
			}
			if tt.stored != nil {
				s.objects[kube.KeyOf(tt.stored)] = tt.stored
			}
			mesh := discoveryv1.Mesh{
				TypeMeta: metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: "Mesh"},
				ObjectMeta: metav1.ObjectMeta{
					Name: "istiod-east", Namespace: "gloo-mesh", Labels: map[string]string{discovery.OwnerLabel: "gloo-mesh", discovery.ClusterLabel: "east"},
				},
				Spec: discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{TrustDomain: tt.found}},
			}
			plan, err := s.PlanDiscovered([]Cluster{{Name: "east", Output: discovery.Output{Meshes: []discoveryv1.Mesh{mesh}}}}, true)
			if err != nil {
				t.Fatal(err)
			}
			if noted := plan.Changes[0].desired.GetAnnotations()[discoveryv1.TrustDomainAnnotation]; noted != tt.noted {
				t.Errorf("noted %q, want %q", noted, tt.noted)
			}
			if diff := cmp.Diff(tt.change, plan.TrustDomainChanges("east")); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
			if mesh.Annotations != nil {
				t.Error("the discovered objects were modified")
			}
		})
	}
}

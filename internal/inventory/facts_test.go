package inventory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// managementAPI serves one stored Mesh and the schema of its spec; no schema: the CRD may not
// be read.
type managementAPI struct {
	spec   map[string]any
	schema map[string]any
}

func (a *managementAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	answer := func(code int, object any) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(object)
	}
	const group = "/apis/discovery.mesh.gloo.solo.io/v1"
	resources := func(kinds ...string) {
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}}
		for _, kind := range kinds {
			name := strings.ToLower(kind) + "s"
			if kind == "Mesh" {
				name = "meshes"
			}
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: name, Kind: kind, Namespaced: kind != "CustomResourceDefinition"})
		}
		answer(http.StatusOK, list)
	}
	list := func(kind string, items ...any) {
		answer(http.StatusOK, map[string]any{"apiVersion": "discovery.mesh.gloo.solo.io/v1", "kind": kind + "List", "metadata": map[string]any{"resourceVersion": "1"}, "items": append([]any{}, items...)})
	}
	switch r.URL.Path {
	case group:
		resources("Mesh", "Workload", "Destination")
	case "/apis/apiextensions.k8s.io/v1":
		resources("CustomResourceDefinition")
	case "/api/v1/namespaces/gloo-mesh":
		answer(http.StatusOK, map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": map[string]any{"name": "gloo-mesh"}})
	case group + "/namespaces/gloo-mesh/meshes":
		list("Mesh", map[string]any{
			"apiVersion": "discovery.mesh.gloo.solo.io/v1", "kind": "Mesh", "spec": a.spec,
			"metadata": map[string]any{
				"name": "istiod", "namespace": "gloo-mesh",
				"labels": map[string]any{discovery.OwnerLabel: "gloo-mesh", discovery.ClusterLabel: "east"},
			},
		})
	case group + "/namespaces/gloo-mesh/workloads":
		list("Workload")
	case group + "/namespaces/gloo-mesh/destinations":
		list("Destination")
	case "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/meshes.discovery.mesh.gloo.solo.io":
		if a.schema == nil {
			answer(http.StatusForbidden, metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden,
			})
			return
		}
		schema := map[string]any{"openAPIV3Schema": map[string]any{"properties": map[string]any{"spec": a.schema}}}
		answer(http.StatusOK, map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "meshes.discovery.mesh.gloo.solo.io"},
			"spec": map[string]any{"versions": []any{map[string]any{"name": "v0"}, map[string]any{"name": "v1", "schema": schema}}},
		})
	default:
		answer(http.StatusNotFound, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusNotFound})
	}
}

// TestFactsThatTheClusterDrops: where the CRD of another tool has no facts, a plan does not
// try to write them again and again.
func TestFactsThatTheClusterDrops(t *testing.T) {
	t.Parallel()
	istio := map[string]any{"trustDomain": "td"}
	properties := func(names ...string) map[string]any {
		fields := map[string]any{}
		for _, name := range names {
			fields[name] = map[string]any{"type": "object"}
		}
		return map[string]any{"properties": fields}
	}
	open := properties("istio")
	open["x-kubernetes-preserve-unknown-fields"] = true
	tests := []struct {
		name string
		api  managementAPI
		want []string
	}{
		{name: "a CRD without facts", api: managementAPI{spec: map[string]any{"istio": istio}, schema: properties("istio")}},
		{name: "a CRD with facts", api: managementAPI{spec: map[string]any{"istio": istio}, schema: properties("istio", "meshctl")}, want: []string{"spec.meshctl"}},
		{name: "a CRD that keeps everything", api: managementAPI{spec: map[string]any{"istio": istio}, schema: open}, want: []string{"spec.meshctl"}},
		{name: "a CRD that may not be read", api: managementAPI{spec: map[string]any{"istio": istio}}, want: []string{"spec.meshctl"}},
		{
			name: "stored facts are proof enough",
			api:  managementAPI{spec: map[string]any{"istio": istio, "meshctl": map[string]any{"revision": "old"}}, schema: properties("istio")},
			want: []string{"spec.meshctl.revision"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(&tt.api)
			t.Cleanup(server.Close)
			stored, err := ReadDiscovered(t.Context(), kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{}), "gloo-mesh")
			if err != nil {
				t.Fatal(err)
			}
			mesh := discoveryv1.Mesh{
				TypeMeta: metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: "Mesh"},
				ObjectMeta: metav1.ObjectMeta{
					Name: "istiod", Namespace: "gloo-mesh", Labels: map[string]string{discovery.OwnerLabel: "gloo-mesh", discovery.ClusterLabel: "east"},
				},
				Spec: discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{TrustDomain: "td"}, Meshctl: &discoveryv1.MeshFacts{Revision: "new"}},
			}
			plan, err := stored.PlanDiscovered([]Cluster{{Name: "east", Output: discovery.Output{Cluster: "east", Meshes: []discoveryv1.Mesh{mesh}}}}, true)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, change := range plan.Changes {
				for _, field := range change.Fields {
					if strings.HasPrefix(fmt.Sprint(field.Path), "spec.") {
						got = append(got, fmt.Sprint(field.Path))
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("changed fields (-want +got):\n%s", diff)
			}
		})
	}
}

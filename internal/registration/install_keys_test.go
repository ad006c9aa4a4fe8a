package registration

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

// TestFindKeys holds that uninstall names the Secrets with keys that it keeps and how
// to remove them, and says so if it may not look.
func TestFindKeys(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code   int
		answer map[string]any
		want   []Leftover
	}{
		"none": {200, map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": map[string]any{}, "items": []any{}}, nil},
		"a key": {
			200,
			map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList", "metadata": map[string]any{}, "items": []any{
				map[string]any{"metadata": map[string]any{"name": "prod.gloo-mesh", "namespace": "gloo-mesh"}},
			}},
			[]Leftover{{
				Cluster: "mgmt", Object: "Secret prod.gloo-mesh in gloo-mesh, with the private key of a root CA",
				Command: "kubectl --kubeconfig k --context kind-mgmt delete secret prod.gloo-mesh --namespace gloo-mesh",
			}},
		},
		"forbidden": {
			403,
			map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "secrets is forbidden: no"},
			[]Leftover{{
				Cluster: "mgmt", Object: "Secrets with private keys of root CAs in gloo-mesh",
				Advice: "not known whether there are any: cannot list secrets in gloo-mesh on cluster mgmt: forbidden: no: get this permission, or use other credentials",
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				answer := tt.answer
				if r.URL.Path == "/api/v1" {
					answer = map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": []any{map[string]any{"name": "secrets", "kind": "Secret", "namespaced": true}}}
				} else {
					query := r.URL.Query()
					asked := []string{r.URL.Path, query.Get("fieldSelector"), query.Get("labelSelector")}
					want := []string{"/api/v1/namespaces/gloo-mesh/secrets", "type=certificates.mesh.gloo.solo.io/generated_signing_cert", "app.kubernetes.io/managed-by=meshctl"}
					if diff := cmp.Diff(want, asked); diff != "" {
						t.Errorf("request (-want +got):\n%s", diff)
					}
					w.WriteHeader(tt.code)
				}
				if err := json.NewEncoder(w).Encode(answer); err != nil {
					t.Error(err)
				}
			}))
			t.Cleanup(server.Close)
			connection := kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
			connection.Context = "kind-mgmt"
			u := &uninstaller{connection: connection, opts: UninstallOptions{Namespace: "gloo-mesh", Kubeconfig: "k"}}
			u.findKeys(t.Context())
			if diff := cmp.Diff(tt.want, u.keys); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

package registration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

// TestForeignNamespace holds that uninstall keeps a namespace that it did not make,
// and takes off what install wrote on it.
func TestForeignNamespace(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		annotations map[string]any
		want        []string
	}{
		"it lists nothing":        {map[string]any{"owner": "b"}, nil},
		"it lists namespaces":     {map[string]any{"owner": "b", kube.PolicyNamespacesAnnotation: "team-a"}, []string{"configured"}},
		"it lists no namespaces":  {map[string]any{kube.PolicyNamespacesAnnotation: ""}, []string{"configured"}},
		"it has no such metadata": {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			namespace := func(version string, annotations map[string]any) map[string]any {
				return map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "theirs", "resourceVersion": version, "annotations": annotations}}
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				var answer any
				switch {
				case r.URL.Path == "/api/v1":
					answer = map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "v1", "resources": []any{
						map[string]any{"name": "namespaces", "kind": "Namespace", "verbs": []any{"get", "patch"}},
					}}
				case r.Method == http.MethodPatch:
					var applied struct {
						Metadata map[string]any `json:"metadata"`
					}
					text, _ := io.ReadAll(r.Body)
					if err := json.Unmarshal(text, &applied); err != nil || r.URL.Query().Get("fieldManager") != kube.DefaultFieldManager {
						t.Errorf("%s: %v", r.URL, err)
					}
					if diff := cmp.Diff(map[string]any{"name": "theirs"}, applied.Metadata); diff != "" {
						t.Errorf("applied (-want +got):\n%s", diff)
					}
					answer = namespace("2", map[string]any{"owner": "b"})
				default:
					answer = namespace("1", tt.annotations)
				}
				if err := json.NewEncoder(w).Encode(answer); err != nil {
					t.Error(err)
				}
			}))
			t.Cleanup(server.Close)
			u := &uninstaller{
				connection: kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{}), opts: UninstallOptions{Namespace: "theirs"},
			}
			if err := u.removeNamespace(t.Context()); err != nil {
				t.Fatal(err)
			}
			var outcomes []string
			for _, result := range u.result.Results {
				outcomes = append(outcomes, string(result.Outcome))
			}
			if diff := cmp.Diff(tt.want, outcomes); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"Namespace theirs: not created by meshctl"}, u.result.Kept); diff != "" {
				t.Errorf("kept (-want +got):\n%s", diff)
			}
		})
	}
}

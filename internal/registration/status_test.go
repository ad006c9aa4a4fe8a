package registration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

// serve starts a server with a handler per path, and returns its address. Other paths are
// handled by that of the empty path.
func serve(t *testing.T, paths map[string]http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, found := paths[r.URL.Path]
		if !found {
			handler = paths[""]
		}
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// answering returns a handler with a constant response; a body that is not a string is encoded
// as JSON.
func answering(code int, body any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, isText := body.(string)
		if isText {
			w.Header().Set("Content-Type", "text/html")
		} else {
			w.Header().Set("Content-Type", "application/json")
			encoded, _ := json.Marshal(body)
			text = string(encoded)
		}
		w.WriteHeader(code)
		_, _ = fmt.Fprint(w, text)
	}
}

func failing(code int, reason, message string) http.HandlerFunc {
	return answering(code, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message})
}

// managing returns a connection to a management cluster with one registered cluster at the
// address.
func managing(t *testing.T, address string) *kube.Connection {
	t.Helper()
	kubeconfig := `{"apiVersion":"v1","kind":"Config","current-context":"c","contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],
		"clusters":[{"name":"c","cluster":{"server":"` + address + `"}}],"users":[{"name":"u","user":{"token":"t"}}]}`
	url := serve(t, map[string]http.HandlerFunc{
		"/apis/multicluster.solo.io/v1alpha1/namespaces/gloo-mesh/kubernetesclusters": answering(http.StatusOK, map[string]any{
			"apiVersion": "multicluster.solo.io/v1alpha1", "kind": "KubernetesClusterList", "metadata": map[string]any{},
			"items": []any{map[string]any{"metadata": map[string]any{"name": "east", "namespace": "gloo-mesh"}}},
		}),
		"/api/v1/namespaces/gloo-mesh/secrets/east": answering(http.StatusOK, map[string]any{
			"apiVersion": "v1", "kind": "Secret", "type": kube.KubeconfigSecretType, "metadata": map[string]any{"name": "east", "namespace": "gloo-mesh"},
			"data": map[string]any{kube.KubeconfigSecretKey: base64.StdEncoding.EncodeToString([]byte(kubeconfig))},
		}),
		"": failing(http.StatusNotFound, "NotFound", "not found"),
	})
	return kube.New("management", kube.SourceManagement, &rest.Config{Host: url}, kube.Options{})
}

// A cluster is ready only if it answers the actual requests, not if just anything responds.
func TestStatusesOfClustersThatAnswerBadly(t *testing.T) {
	t.Parallel()
	version := answering(http.StatusOK, map[string]any{"major": "1", "minor": "36", "gitVersion": "v1.36.0"})
	namespace := answering(http.StatusOK, map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": map[string]any{"name": "kube-system", "uid": "u-1"}})
	broken := failing(http.StatusInternalServerError, "InternalError", "etcd is gone")
	const kubeSystem = "/api/v1/namespaces/kube-system"
	tests := []struct {
		name  string
		paths map[string]http.HandlerFunc
		want  string
	}{
		{name: "everything is fine", paths: map[string]http.HandlerFunc{"/version": version, kubeSystem: namespace}, want: "ready, 0 notes"},
		{
			name: "may not read the namespace", want: "ready, 1 notes",
			paths: map[string]http.HandlerFunc{"/version": version, kubeSystem: failing(http.StatusForbidden, "Forbidden", "no")},
		},
		{
			name: "fails with everything", paths: map[string]http.HandlerFunc{"": broken},
			want: "cannot read the version on cluster east: SERVER answers: " +
				`an error on the server ("unknown") has prevented the request from succeeding`,
		},
		{
			name: "fails with one answer", paths: map[string]http.HandlerFunc{"/version": version, kubeSystem: broken},
			want: "cannot read Namespace kube-system on cluster east: SERVER answers: etcd is gone",
		},
		{
			name: "web pages", paths: map[string]http.HandlerFunc{"": answering(http.StatusOK, "<html>")},
			want: "cluster east: SERVER answers with a web page (200 OK)",
		},
		{
			name: "JSON of something else", paths: map[string]http.HandlerFunc{"": answering(http.StatusOK, map[string]any{"status": "UP"})},
			want: "cluster east: SERVER answers", // either of the two requests may fail first
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			address := serve(t, tt.paths)
			statuses, err := Statuses(t.Context(), managing(t, address), StatusOptions{
				Namespace: "gloo-mesh", Clock: time.Now, Meshes: func(context.Context, *kube.Connection) ([]string, error) { return nil, nil },
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range statuses {
				switch {
				case s.Reachable && s.Err == nil:
					got = append(got, fmt.Sprintf("ready, %d notes", len(s.Notes)))
				case !s.Reachable && s.Err != nil:
					got = append(got, strings.ReplaceAll(s.Err.Message(), address, "SERVER"))
				}
			}
			if len(got) == 1 && tt.name == "JSON of something else" {
				got[0], _, _ = strings.Cut(got[0], " the request")
				got[0], _, _ = strings.Cut(got[0], " with something")
			}
			if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

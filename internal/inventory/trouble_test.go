package inventory

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
)

// troubledAPI answers one path differently.
type troubledAPI struct {
	liveAPI
	path   string
	answer func(w http.ResponseWriter, r *http.Request, whole []byte)
}

func (a *troubledAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != a.path {
		a.liveAPI.ServeHTTP(w, r)
		return
	}
	whole := httptest.NewRecorder()
	a.liveAPI.ServeHTTP(whole, r)
	a.answer(w, r, whole.Body.Bytes())
}

// troubles are answers to a list request that leave unknown which objects exist.
func troubles() map[string]func(w http.ResponseWriter, r *http.Request, whole []byte) {
	status := func(code int) func(http.ResponseWriter, *http.Request, []byte) {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"Status","status":"Failure","message":"not now"}`))
		}
	}
	text := func(contentType, body string) func(http.ResponseWriter, *http.Request, []byte) {
		return func(w http.ResponseWriter, _ *http.Request, _ []byte) {
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write([]byte(body))
		}
	}
	return map[string]func(w http.ResponseWriter, r *http.Request, whole []byte){
		"429": status(http.StatusTooManyRequests), "500": status(http.StatusInternalServerError), "502": status(http.StatusBadGateway),
		"503": status(http.StatusServiceUnavailable), "504": status(http.StatusGatewayTimeout), "400": status(http.StatusBadRequest),
		"410": status(http.StatusGone), "418": status(http.StatusTeapot),
		"404 of a kind that is served": status(http.StatusNotFound),
		"a web page":                   text("text/html", "<html>Sign in</html>"),
		"nothing":                      text("application/json", ""),
		"a status of success":          text("application/json", `{"apiVersion":"v1","kind":"Status","status":"Success"}`),
		"a list of another kind":       text("application/json", `{"apiVersion":"v1","kind":"SecretList","metadata":{},"items":[]}`),
		"a list without a kind":        text("application/json", `{"metadata":{},"items":[]}`),
		"a truncated body": func(w http.ResponseWriter, _ *http.Request, whole []byte) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(whole[:len(whole)/2])
		},
		"a connection that breaks": func(w http.ResponseWriter, _ *http.Request, whole []byte) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(whole)
		},
		"items of another kind": func(w http.ResponseWriter, _ *http.Request, whole []byte) {
			w.Header().Set("Content-Type", "application/json")
			head, _, _ := strings.Cut(string(whole), `"items":`)
			_, _ = w.Write([]byte(head + `"items":[{"apiVersion":"v1","kind":"Event","metadata":{"name":"x","namespace":"shop"}}],"metadata":{}}`))
		},
		"a further page that fails": func(w http.ResponseWriter, r *http.Request, whole []byte) {
			if r.URL.Query().Get("continue") != "" {
				status(http.StatusServiceUnavailable)(w, r, whole)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(strings.Replace(string(whole), `"metadata":{"resourceVersion":"7"}`, `"metadata":{"resourceVersion":"7","continue":"more"}`, 1)))
		},
	}
}

// listPath returns the path at which a kind is listed.
func listPath(kind discovery.Kind) string {
	switch {
	case kind.Kind == "ConfigMap": // read only in the namespace of the control plane
		return "/api/v1/namespaces/istio-system/configmaps"
	case kind.Group == "":
		return "/api/v1/" + kind.Resource
	default:
		return "/apis/" + kind.Group + "/" + kind.Version + "/" + kind.Resource
	}
}

// TestAListThatFailsChangesNothing checks that no failure to list a kind is taken for the
// absence of its objects (D71).
func TestAListThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	lists := memberCluster()
	lists["/apis/appmesh.k8s.aws/v1beta2/meshes"] = nil
	good := (&liveAPI{lists: lists}).connect(t, "east")
	for _, kind := range discovery.Kinds() {
		for name, answer := range troubles() {
			t.Run(kind.Kind+", "+name, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewServer(&troubledAPI{liveAPI: liveAPI{lists: lists}, path: listPath(kind), answer: answer})
				t.Cleanup(server.Close)
				bad := kube.New("east", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
				found, err := Discover(t.Context(), DiscoverOptions{Connections: []*kube.Connection{good, bad}})
				if err != nil {
					t.Fatal(err)
				}
				if found[0].Err != nil || !found[0].Complete() {
					t.Fatalf("without trouble: %v", found[0].Err)
				}
				stored := storedFrom(t, &found[0])
				if found[1].Err == nil {
					t.Fatalf("discovered as %+v, unlisted %v", found[1].Output, found[1].Unlisted)
				}
				plan, err := stored.PlanDiscovered(found[1:], true)
				if err != nil {
					t.Fatal(err)
				}
				var changes []string
				for i := range plan.Changes {
					changes = append(changes, string(plan.Changes[i].Kind)+" "+plan.Changes[i].Key.GVK.Kind+" "+plan.Changes[i].Key.Name)
				}
				slices.Sort(changes)
				want := []string{
					"leave Destination reviews-shop-east", "leave Mesh istiod-istio-system-east", "leave Workload reviews-shop-east-deployment",
				}
				if diff := cmp.Diff(want, changes); diff != "" {
					t.Errorf("plan (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// storedFrom returns a management cluster that stores the discovered objects.
func storedFrom(t *testing.T, found *Cluster) *Stored {
	t.Helper()
	objects, err := Manifests(found.Output)
	if err != nil {
		t.Fatal(err)
	}
	stored := &Stored{
		connection: kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: "https://mgmt"}, kube.Options{}), namespace: "gloo-mesh",
		kinds: Kinds(), objects: map[kube.ObjectKey]*unstructured.Unstructured{},
	}
	for _, object := range objects {
		stored.objects[kube.KeyOf(object)] = object
	}
	return stored
}

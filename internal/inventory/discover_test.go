package inventory

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// liveAPI answers list requests as an API server does: with the objects of the path, with
// "forbidden" where configured, and with "not found" for other paths.
type liveAPI struct {
	lists     map[string][]map[string]any
	forbidden []string
}

func (a *liveAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	items, found := a.lists[r.URL.Path]
	forbidden := slices.Contains(a.forbidden, r.URL.Path)
	switch {
	case r.URL.Path == "/api/v1", strings.Count(r.URL.Path, "/") == 3 && strings.HasPrefix(r.URL.Path, "/apis/"): // the group's resources
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}}
		for path := range a.lists {
			if name, found := strings.CutPrefix(path, r.URL.Path+"/"); found {
				list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
			}
		}
		_ = json.NewEncoder(w).Encode(list)
	case forbidden:
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "x is forbidden: not for you",
		})
	case found:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"apiVersion": listVersion(r), "kind": listKind(r), "metadata": map[string]any{"resourceVersion": "7"}, "items": items,
		})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// listKind returns the kind of a list, which clients that decode typed objects require.
func listKind(r *http.Request) string {
	if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
		return "PartialObjectMetadataList"
	}
	kinds := map[string]string{
		"deployments": "Deployment", "daemonsets": "DaemonSet", "statefulsets": "StatefulSet", "pods": "Pod", "services": "Service",
		"endpointslices": "EndpointSlice", "configmaps": "ConfigMap", "nodes": "Node", "meshes": "Mesh",
	}
	return kinds[r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]] + "List"
}

// listVersion returns the apiVersion of a list.
func listVersion(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList"):
		return "meta.k8s.io/v1"
	case parts[0] == "api":
		return parts[1]
	default:
		return parts[1] + "/" + parts[2]
	}
}

func (a *liveAPI) connect(t *testing.T, name string) *kube.Connection {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return kube.New(name, kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
}

// memberCluster returns a cluster with an istiod, and a workload behind a Service.
func memberCluster() map[string][]map[string]any {
	labels := map[string]any{"app": "reviews"}
	container := func(name, image string) map[string]any { return map[string]any{"name": name, "image": image} }
	owner := func(kind, name string) []any {
		return []any{map[string]any{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": name, "controller": true}}
	}
	deployment := func(namespace, name string, containers ...any) map[string]any {
		return map[string]any{
			"metadata": map[string]any{"name": name, "namespace": namespace, "uid": name},
			"spec": map[string]any{
				"selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"serviceAccountName": name, "containers": containers}},
			},
		}
	}
	return map[string][]map[string]any{
		"/apis/apps/v1/deployments": {
			deployment("istio-system", "istiod", container("discovery", "docker.io/istio/pilot:1.31.1")),
			deployment("shop", "reviews", container("app", "reviews:1")),
		},
		"/apis/apps/v1/daemonsets": {}, "/apis/apps/v1/statefulsets": {},
		"/apis/apps/v1/replicasets": {{"metadata": map[string]any{"name": "reviews-1", "namespace": "shop", "uid": "reviews-1", "ownerReferences": owner("Deployment", "reviews")}}},
		"/api/v1/pods": {{
			"metadata": map[string]any{"name": "reviews-1-x", "namespace": "shop", "labels": labels, "ownerReferences": owner("ReplicaSet", "reviews-1")},
			"spec":     map[string]any{"containers": []any{container("app", "reviews:1"), container("istio-proxy", "docker.io/istio/proxyv2:1.31.1")}},
		}},
		"/api/v1/services": {{
			"metadata": map[string]any{"name": "reviews", "namespace": "shop"},
			"spec":     map[string]any{"selector": labels, "ports": []any{map[string]any{"name": "http", "port": 9080}}},
		}},
		"/apis/discovery.k8s.io/v1/endpointslices":   {},
		"/api/v1/namespaces/istio-system/configmaps": {{"metadata": map[string]any{"name": "istio", "namespace": "istio-system"}, "data": map[string]any{"mesh": "trustDomain: td"}}},
		"/api/v1/nodes":      {},
		"/api/v1/namespaces": {},
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	east := (&liveAPI{lists: memberCluster()}).connect(t, "east")
	west := (&liveAPI{lists: memberCluster(), forbidden: []string{"/api/v1/nodes"}}).connect(t, "west")
	dead := kube.New("dead", kube.SourceContext, &rest.Config{Host: "https://127.0.0.1:1"}, kube.Options{})
	objects, err := Objects(t.Context(), DiscoverOptions{Connections: []*kube.Connection{west, dead, east}}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range objects.Meshes {
		got = append(got, "Mesh "+o.Resource.Name+" "+o.Origin.String())
	}
	for _, o := range objects.Workloads {
		got = append(got, "Workload "+o.Resource.Name+" "+o.Origin.String())
	}
	for _, o := range objects.Destinations {
		got = append(got, "Destination "+o.Resource.Name+" "+o.Origin.String())
	}
	for _, p := range objects.Problems {
		got = append(got, fmt.Sprintf("%s %s: %s (%s)", p.Kind, p.Origin, p.Message, p.Hint))
	}
	want := []string{
		"Mesh istiod-istio-system-east cluster east", "Mesh istiod-istio-system-west cluster west",
		"Workload reviews-shop-east-deployment cluster east", "Workload reviews-shop-west-deployment cluster west",
		"Destination reviews-shop-east cluster east", "Destination reviews-shop-west cluster west",
		"UnlistedKind cluster west: cannot list nodes on cluster west: forbidden: not for you; not known: regions, zones and the addresses of node ports (get this permission, or use other credentials)",
		"UnusableCluster cluster dead: connection refused (https://127.0.0.1:1) (check that the cluster runs and that the address is right)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("discovered (-want +got):\n%s", diff)
	}
	if mesh := objects.Meshes[0].Resource.Spec.Istio; mesh == nil || mesh.TrustDomain != "td" {
		t.Errorf("the ConfigMap of the mesh was not read: %+v", mesh)
	}
}

func TestDiscoverKnowsWhatItSaw(t *testing.T) {
	t.Parallel()
	nothing := []string{"/api/v1/configmaps", "/apis/appmesh.k8s.aws/v1beta2/meshes"}
	for path := range memberCluster() {
		nothing = append(nothing, path)
	}
	noDeployments := memberCluster()
	tests := []struct {
		name     string
		server   *liveAPI
		complete bool
		want     string
	}{
		{"everything", &liveAPI{lists: memberCluster()}, true, "1 meshes, unlisted [], error <nil>"},
		{"no pods", &liveAPI{lists: memberCluster(), forbidden: []string{"/api/v1/pods"}}, false, "1 meshes, unlisted [Pod], error <nil>"},
		{
			"no deployments, and so no ConfigMaps to look at", &liveAPI{lists: noDeployments, forbidden: []string{"/apis/apps/v1/deployments"}}, false,
			"0 meshes, unlisted [Deployment], error <nil>",
		},
		{"nothing", &liveAPI{lists: memberCluster(), forbidden: nothing}, false, "0 meshes, unlisted"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := Discover(t.Context(), DiscoverOptions{Connections: []*kube.Connection{tt.server.connect(t, "east")}})
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			var unlisted []string
			for _, u := range found[0].Unlisted {
				unlisted = append(unlisted, u.Kind.Kind)
			}
			got := fmt.Sprintf("%d meshes, unlisted %v, error %v", len(found[0].Output.Meshes), unlisted, found[0].Err)
			if !strings.HasPrefix(got, tt.want) || found[0].Complete() != tt.complete {
				t.Errorf("got %q, complete %t", got, found[0].Complete())
			}
			if tt.name == "nothing" && found[0].Err == nil {
				t.Error("a cluster without readable objects counts as discovered")
			}
		})
	}
}

// TestRemoteSecrets: their names are read as metadata only, by whoever may list
// them, and it is no problem if nobody may.
func TestRemoteSecrets(t *testing.T) {
	t.Parallel()
	const path = "/api/v1/namespaces/istio-system/secrets"
	withSecrets := func(secrets ...map[string]any) map[string][]map[string]any {
		lists := memberCluster()
		lists[path] = secrets
		return lists
	}
	secret := func(name string, annotations map[string]any) map[string]any {
		return map[string]any{"metadata": map[string]any{"name": name, "namespace": "istio-system", "annotations": annotations}}
	}
	tests := []struct {
		name   string
		server *liveAPI
		want   []string
	}{
		{
			name: "two",
			server: &liveAPI{lists: withSecrets(
				secret("istio-remote-secret-west", nil), secret("other", map[string]any{"networking.istio.io/cluster": "north"}),
				secret("istio-remote-secret-north", nil),
			)},
			want: []string{"north", "west"},
		},
		{name: "none", server: &liveAPI{lists: withSecrets()}, want: []string{}},
		{name: "forbidden", server: &liveAPI{lists: withSecrets(), forbidden: []string{path}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			asked := make(chan *http.Request, 100)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/secrets") {
					asked <- r
				}
				tt.server.ServeHTTP(w, r)
			}))
			t.Cleanup(server.Close)
			connection := kube.New("east", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
			found, err := Discover(t.Context(), DiscoverOptions{Connections: []*kube.Connection{connection}})
			if err != nil || !found[0].Complete() {
				t.Fatal(err, found[0].Err, found[0].Unlisted)
			}
			if diff := cmp.Diff(tt.want, found[0].Output.Meshes[0].Spec.Meshctl.RemoteClusters); diff != "" {
				t.Errorf("remote clusters (-want +got):\n%s", diff)
			}
			close(asked)
			requests := 0
			for r := range asked {
				requests++
				accepts, labels := r.Header.Get("Accept"), r.URL.Query().Get("labelSelector")
				if !strings.Contains(accepts, "PartialObjectMetadataList") || strings.Contains(accepts, "application/json,") || labels != "istio/multiCluster=true" {
					t.Errorf("asked for %s with Accept %q", r.URL, accepts)
				}
			}
			if requests != 1 {
				t.Errorf("%d requests for Secrets", requests)
			}
		})
	}
}

// TestRemoteSecretsFail: a failure that is not a lack of permission fails discovery,
// like that of any other list.
func TestRemoteSecretsFail(t *testing.T) {
	t.Parallel()
	api := &liveAPI{lists: memberCluster()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/secrets") {
			_, _ = w.Write([]byte("no API"))
			return
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	connection := kube.New("east", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
	found, err := Discover(t.Context(), DiscoverOptions{Connections: []*kube.Connection{connection}})
	if err != nil || found[0].Err == nil {
		t.Errorf("%v, %+v", err, found)
	}
}

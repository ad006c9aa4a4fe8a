package sharedtrust_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// recordsAPI is a management cluster with a few objects, which are merged with or
// replaced by what is written.
type recordsAPI struct {
	mu      sync.Mutex
	objects map[string]map[string]any
}

func (a *recordsAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	answer := func(body any) { _ = json.NewEncoder(w).Encode(body) }
	path := strings.TrimSuffix(r.URL.Path, "/status")
	object := a.objects[path]
	switch parts := strings.Split(strings.Trim(path, "/"), "/"); {
	case len(parts) == 3:
		answer(map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": parts[1] + "/" + parts[2], "resources": []any{
			map[string]any{"name": "meshes", "kind": "Mesh", "namespaced": true}, map[string]any{"name": "virtualmeshes", "kind": "VirtualMesh", "namespaced": true},
		}})
		return
	case object == nil:
		w.WriteHeader(http.StatusNotFound)
		answer(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound})
		return
	}
	if r.Method != http.MethodGet {
		var written map[string]any
		if err := json.NewDecoder(r.Body).Decode(&written); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		annotations, found, _ := unstructured.NestedStringMap(written, "metadata", "annotations")
		if found {
			_ = unstructured.SetNestedStringMap(object, annotations, "metadata", "annotations")
		}
		if strings.HasSuffix(r.URL.Path, "/status") {
			object["status"] = written["status"]
		}
	}
	answer(object)
}

// TestRecordAccepted holds where it is noted that a trust domain was accepted: on the
// Mesh, and on the VirtualMesh, which remembers it when the Mesh is gone.
func TestRecordAccepted(t *testing.T) {
	t.Parallel()
	const (
		mesh = "/apis/discovery.mesh.gloo.solo.io/v1/namespaces/gloo-mesh/meshes/istiod-west"
		vm   = "/apis/networking.mesh.gloo.solo.io/v1/namespaces/gloo-mesh/virtualmeshes/prod"
	)
	meta := func(kind, version, name string) map[string]any {
		return map[string]any{"apiVersion": version, "kind": kind, "metadata": map[string]any{"name": name, "namespace": "gloo-mesh", "resourceVersion": "1"}}
	}
	api := &recordsAPI{objects: map[string]map[string]any{
		mesh: meta("Mesh", "discovery.mesh.gloo.solo.io/v1", "istiod-west"), vm: meta("VirtualMesh", "networking.mesh.gloo.solo.io/v1", "prod"),
	}}
	api.objects[mesh]["spec"] = map[string]any{"istio": map[string]any{"trustDomain": "fresh.example"}}
	before := map[string]any{
		"state":   "ACCEPTED",
		"meshctl": map[string]any{"written": "2/2", "trustDomains": map[string]any{"istiod-east.gloo-mesh.": "east.example", "istiod-west.gloo-mesh.": "west.example"}},
	}
	api.objects[vm]["status"] = maps.Clone(before)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	management := kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})

	result := evaluated(t, shared(small, ""), "east", "west")
	result.World.VirtualMeshes[0].Resource.UID = "stored"
	accepted := &sharedtrust.Mesh{Ref: core.ObjectRef{Name: "istiod-west", Namespace: "gloo-mesh"}, TrustDomain: "other.example"}
	if err := sharedtrust.RecordAccepted(t.Context(), management, result.World, accepted); err == nil {
		t.Error("a trust domain is accepted that the mesh no longer has")
	}
	if diff := cmp.Diff(any(before), api.objects[vm]["status"]); diff != "" {
		t.Errorf("what was refused is recorded (-want +got):\n%s", diff)
	}
	accepted.TrustDomain = "fresh.example"
	if err := sharedtrust.RecordAccepted(t.Context(), management, result.World, accepted); err != nil {
		t.Fatal(err)
	}
	if noted, _, _ := unstructured.NestedString(api.objects[mesh], "metadata", "annotations", discoveryv1.TrustDomainAnnotation); noted != "fresh.example" {
		t.Errorf("the Mesh has %q", noted)
	}
	want := map[string]any{
		"state":   "ACCEPTED",
		"meshctl": map[string]any{"written": "2/2", "trustDomains": map[string]any{"istiod-east.gloo-mesh.": "east.example", "istiod-west.gloo-mesh.": "fresh.example"}},
	}
	if diff := cmp.Diff(any(want), api.objects[vm]["status"]); diff != "" {
		t.Errorf("the status of the VirtualMesh (-want +got):\n%s", diff)
	}
}

// TestIssueRecordsTrustDomains holds that the VirtualMesh remembers for which trust
// domains its meshes got certificates, and none that was not accepted.
func TestIssueRecordsTrustDomains(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := subject(t, withTrustDomain(evaluated(t, shared(small, ""), "east", "west"), "istiod-west", "fresh.example"))
	issueAndRecord := func(want map[string]string) {
		t.Helper()
		if _, err := issue(t, m, s, true); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, m.trail.TrustDomains); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	}
	issueAndRecord(map[string]string{"istiod-east.gloo-mesh.": "east.example"})
	if _, err := s.Accept("istiod-west", "fresh.example"); err != nil {
		t.Fatal(err)
	}
	issueAndRecord(map[string]string{"istiod-east.gloo-mesh.": "east.example", "istiod-west.gloo-mesh.": "fresh.example"})
}

package load

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/crds"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// liveAPI answers list requests as an API server does: with the objects of the path, with
// "forbidden" or a failure where configured, and with "not found" for other paths.
type liveAPI struct {
	lists             map[string][]map[string]any
	forbidden, broken []string
	slow              bool
	// listed is the annotation of meshctl's namespace with the policy namespaces. If it is
	// empty, the namespace does not exist.
	listed string
}

func (a *liveAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if a.slow {
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	}
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
	case strings.Count(r.URL.Path, "/") == 2 && strings.HasPrefix(r.URL.Path, "/apis/"): // the group's versions
		a.serveGroup(w, strings.TrimPrefix(r.URL.Path, "/apis/"))
	case forbidden:
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "x is forbidden: not for you",
		})
	case r.URL.Path == homePath && a.listed != "":
		meta := metav1.ObjectMeta{Name: world.DefaultNamespace, Annotations: map[string]string{kube.PolicyNamespacesAnnotation: a.listed}}
		_ = json.NewEncoder(w).Encode(metav1.PartialObjectMetadata{
			TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadata"}, ObjectMeta: meta,
		})
	case r.URL.Path == homePath:
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusNotFound,
			Reason: metav1.StatusReasonNotFound, Details: &metav1.StatusDetails{Kind: "namespaces", Name: world.DefaultNamespace},
		})
	case slices.Contains(a.broken, r.URL.Path):
		http.Error(w, "out of order", http.StatusInternalServerError)
	case found:
		_ = json.NewEncoder(w).Encode(map[string]any{
			"apiVersion": versionOf(r.URL.Path), "kind": kindOf(r.URL.Path) + "List", "metadata": map[string]any{"resourceVersion": "7"}, "items": items,
		})
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// serveGroup answers which versions of a group are served.
func (a *liveAPI) serveGroup(w http.ResponseWriter, group string) {
	served := metav1.APIGroup{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIGroup"}, Name: group}
	for path := range a.lists {
		if rest, found := strings.CutPrefix(path, "/apis/"+group+"/"); found {
			version, _, _ := strings.Cut(rest, "/")
			served.Versions = append(served.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group + "/" + version, Version: version})
		}
	}
	if len(served.Versions) == 0 {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(served)
}

// kindOf and versionOf return the kind and version of the objects at a path.
func kindOf(path string) string {
	for _, k := range newKindTable().modelled {
		if strings.HasSuffix(path, "/"+resourceOf(k.gvk).Resource) {
			return k.gvk.Kind
		}
	}
	return ""
}

func versionOf(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	return parts[1] + "/" + parts[2]
}

// emptyManagement returns a cluster in which meshctl is installed and nothing else.
func emptyManagement() map[string][]map[string]any {
	lists := map[string][]map[string]any{}
	for _, k := range newKindTable().modelled {
		r := resourceOf(k.gvk)
		lists["/apis/"+r.Group+"/"+r.Version+"/"+r.Resource] = []map[string]any{}
	}
	return lists
}

func (a *liveAPI) connect(t *testing.T, name string) *kube.Connection {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return kube.New(name, kube.SourceManagement, &rest.Config{Host: server.URL}, kube.Options{})
}

const homePath = "/api/v1/namespaces/" + world.DefaultNamespace

const networkingPath = "/apis/networking.mesh.gloo.solo.io/v1/"

func object(name string, spec map[string]any) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"name": name, "namespace": "team", "managedFields": []any{}, "resourceVersion": "5", "uid": "x"}, "spec": spec,
	}
}

// TestResourceOf compares the resource names with those of the CRDs.
func TestResourceOf(t *testing.T) {
	t.Parallel()
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	plurals := map[string]string{}
	for _, crd := range all {
		plurals[crd.Spec.Group+" "+crd.Spec.Names.Kind] = crd.Spec.Names.Plural
	}
	for _, k := range newKindTable().modelled {
		if got, want := resourceOf(k.gvk).Resource, plurals[k.gvk.Group+" "+k.gvk.Kind]; got != want {
			t.Errorf("%s: got %q, want %q", k.gvk.Kind, got, want)
		}
	}
}

func TestManagement(t *testing.T) {
	t.Parallel()
	lists := emptyManagement()
	lists[networkingPath+"trafficpolicies"] = []map[string]any{
		object("a", map[string]any{"policy": map[string]any{}, "retrys": 3}), object("b", map[string]any{"bad": 1}),
	}
	lists[networkingPath+"virtualmeshes"] = []map[string]any{object("vm", nil)}
	server := &liveAPI{lists: lists}
	objects, err := readManagement(t.Context(), ManagementOptions{Connection: server.connect(t, "mgmt"), Home: "team"}, pickyChecker{})
	if err != nil {
		t.Fatal(err)
	}
	want := summary{
		Objects: []string{
			"VirtualMesh/vm.team cluster mgmt",
			"TrafficPolicy/a.team cluster mgmt",
			`TrafficPolicy/b.team cluster mgmt ["spec.bad: must be good"]`,
		},
		Problems: []string{
			"UnknownField cluster mgmt: unknown field spec.retrys, did you mean retries? [TrafficPolicy/a.team] (the field is ignored)",
			"SchemaViolation cluster mgmt: spec.bad: must be good [TrafficPolicy/b.team]",
		},
	}
	if diff := cmp.Diff(want, summarise(objects)); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	if meta := objects.TrafficPolicies[0].Resource; meta.UID != "x" || meta.ManagedFields != nil || meta.Kind != "TrafficPolicy" {
		t.Errorf("uid %q, managed fields %v, kind %q", meta.UID, meta.ManagedFields, meta.Kind)
	}
}

// TestManagementObjectsAreLikeThoseOfFiles loads the same world from files and from a
// management cluster.
func TestManagementObjectsAreLikeThoseOfFiles(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	files, err := Files(t.Context(), FileOptions{Paths: []string{"../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}, validator)
	if err != nil {
		t.Fatal(err)
	}
	lists := emptyManagement()
	for _, e := range entriesFrom(files) {
		var one world.Objects
		e.store(&one)
		text, err := json.Marshal(onlyResource(one))
		if err != nil {
			t.Fatal(err)
		}
		var raw map[string]any
		if err := json.Unmarshal(text, &raw); err != nil {
			t.Fatal(err)
		}
		for _, k := range newKindTable().modelled {
			if k.gvk.Kind == e.id.kind {
				r := resourceOf(k.gvk)
				path := "/apis/" + r.Group + "/" + r.Version + "/" + r.Resource
				lists[path] = append(lists[path], raw)
			}
		}
	}
	live, err := Management(t.Context(), ManagementOptions{Connection: (&liveAPI{lists: lists}).connect(t, "mgmt")}, validator)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(withoutOrigins(files), withoutOrigins(live)); diff != "" {
		t.Errorf("the world of files differs from the live one (-files +live):\n%s", diff)
	}
}

// onlyResource returns the single resource among the objects.
func onlyResource(o world.Objects) any {
	switch {
	case len(o.VirtualMeshes) > 0:
		return o.VirtualMeshes[0].Resource
	case len(o.TrafficPolicies) > 0:
		return o.TrafficPolicies[0].Resource
	case len(o.AccessPolicies) > 0:
		return o.AccessPolicies[0].Resource
	case len(o.Meshes) > 0:
		return o.Meshes[0].Resource
	case len(o.Workloads) > 0:
		return o.Workloads[0].Resource
	case len(o.Destinations) > 0:
		return o.Destinations[0].Resource
	case len(o.Settings) > 0:
		return o.Settings[0].Resource
	default:
		return o.KubernetesClusters[0].Resource
	}
}

// withoutOrigins returns every object as JSON, sorted.
func withoutOrigins(o world.Objects) []string {
	var texts []string
	for _, e := range entriesFrom(o) {
		var one world.Objects
		e.store(&one)
		text, _ := json.Marshal(onlyResource(one))
		texts = append(texts, string(text))
	}
	slices.Sort(texts)
	return texts
}

func TestManagementProblems(t *testing.T) {
	t.Parallel()
	everything := func() []string {
		var paths []string
		for path := range emptyManagement() {
			paths = append(paths, path)
		}
		return paths
	}
	without := func(name string) map[string][]map[string]any {
		lists := emptyManagement()
		delete(lists, networkingPath+name)
		return lists
	}
	const forbidden = "forbidden: not for you (get this permission, or use other credentials)"
	tests := []struct {
		name   string
		server *liveAPI
		kinds  []string
		want   []string
		hides  bool
	}{
		{
			name: "a kind that may not be listed", server: &liveAPI{lists: emptyManagement(), forbidden: []string{networkingPath + "accesspolicies"}},
			want: []string{"UnlistedKind cluster mgmt: cannot list accesspolicies.networking.mesh.gloo.solo.io: " + forbidden},
		},
		{
			name: "a kind that fails", server: &liveAPI{lists: emptyManagement(), broken: []string{networkingPath + "accesspolicies"}}, hides: true,
			want: []string{"UnlistedKind cluster mgmt: cannot list accesspolicies.networking.mesh.gloo.solo.io: SERVER answers: an error on the server (\"out of order\") has prevented the request from succeeding " +
				"(try again, or check the log of the API server)"},
		},
		{
			name: "a kind that is not asked for", server: &liveAPI{lists: emptyManagement(), forbidden: []string{networkingPath + "accesspolicies"}},
			kinds: []string{"TrafficPolicy", "Mesh"},
		},
		{
			name: "a kind that is missing", server: &liveAPI{lists: without("virtualmeshes")},
			want: []string{"UnlistedKind cluster mgmt: cannot list virtualmeshes.networking.mesh.gloo.solo.io: kind not found in networking.mesh.gloo.solo.io/v1 (install its CustomResourceDefinition, or use a cluster that has it)"},
		},
		{
			name: "not installed", server: &liveAPI{}, hides: true,
			want: []string{"UnlistedKind cluster mgmt: not a management cluster: the CRDs of meshctl are not installed " +
				"(name the management cluster with --context, run 'meshctl install', or use --clusters or --filename)"},
		},
		{
			name: "nothing may be listed", server: &liveAPI{lists: emptyManagement(), forbidden: everything()}, kinds: []string{"TrafficPolicy"}, hides: true,
			want: []string{"UnlistedKind cluster mgmt: cannot list trafficpolicies.networking.mesh.gloo.solo.io: " + forbidden},
		},
		{
			name: "nothing at all may be listed", server: &liveAPI{lists: emptyManagement(), forbidden: everything()}, hides: true,
			want: []string{"UnlistedKind cluster mgmt: cannot list virtualmeshes.networking.mesh.gloo.solo.io, trafficpolicies.networking.mesh.gloo.solo.io, " +
				"accesspolicies.networking.mesh.gloo.solo.io and 5 more: forbidden (get this permission, or use other credentials)"},
		},
		{
			name: "a cluster that hangs", server: &liveAPI{slow: true}, hides: true,
			want: []string{"UnusableCluster cluster mgmt: SERVER timed out after 100ms (check that the cluster is running and that no firewall or VPN blocks the connection, or increase the timeout)"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := tt.server.connect(t, "mgmt")
			opts := ManagementOptions{Connection: c, Kinds: tt.kinds}
			if tt.server.slow {
				opts.Deadline = 100 * time.Millisecond
			}
			objects, err := readManagement(t.Context(), opts, pickyChecker{})
			if err != nil {
				t.Fatal(err)
			}
			got := summarise(objects).Problems
			for i := range got {
				got[i] = strings.ReplaceAll(got[i], c.Server(), "SERVER")
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if hides := slices.ContainsFunc(objects.Problems, world.Problem.HidesInput); hides != tt.hides {
				t.Errorf("hides input: %t, want %t", hides, tt.hides)
			}
		})
	}
}

func TestManagementErrors(t *testing.T) {
	t.Parallel()
	c := (&liveAPI{lists: emptyManagement()}).connect(t, "mgmt")
	_, err := readManagement(t.Context(), ManagementOptions{Connection: c, Kinds: []string{"Pod"}}, pickyChecker{})
	if err == nil || !strings.HasPrefix(err.Error(), "unknown kind Pod: must be one of: VirtualMesh, ") {
		t.Errorf("got %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := readManagement(ctx, ManagementOptions{Connection: c}, pickyChecker{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

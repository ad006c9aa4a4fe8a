package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/pkg/api/crds"
)

// managementAPI answers as the API server of a management cluster.
type managementAPI struct {
	t *testing.T
	// definitions are the CRDs of meshctl.
	definitions []*apiextensionsv1.CustomResourceDefinition
	// lists are the objects of the resources, such as "meshes".
	lists map[string][]any
	// installed says that the kinds of meshctl exist.
	installed bool
	// policyNamespaces are those that the namespace of meshctl's resources lists.
	policyNamespaces string
	// written are the paths at which objects were created.
	written []string
	mu      sync.Mutex
	// forbidden says that the user may read nothing, broken that every list fails.
	forbidden, broken bool
}

// stored adds the objects of the manifests in a directory.
func (a *managementAPI) stored(t *testing.T, directory string) *managementAPI {
	t.Helper()
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	plurals := map[string]string{}
	for _, crd := range all {
		plurals[crd.Spec.Names.Kind] = crd.Spec.Names.Plural
	}
	a.lists = map[string][]any{}
	err = filepath.WalkDir(directory, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(file) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(file)
		for document := range strings.SplitSeq(string(text), "\n---\n") {
			var object unstructured.Unstructured
			if err := yaml.Unmarshal([]byte(document), &object.Object); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
			if plural := plurals[object.GetKind()]; plural != "" {
				object.SetGeneration(1) // as the API server does
				object.SetUID(types.UID(object.GetKind() + object.GetNamespace() + object.GetName()))
				a.lists[plural] = append(a.lists[plural], object.Object)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// start returns a kubeconfig with the contexts, which all lead to the server.
func (a *managementAPI) start(t *testing.T, contexts ...string) string {
	t.Helper()
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	a.t, a.definitions = t, all
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	path := writeKubeconfig(t, contexts...)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "https://127.0.0.1:1", server.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// ServeHTTP implements http.Handler.
func (a *managementAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	group, version, rest := "", "v1", parts[1:]
	if parts[0] == "apis" && len(parts) > 2 {
		group, version, rest = parts[1], parts[2], parts[3:]
	} else if parts[0] == "api" && len(parts) > 1 {
		rest = parts[2:]
	}
	switch {
	case r.URL.Path == "/version":
		a.answer(w, map[string]any{"major": "1", "minor": "36", "gitVersion": "v1.36.0"})
	case len(rest) == 0:
		a.answer(w, map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group + "/" + version, "resources": a.resources(group)})
	case r.Method == http.MethodPost && rest[len(rest)-1] == "selfsubjectaccessreviews":
		a.answer(w, map[string]any{"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "status": map[string]any{"allowed": !a.forbidden}})
	case a.forbidden:
		a.refuse(w, http.StatusForbidden, "Forbidden", `User "eve" cannot `+verbOf(r)+` resource "`+rest[len(rest)-1]+`" in API group "`+group+`" at the cluster scope`)
	case r.Method == http.MethodPost:
		a.mu.Lock()
		a.written = append(a.written, r.URL.Path)
		a.mu.Unlock()
		a.echo(w, r)
	case len(rest) == 2 && rest[0] == "namespaces" && group == "":
		a.answer(w, map[string]any{
			"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
			"metadata": map[string]any{"name": rest[1], "annotations": map[string]any{kube.PolicyNamespacesAnnotation: a.policyNamespaces}},
		})
	case len(rest) == 4 && rest[0] == "namespaces": // an object
		a.refuse(w, http.StatusNotFound, "NotFound", "there is no "+rest[3])
	case a.broken:
		a.refuse(w, http.StatusServiceUnavailable, "ServiceUnavailable", "out of order")
	default:
		a.list(w, group, version, rest[len(rest)-1], strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList"))
	}
}

// echo answers with the object that is written.
func (a *managementAPI) echo(w http.ResponseWriter, r *http.Request) {
	var object unstructured.Unstructured
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = yaml.Unmarshal(text, &object.Object)
	}
	if err != nil {
		a.t.Error(err)
	}
	a.answer(w, object.Object)
}

func verbOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return "list"
	}
	return "create"
}

// list answers with the objects of a resource, or that there is none.
func (a *managementAPI) list(w http.ResponseWriter, group, version, resource string, metadata bool) {
	for _, known := range a.resources(group) {
		if known["name"] == resource {
			items := a.lists[resource]
			if items == nil {
				items = []any{}
			}
			list := map[string]any{"kind": fmt.Sprint(known["kind"], "List"), "apiVersion": group + "/" + version, "metadata": map[string]any{"resourceVersion": "1"}, "items": items}
			if metadata {
				list["kind"], list["apiVersion"] = "PartialObjectMetadataList", "meta.k8s.io/v1"
			}
			a.answer(w, list)
			return
		}
	}
	a.refuse(w, http.StatusNotFound, "NotFound", "the server could not find the requested resource")
}

// resources returns the kinds of a group.
func (a *managementAPI) resources(group string) []map[string]any {
	found := []map[string]any{}
	for _, crd := range a.definitions {
		if a.installed && crd.Spec.Group == group {
			found = append(found, map[string]any{
				"name": crd.Spec.Names.Plural, "kind": crd.Spec.Names.Kind, "namespaced": true, "verbs": []string{"get", "list", "create", "patch"},
			})
		}
	}
	return found
}

func (a *managementAPI) refuse(w http.ResponseWriter, code int, reason, message string) {
	w.WriteHeader(code)
	a.answer(w, map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

func (a *managementAPI) answer(w http.ResponseWriter, body map[string]any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		a.t.Error(err)
	}
}

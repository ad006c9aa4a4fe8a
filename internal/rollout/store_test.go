package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// store is a minimal API server: it stores objects of Istio's networking group and replaces
// them on apply. Other groups are empty.
type store struct {
	// forbidden are resources that must not be listed.
	forbidden []string
	// rejects are names of objects that must not be written or deleted.
	rejects []string
	// hangs is the method of requests that are never answered.
	hangs string
	// interrupt is called when the object named interruptedBy is written; that request is never
	// answered.
	interrupt     func()
	interruptedBy string

	mu      sync.Mutex
	objects map[string]*unstructured.Unstructured
	version int
	// log are the successful writes, hung counts the unanswered requests.
	log  []string
	hung int
}

func newStore() *store { return &store{objects: map[string]*unstructured.Unstructured{}} }

// resourceOf returns the resource name of a stored kind.
func resourceOf(kind string) string {
	return strings.ReplaceAll(strings.ToLower(kind)+"s", "ys", "ies")
}

// connect starts the server and returns a connection to it.
func (s *store) connect(t *testing.T) *kube.Connection {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	// Use a short timeout only for requests that are never answered.
	const patience = 200 * time.Millisecond
	impatient := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method == s.hangs {
				ctx, stop := context.WithTimeout(r.Context(), patience)
				defer stop()
				r = r.WithContext(ctx)
			}
			return next.RoundTrip(r)
		})
	}
	return kube.New("east", kube.SourceContext, &rest.Config{Host: server.URL, WrapTransport: impatient}, kube.Options{RequestTimeout: time.Minute})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// unanswered returns the number of unanswered requests.
func (s *store) unanswered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hung
}

// put stores objects without logging them.
func (s *store) put(objects ...*unstructured.Unstructured) {
	for _, object := range objects {
		s.save("/apis/"+object.GetAPIVersion()+"/namespaces/"+object.GetNamespace()+"/"+resourceOf(object.GetKind())+"/"+object.GetName(), object.DeepCopy())
	}
	s.log = nil
}

func (s *store) save(path string, object *unstructured.Unstructured) {
	s.version++
	object.SetResourceVersion(strconv.Itoa(s.version))
	if object.GetUID() == "" {
		object.SetUID(types.UID("uid-" + object.GetName()))
	}
	s.objects[path] = object
	s.log = append(s.log, "write "+object.GetName()+" "+specText(object))
}

// specText returns a short form of a spec.
func specText(object *unstructured.Unstructured) string {
	short := map[string]any{}
	if object.GetKind() == string(istio.KindVirtualService) {
		for _, to := range istio.Targets(specOf(object)) {
			short["host"], short["subset"] = to.Host, to.Subset
		}
	} else {
		var names []any
		subsets, _, _ := unstructured.NestedSlice(object.Object, "spec", "subsets")
		for _, subset := range subsets {
			names = append(names, subset.(map[string]any)["name"])
		}
		short["subsets"] = names
	}
	text, err := json.Marshal(short)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == s.hangs {
		s.mu.Lock()
		s.hung++
		s.mu.Unlock()
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return
	}
	if s.interrupt != nil && r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/"+s.interruptedBy) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.interrupt()
		<-r.Context().Done()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch len(parts) {
	case 3:
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: apiVersionOf(r)}
		for _, kind := range istio.Kinds() {
			if kind.APIVersion() == list.GroupVersion {
				list.APIResources = append(list.APIResources, metav1.APIResource{Name: resourceOf(string(kind)), Namespaced: true, Kind: string(kind)})
			}
		}
		answer(w, http.StatusOK, list)
	case 4:
		s.list(w, r, parts[3])
	default:
		s.serveObject(w, r, parts[5], parts[6])
	}
}

// apiVersionOf returns the group and version of a request path.
func apiVersionOf(r *http.Request) string {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	return parts[1] + "/" + parts[2]
}

func (s *store) list(w http.ResponseWriter, r *http.Request, resource string) {
	if slices.Contains(s.forbidden, resource) {
		refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden, resource+" is forbidden: not you")
		return
	}
	selector, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
		return
	}
	items := []any{}
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		if object := s.objects[path]; strings.Contains(path, "/"+resource+"/") && selector.Matches(labels.Set(object.GetLabels())) {
			items = append(items, object.Object)
		}
	}
	list := map[string]any{"apiVersion": apiVersionOf(r), "metadata": map[string]any{}, "items": items}
	for _, kind := range istio.Kinds() {
		if resourceOf(string(kind)) == resource {
			list["kind"] = string(kind) + "List"
		}
	}
	if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList;") {
		list["apiVersion"], list["kind"] = "meta.k8s.io/v1", "PartialObjectMetadataList"
	}
	answer(w, http.StatusOK, list)
}

func (s *store) serveObject(w http.ResponseWriter, r *http.Request, resource, name string) {
	path := strings.TrimSuffix(r.URL.Path, "/status")
	object, there := s.objects[path]
	if !there && r.Method != http.MethodPatch {
		answer(w, http.StatusNotFound, metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
			Message: name + " not found", Details: &metav1.StatusDetails{Name: name, Kind: resource},
		})
		return
	}
	if r.Method != http.MethodGet && slices.Contains(s.rejects, name) {
		refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden, name+" is forbidden: a webhook says no")
		return
	}
	switch r.Method {
	case http.MethodGet:
		if strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadata;") {
			answer(w, http.StatusOK, map[string]any{"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata", "metadata": object.Object["metadata"]})
			return
		}
		answer(w, http.StatusOK, object.Object)
	case http.MethodDelete:
		delete(s.objects, path)
		s.log = append(s.log, "delete "+name)
		answer(w, http.StatusOK, metav1.Status{Status: metav1.StatusSuccess})
	case http.MethodPut, http.MethodPatch:
		written := &unstructured.Unstructured{}
		if err := json.NewDecoder(r.Body).Decode(&written.Object); err != nil {
			refuse(w, http.StatusBadRequest, metav1.StatusReasonBadRequest, err.Error())
			return
		}
		s.save(path, written)
		answer(w, http.StatusOK, written.Object)
	}
}

// names returns the names of all stored objects, sorted.
func (s *store) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := []string{}
	for _, object := range s.objects {
		names = append(names, fmt.Sprintf("%s %s", object.GetName(), specText(object)))
	}
	slices.Sort(names)
	return names
}

func refuse(w http.ResponseWriter, code int, reason metav1.StatusReason, message string) {
	answer(w, code, metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: message,
	})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

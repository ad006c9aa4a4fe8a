package kube

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// api is as much of an API server as reading lists takes: pages, discovery and
// the errors that clients see.
type api struct {
	// names are the objects of each resource, by "GROUP/VERSION RESOURCE".
	names map[string][]string
	// forbidden are resources that may not be listed, unknown ones that are not
	// served, slow ones that never answer, broken ones that fail.
	forbidden, unknown, slow, broken []string
	// expire says how many requests for a further page are answered with "gone".
	expire int

	mu       sync.Mutex
	requests []string
}

// connect starts the server and returns a connection to it.
func (a *api) connect(t *testing.T, name string) *Connection {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	return New(name, SourceContext, &rest.Config{Host: server.URL}, Options{})
}

// asked returns the queries that were made, without those of discovery.
func (a *api) asked() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.requests)
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] == "api" {
		parts = append([]string{"apis", ""}, parts[1:]...)
	}
	switch len(parts) {
	case 2:
		a.serveGroup(w, parts[1])
	case 3:
		a.serveResources(w, parts[1], parts[2])
	default:
		resource, namespace := parts[3], ""
		if len(parts) == 6 {
			resource, namespace = parts[5], parts[4]
		}
		a.serveList(w, r, schema.GroupVersionResource{Group: parts[1], Version: parts[2], Resource: resource}, namespace)
	}
}

// versions returns the versions that are served of a group.
func (a *api) versions(group string) []string {
	var versions []string
	for key := range a.names {
		gv, _, _ := strings.Cut(key, " ")
		if parsed, _ := schema.ParseGroupVersion(strings.TrimPrefix(gv, "/")); parsed.Group == group {
			versions = append(versions, parsed.Version)
		}
	}
	slices.Sort(versions)
	return slices.Compact(versions)
}

func (a *api) serveGroup(w http.ResponseWriter, group string) {
	found := metav1.APIGroup{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIGroup"}, Name: group}
	for _, v := range a.versions(group) {
		found.Versions = append(found.Versions, metav1.GroupVersionForDiscovery{GroupVersion: group + "/" + v, Version: v})
	}
	if len(found.Versions) == 0 {
		notServed(w)
		return
	}
	answer(w, http.StatusOK, found)
}

func (a *api) serveResources(w http.ResponseWriter, group, version string) {
	list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: schema.GroupVersion{Group: group, Version: version}.String()}
	for key := range a.names {
		gv, resource, _ := strings.Cut(key, " ")
		if gv == group+"/"+version {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: resource, Namespaced: true, Kind: strings.TrimSuffix(resource, "s")})
		}
	}
	if len(list.APIResources) == 0 {
		notServed(w)
		return
	}
	answer(w, http.StatusOK, list)
}

func (a *api) serveList(w http.ResponseWriter, r *http.Request, resource schema.GroupVersionResource, namespace string) {
	query := r.URL.Query()
	a.mu.Lock()
	a.requests = append(a.requests, fmt.Sprintf("%s limit=%s continue=%s", resource.Resource, query.Get("limit"), query.Get("continue")))
	gone := query.Get("continue") != "" && a.expire > 0
	if gone {
		a.expire--
	}
	a.mu.Unlock()
	names, served := a.names[resource.Group+"/"+resource.Version+" "+resource.Resource]
	switch {
	case slices.Contains(a.slow, resource.Resource):
		select {
		case <-r.Context().Done():
		case <-time.After(time.Minute):
		}
	case slices.Contains(a.forbidden, resource.Resource):
		refuse(w, http.StatusForbidden, metav1.StatusReasonForbidden, resource.Resource+` is forbidden: User "bob" cannot list resource "`+resource.Resource+`"`)
	case slices.Contains(a.broken, resource.Resource):
		refuse(w, http.StatusInternalServerError, metav1.StatusReasonInternalError, "conversion webhook failed")
	case !served || slices.Contains(a.unknown, resource.Resource):
		notServed(w)
	case gone:
		refuse(w, http.StatusGone, metav1.StatusReasonExpired, "The provided continue parameter is too old")
	default:
		start, _ := strconv.Atoi(query.Get("continue"))
		limit, _ := strconv.Atoi(query.Get("limit"))
		end := len(names)
		next := ""
		if limit > 0 && start+limit < end {
			end = start + limit
			next = strconv.Itoa(end)
		}
		var items []map[string]any
		for _, name := range names[start:end] {
			items = append(items, map[string]any{"metadata": map[string]any{
				"name": name, "namespace": cmp.Or(namespace, "default"), "managedFields": []any{map[string]any{"manager": "x"}},
			}})
		}
		list := map[string]any{
			"apiVersion": resource.GroupVersion().String(), "kind": strings.TrimSuffix(resource.Resource, "s") + "List",
			"metadata": map[string]any{"resourceVersion": "7", "continue": next}, "items": items,
		}
		switch {
		case strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList"):
			list["apiVersion"], list["kind"] = "meta.k8s.io/v1", "PartialObjectMetadataList"
		case resource.Resource == "configmaps":
			list["kind"] = "ConfigMapList"
		}
		answer(w, http.StatusOK, list)
	}
}

// notServed answers like a server that knows no such path.
func notServed(w http.ResponseWriter) {
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintln(w, "404 page not found")
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

// numbered returns so many names.
func numbered(count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("object-%05d", i)
	}
	return names
}

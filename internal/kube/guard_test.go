package kube

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// reads are ways to read of a cluster: every kind of client.
func reads() map[string]func(context.Context, *Connection) error {
	all := map[string]func(context.Context, *Connection) error{
		"version": func(ctx context.Context, c *Connection) error {
			_, err := c.ServerVersion(ctx)
			return err
		},
		"uid": func(ctx context.Context, c *Connection) error {
			_, err := c.UID(ctx)
			return err
		},
		"kind": func(ctx context.Context, c *Connection) error {
			_, err := c.Resource(ctx, configMaps().GroupVersion().WithKind("ConfigMap"))
			return err
		},
		"object": func(ctx context.Context, c *Connection) error {
			client, err := c.Dynamic()
			if err != nil {
				return err
			}
			_, err = client.Resource(configMaps()).Namespace("istio-system").Get(ctx, "istio", metav1.GetOptions{})
			return c.Explain("read ConfigMap istio in istio-system", err)
		},
	}
	for name, list := range lists() {
		all["list of "+name] = func(ctx context.Context, c *Connection) error {
			_, err := list(ctx, c)
			return err
		}
	}
	return all
}

// connectTo returns a connection with a token to a server that answers everything
// the same way.
func connectTo(t *testing.T, opts Options, handler http.HandlerFunc) *Connection {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return New("east", SourceRegistered, &rest.Config{Host: server.URL, BearerToken: "secret-token"}, opts)
}

// answering returns a handler that always answers the same.
func answering(code int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// failure returns the reason and the cause of an error, with SERVER for the
// address of the server.
func failure(t *testing.T, c *Connection, err error) string {
	t.Helper()
	e := c.Translate("test", err)
	if e == nil {
		return "no error"
	}
	return string(e.Reason) + ": " + strings.ReplaceAll(e.Why, c.Server(), "SERVER")
}

func TestWhatIsNotTheKubernetesAPI(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{
			name: "web page", handler: answering(http.StatusOK, "text/html; charset=utf-8", "<html>Welcome</html>"),
			want: "NotKubernetes: SERVER answers with a web page (200 OK)",
		},
		{
			name: "web page of a proxy that has no server", handler: answering(http.StatusServiceUnavailable, "text/html", "<html>down</html>"),
			want: "NotKubernetes: SERVER answers with a web page (503 Service Unavailable)",
		},
		{
			name: "login page", handler: answering(http.StatusForbidden, "application/xhtml+xml", "<html>log in</html>"),
			want: "NotKubernetes: SERVER answers with a web page (403 Forbidden)",
		},
		{
			name: "plain text", handler: answering(http.StatusOK, "text/plain", "ok"),
			want: "NotKubernetes: SERVER answers with content of type text/plain",
		},
		{
			name: "malformed type", handler: answering(http.StatusOK, "/;", "ok"),
			want: `NotKubernetes: SERVER answers with content of the malformed type "/;"`,
		},
		{
			name: "failure of everything", handler: answering(http.StatusInternalServerError, "text/plain", "boom"),
			want: `ServerTrouble: SERVER answers: an error on the server ("boom") has prevented the request from succeeding`,
		},
	}
	for _, tt := range tests {
		for how, read := range reads() {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				c := connectTo(t, Options{}, tt.handler)
				got := failure(t, c, read(t.Context(), c))
				got, _, _ = strings.Cut(got, " (get ") // client-go says what was asked for
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestAnswersOfAnotherKind(t *testing.T) {
	t.Parallel()
	const (
		pods    = `{"apiVersion":"v1","kind":"PodList","metadata":{},"items":[]}`
		strange = `{"status":"UP"}`
		object  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"1"}}`
	)
	nothing := map[string]string{
		"version": "NotKubernetes: SERVER answers the request for /version with something else",
		"kind":    "NotKubernetes: SERVER answers the request for /api/v1 with something else",
	}
	tests := []struct {
		name, body string
		want       map[string]string
	}{
		{
			name: "list of another kind", body: pods, want: map[string]string{
				"uid":              "NotKubernetes: SERVER answers the request for metadata of namespaces with something else",
				"object":           `NotKubernetes: SERVER answers the request for an object of configmaps with kind "PodList" of apiVersion "v1"`,
				"list of objects":  `NotKubernetes: SERVER answers the request for a list of configmaps with kind "PodList" of apiVersion "v1"`,
				"list of metadata": "NotKubernetes: SERVER answers the request for metadata of configmaps with something else",
				"list of typed":    `NotKubernetes: SERVER answers the request for a list of configmaps with kind "PodList" of apiVersion "v1"`,
			},
		},
		{
			name: "items of another kind", body: `{"apiVersion":"v1","kind":"ConfigMapList","metadata":{},"items":[` + object + `]}`, want: map[string]string{
				"uid":              "NotKubernetes: SERVER answers the request for metadata of namespaces with something else",
				"object":           `NotKubernetes: SERVER answers the request for an object of configmaps with kind "ConfigMapList" of apiVersion "v1"`,
				"list of objects":  `NotKubernetes: SERVER answers the request for a list of configmaps with kind "Pod" of apiVersion "v1"`,
				"list of metadata": "NotKubernetes: SERVER answers the request for metadata of configmaps with something else",
				"list of typed":    `NotKubernetes: SERVER answers the request for a list of configmaps with kind "Pod" of apiVersion "v1"`,
			},
		},
		{
			name: "JSON of something else", body: strange, want: map[string]string{
				"uid":              "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"object":           "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of objects":  "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of metadata": "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of typed":    "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
			},
		},
		{
			name: "no JSON", body: "hello", want: map[string]string{
				"uid":              "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"object":           "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of objects":  "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of metadata": "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
				"list of typed":    "NotKubernetes: SERVER answers with something that is no object of Kubernetes",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, got := map[string]string{}, map[string]string{}
			for how, read := range reads() {
				c := connectTo(t, Options{}, answering(http.StatusOK, "application/json", tt.body))
				got[how] = failure(t, c, read(t.Context(), c))
				want[how] = tt.want[how]
				if want[how] == "" {
					want[how] = nothing[how]
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	tests := []struct {
		name   string
		code   int
		target string
		secure bool
		want   string
	}{
		{name: "to another host", code: http.StatusFound, target: elsewhere.URL + "/?token=abc", want: "redirects to " + elsewhere.URL + ", which is not followed"},
		{name: "to another host, with the method", code: http.StatusTemporaryRedirect, target: elsewhere.URL, want: "redirects to " + elsewhere.URL + ", which is not followed"},
		{name: "from https to http", code: http.StatusMovedPermanently, target: elsewhere.URL, secure: true, want: "redirects to " + elsewhere.URL + ", which is not followed"},
		{name: "to another path", code: http.StatusSeeOther, target: "/login", want: "redirects to another path of its own, which is not followed"},
		{name: "to nowhere", code: http.StatusFound, target: "http://[", want: "redirects to an address that is none, which is not followed"},
	}
	for _, tt := range tests {
		for how, read := range reads() {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/login" {
						reached.Add(1)
					}
					w.Header().Set("Location", tt.target)
					w.WriteHeader(tt.code)
				}))
				config := &rest.Config{BearerToken: "secret-token"}
				if tt.secure {
					server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
					server.StartTLS()
					config.Insecure = true
				} else {
					server.Start()
				}
				t.Cleanup(server.Close)
				config.Host = server.URL
				c := New("east", SourceRegistered, config, Options{})
				if diff := cmp.Diff("NotKubernetes: SERVER "+tt.want, failure(t, c, read(t.Context(), c))); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			})
		}
	}
	t.Cleanup(func() {
		if reached.Load() != 0 {
			t.Errorf("%d redirects were followed", reached.Load())
		}
	})
}

// endless answers lists with pages without end.
func endless(items func(page int) string) http.HandlerFunc {
	var pages atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		page := pages.Add(1)
		apiVersion, kind := "v1", "ConfigMapList"
		if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
			apiVersion, kind = "meta.k8s.io/v1", "PartialObjectMetadataList"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"apiVersion":%q,"kind":%q,"metadata":{"continue":"page-%d"},"items":[%s]}`, apiVersion, kind, page, items(int(page)))
	}
}

func TestEndlessLists(t *testing.T) {
	t.Parallel()
	const limit = 1 << 20
	object := func(size int) string {
		return fmt.Sprintf(`{"metadata":{"name":"a","annotations":{"x":"%s"}}}`, strings.Repeat("x", size))
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{
			name: "pages of large objects", handler: endless(func(int) string { return object(300 << 10) }),
			want: "TooMuch: the answers are larger than 1 MiB",
		},
		{
			name: "pages of small objects", handler: endless(func(int) string { return strings.Repeat(object(0)+",", 199) + object(0) }),
			want: "TooMuch: the list has more than 512 objects",
		},
		{
			name: "pages without objects", handler: endless(func(int) string { return "" }),
			want: "TooMuch: the list has not ended after 4 pages with 0 objects",
		},
		{
			name: "one answer without end", handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				for r.Context().Err() == nil {
					if _, err := io.WriteString(w, `{"items": [`+strings.Repeat(" ", 4<<10)); err != nil {
						return
					}
				}
			},
			want: "TooMuch: the answers are larger than 1 MiB",
		},
	}
	for _, tt := range tests {
		for how, list := range lists() {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				c := connectTo(t, Options{ReadLimit: limit}, tt.handler)
				_, err := list(t.Context(), c)
				if diff := cmp.Diff(tt.want, failure(t, c, err)); diff != "" {
					t.Errorf("error (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestQuestionsShareALimit asks a cluster several questions whose answers are
// within the limit each, but not together.
func TestQuestionsShareALimit(t *testing.T) {
	t.Parallel()
	body := `{"apiVersion":"v1","kind":"ConfigMapList","metadata":{},"items":[{"metadata":{"name":"` + strings.Repeat("x", 300<<10) + `"}}]}`
	ask := func(count int) string {
		c := connectTo(t, Options{ReadLimit: 1 << 20}, answering(http.StatusOK, "application/json", body))
		var questions []Question
		for range count {
			questions = append(questions, func(ctx context.Context) error {
				_, err := List(ctx, c, configMaps(), ListOptions{}, nameOf)
				return err
			})
		}
		notes, err := Ask(t.Context(), c, 0, questions...)
		if len(notes) > 0 {
			t.Errorf("got the notes %v, want none", notes)
		}
		return failure(t, c, err)
	}
	want := map[int]string{3: "no error", 4: "TooMuch: the answers are larger than 1 MiB"}
	got := map[int]string{3: ask(3), 4: ask(4)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
}

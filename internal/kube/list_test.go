package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

func configMaps() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
}

func widgets() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"}
}

func nameOf(u *unstructured.Unstructured) string { return u.GetName() }

// lists are the three ways to list, each returning names.
func lists() map[string]func(context.Context, *Connection) ([]string, error) {
	return map[string]func(context.Context, *Connection) ([]string, error){
		"objects": func(ctx context.Context, c *Connection) ([]string, error) {
			return List(ctx, c, configMaps(), ListOptions{}, nameOf)
		},
		"metadata": func(ctx context.Context, c *Connection) ([]string, error) {
			metas, err := ListMetadata(ctx, c, configMaps(), ListOptions{})
			var names []string
			for _, m := range metas {
				names = append(names, m.Name)
				if m.ManagedFields != nil {
					return nil, errors.New("managed fields are kept")
				}
			}
			return names, err
		},
		"typed": func(ctx context.Context, c *Connection) ([]string, error) {
			scheme := runtime.NewScheme()
			if err := corev1.AddToScheme(scheme); err != nil {
				return nil, err
			}
			maps, err := ListTyped(ctx, c, scheme, configMaps(), &corev1.ConfigMapList{}, ListOptions{}, func(m *corev1.ConfigMap) { m.Namespace = "trimmed" })
			var names []string
			for _, m := range maps {
				names = append(names, m.Name)
				if m.ManagedFields != nil || m.Namespace != "trimmed" {
					return nil, errors.New("managed fields are kept, or nothing is trimmed")
				}
			}
			return names, err
		},
	}
}

func TestListPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		count, expire int
		requests      []string
	}{
		{name: "none", requests: []string{"limit=500 continue="}},
		{name: "one page", count: 500, requests: []string{"limit=500 continue="}},
		{name: "three pages", count: 1203, requests: []string{"limit=500 continue=", "limit=500 continue=500", "limit=500 continue=1000"}},
		{name: "expired in between", count: 1203, expire: 1, requests: []string{"limit=500 continue=", "limit=500 continue=500", "limit= continue="}},
	}
	for _, tt := range tests {
		for how, list := range lists() {
			t.Run(tt.name+", "+how, func(t *testing.T) {
				t.Parallel()
				server := &api{names: map[string][]string{"/v1 configmaps": numbered(tt.count)}, expire: tt.expire}
				got, err := list(t.Context(), server.connect(t, "east"))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(numbered(tt.count), append([]string{}, got...)); diff != "" {
					t.Errorf("objects (-want +got):\n%s", diff)
				}
				var requests []string
				for _, r := range server.asked() {
					requests = append(requests, strings.TrimPrefix(r, "configmaps "))
				}
				if diff := cmp.Diff(tt.requests, requests); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestListErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		server *api
		reason Reason
		want   string
	}{
		{
			name: "forbidden", server: &api{names: map[string][]string{"example.com/v1 widgets": nil}, forbidden: []string{"widgets"}}, reason: ReasonForbidden,
			want: `cannot list widgets.example.com on cluster east: forbidden: User "bob" cannot list resource "widgets": get this permission, or use other credentials`,
		},
		{
			name: "missing", server: &api{}, reason: ReasonNoSuchKind,
			want: "cannot list widgets.example.com on cluster east: kind not found in example.com/v1: install its CustomResourceDefinition, or use a cluster that has it",
		},
		{
			name: "missing, and so forbidden", server: &api{forbidden: []string{"widgets"}}, reason: ReasonNoSuchKind,
			want: "cannot list widgets.example.com on cluster east: kind not found in example.com/v1: install its CustomResourceDefinition, or use a cluster that has it",
		},
		{
			name: "an older version", server: &api{names: map[string][]string{"example.com/v1alpha1 widgets": nil, "example.com/v1beta1 widgets": nil}}, reason: ReasonNoSuchKind,
			want: "cannot list widgets.example.com on cluster east: the cluster does not serve example.com/v1 but v1alpha1, v1beta1 of that group: upgrade its CustomResourceDefinitions",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := List(t.Context(), tt.server.connect(t, "east"), widgets(), ListOptions{}, nameOf)
			var e *Error
			if !errors.As(err, &e) || e.Reason != tt.reason || e.Error() != tt.want || e.WholeCluster() {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// TestNotManagement holds that a management cluster without any of meshctl's kinds is
// said to be none, and that one which lacks a part of them, and any other cluster, is
// not.
func TestNotManagement(t *testing.T) {
	t.Parallel()
	const (
		missing = "kind not found in multicluster.solo.io/v1alpha1: install its CustomResourceDefinition, or use a cluster that has it"
		none    = "cluster east: not a management cluster: the CRDs of meshctl are not installed: name the management cluster with --context, or run 'meshctl install'"
	)
	for _, tt := range []struct {
		name         string
		source       Source
		served       string
		list, lookup string
	}{
		{name: "nothing", source: SourceManagement, served: "example.com/v1 widgets", list: none, lookup: none},
		{
			name: "another kind", source: SourceManagement, served: "networking.mesh.gloo.solo.io/v1 virtualmeshes",
			list:   "cannot list kubernetesclusters.multicluster.solo.io on cluster east: " + missing,
			lookup: "cannot find kind kubernetescluster on cluster east: " + missing,
		},
		{
			name: "of a context", source: SourceContext, served: "example.com/v1 widgets",
			list:   "cannot list kubernetesclusters.multicluster.solo.io on cluster east: " + missing,
			lookup: "cannot find kind kubernetescluster on cluster east: " + missing,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := (&api{names: map[string][]string{tt.served: nil}}).connect(t, "east")
			c.Source = tt.source
			_, listErr := List(t.Context(), c, KubernetesClusters(), ListOptions{}, nameOf)
			_, lookupErr := c.Resource(t.Context(), KubernetesClusters().GroupVersion().WithKind("kubernetescluster"))
			if diff := cmp.Diff([]string{tt.list, tt.lookup}, []string{fmt.Sprint(listErr), fmt.Sprint(lookupErr)}); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if !IsReason(listErr, ReasonNoSuchKind) || !IsReason(lookupErr, ReasonNoSuchKind) {
				t.Errorf("the reasons are not NoSuchKind: %v, %v", listErr, lookupErr)
			}
		})
	}
}

// TestListStartsAgainWithoutPages shows that a list cannot expire twice.
func TestListStartsAgainWithoutPages(t *testing.T) {
	t.Parallel()
	server := &api{names: map[string][]string{"/v1 configmaps": numbered(1203)}, expire: 2}
	if _, err := List(t.Context(), server.connect(t, "east"), configMaps(), ListOptions{}, nameOf); err != nil {
		t.Errorf("a full list has no pages that could expire, but got %v", err)
	}
}

// questionsFor lists each of the resources and counts those answered.
func questionsFor(c *Connection, answered *atomic.Int32, resources ...string) []Question {
	var questions []Question
	for _, r := range resources {
		questions = append(questions, func(ctx context.Context) error {
			_, err := List(ctx, c, schema.GroupVersionResource{Version: "v1", Resource: r}, ListOptions{}, nameOf)
			if err == nil {
				answered.Add(1)
			}
			return err
		})
	}
	return questions
}

func coreAPI(resources ...string) map[string][]string {
	names := map[string][]string{}
	for _, r := range resources {
		names["/v1 "+r] = numbered(3)
	}
	return names
}

func TestAsk(t *testing.T) {
	t.Parallel()
	resources := []string{"as", "bs", "cs", "ds", "es", "fs", "gs", "hs", "is"}
	server := &api{names: coreAPI(resources...), forbidden: []string{"hs", "bs"}, broken: []string{"es"}}
	c := server.connect(t, "east")
	var answered atomic.Int32
	notes, err := Ask(t.Context(), c, time.Minute, questionsFor(c, &answered, resources...)...)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range notes {
		got = append(got, n.Action+" "+string(n.Reason))
	}
	if diff := cmp.Diff([]string{"list bs Forbidden", "list es ServerTrouble", "list hs Forbidden"}, got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if answered.Load() != 6 {
		t.Errorf("%d questions were answered", answered.Load())
	}
}

func TestAskEnds(t *testing.T) {
	t.Parallel()
	t.Run("when the deadline has passed", func(t *testing.T) {
		t.Parallel()
		server := &api{names: coreAPI("as", "bs"), slow: []string{"bs"}}
		c := server.connect(t, "east")
		var answered atomic.Int32
		_, err := Ask(t.Context(), c, 200*time.Millisecond, questionsFor(c, &answered, "as", "bs")...)
		var e *Error
		if !errors.As(err, &e) || e.Reason != ReasonTimeout || !errors.Is(err, context.DeadlineExceeded) ||
			e.Message() != "cluster east: "+c.server()+" timed out after 200ms" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when a question does not heed the deadline", func(t *testing.T) {
		t.Parallel()
		c := (&api{}).connect(t, "east")
		release := make(chan struct{})
		t.Cleanup(func() { close(release) })
		_, err := Ask(t.Context(), c, 50*time.Millisecond, func(context.Context) error {
			<-release
			return nil
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("when nobody is there", func(t *testing.T) {
		t.Parallel()
		c := New("east", SourceContext, &rest.Config{Host: "https://127.0.0.1:1"}, Options{})
		var answered atomic.Int32
		_, err := Ask(t.Context(), c, time.Minute, questionsFor(c, &answered, "as", "bs", "cs")...)
		const want = "cluster east: connection refused (https://127.0.0.1:1): check that the cluster runs and that the address is right"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
	t.Run("when the user stops it", func(t *testing.T) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		c := (&api{}).connect(t, "east")
		_, err := Ask(ctx, c, time.Minute, func(ctx context.Context) error {
			stop()
			<-ctx.Done()
			return ctx.Err()
		})
		var e *Error
		if !errors.Is(err, context.Canceled) || errors.As(err, &e) {
			t.Errorf("got %v", err)
		}
	})
}

func TestEachKeepsTheOrder(t *testing.T) {
	t.Parallel()
	var connections []*Connection
	var want []string
	for _, name := range numbered(200) {
		connections = append(connections, New(name, SourceContext, &rest.Config{}, Options{}))
		want = append(want, name)
	}
	got := Each(connections, func(c *Connection) string { return c.Name })
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestResource(t *testing.T) {
	t.Parallel()
	server := &api{names: map[string][]string{"example.com/v1 widgets": nil}}
	c := server.connect(t, "east")
	got, err := c.Resource(t.Context(), widgets().GroupVersion().WithKind("widget"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Resource{GroupVersionResource: widgets(), Kind: "widget", Namespaced: true}, got); diff != "" {
		t.Errorf("resource (-want +got):\n%s", diff)
	}
	_, err = c.Resource(t.Context(), widgets().GroupVersion().WithKind("gadget"))
	const want = "cannot find kind gadget on cluster east: kind not found in example.com/v1: install its CustomResourceDefinition, or use a cluster that has it"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	// What is installed later is found.
	server.names["example.com/v1 gadgets"] = nil
	if _, err := c.Resource(t.Context(), widgets().GroupVersion().WithKind("gadget")); err != nil {
		t.Error(err)
	}
}

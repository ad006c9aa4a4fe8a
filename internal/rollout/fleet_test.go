package rollout

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// fleet is a management cluster and its members, all in memory.
type fleet struct {
	governedWorld
	// stores are what clusters have.
	stores map[string]*store
	// members are the registered clusters, by the name that they are registered with.
	members map[string]*store
	// failures are why members cannot be written to.
	failures map[string]error
}

// newFleet makes the objects those of a management cluster, and the named clusters its
// members.
func newFleet(objects world.Objects, clusters ...string) *fleet {
	f := &fleet{governedWorld: governedWorld{objects: objects}, stores: map[string]*store{}, members: map[string]*store{}, failures: map[string]error{}}
	f.each(func(kind string, meta *metav1.ObjectMeta, _ any) {
		meta.UID, meta.Generation = types.UID(kind+"/"+meta.Namespace+"/"+meta.Name), 1
	})
	for _, name := range clusters {
		f.stores[name] = newStore()
		f.members[name] = f.stores[name]
	}
	return f
}

// inProcess answers requests without a network.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	p.ServeHTTP(recorder, r)
	response := recorder.Result()
	response.Request = r
	return response, nil
}

// input is what a pass reads.
func (f *fleet) input() Input {
	in := Input{World: world.New(f.objects), Members: map[string]*kube.Connection{}, Failures: f.failures, Complete: true}
	for name, s := range f.members {
		if f.failures[name] == nil {
			in.Members[name] = kube.New(name, kube.SourceContext, &rest.Config{Host: "https://" + name + ".example", Transport: inProcess{s}}, kube.Options{RequestTimeout: time.Minute})
		}
	}
	return in
}

// options are those of apply.
func (f *fleet) options() Options { return Options{Namespace: world.DefaultNamespace} }

// apply is what `meshctl apply` does, with its statuses. Nothing changes in clusters
// that are not in the plan.
func (f *fleet) apply(t *testing.T, opts Options) *Plan {
	t.Helper()
	plan, err := NewPlan(t.Context(), f.input(), opts)
	if err != nil {
		t.Fatal(err)
	}
	plan.Run(t.Context(), RunOptions{})
	f.writeStatuses(t, plan)
	return plan
}

func (f *fleet) writeStatuses(t *testing.T, plan *Plan) {
	t.Helper()
	updates, err := plan.statusUpdates()
	if err != nil {
		t.Fatal(err)
	}
	f.store(t, updates)
}

// watcher is what `meshctl apply --watch` does; handle is told of each pass.
func (f *fleet) watcher(t *testing.T, handle func(*Pass)) *watcher {
	t.Helper()
	return &watcher{opts: WatchOptions{
		Options: f.options(), Input: func(context.Context) (Input, error) { return f.input(), nil },
		Handle: func(p *Pass) error {
			if p.Plan != nil {
				f.writeStatuses(t, p.Plan)
			}
			handle(p)
			return nil
		},
	}}
}

// protection has the specifications of the objects that deny, restrict or encrypt in a
// cluster, by kind, namespace and name.
type protection map[string]map[string]any

// protections has the protection of each cluster.
type protections map[string]protection

// protectionOf returns what protects a cluster.
func (f *fleet) protectionOf(t *testing.T, cluster string) protection {
	t.Helper()
	s := f.stores[cluster]
	s.mu.Lock()
	defer s.mu.Unlock()
	found := protection{}
	for _, path := range slices.Sorted(maps.Keys(s.objects)) {
		object := s.objects[path]
		if !istio.Protects(istio.Kind(object.GetKind())) {
			continue
		}
		text, err := json.Marshal(specOf(object))
		if err != nil {
			t.Fatal(err)
		}
		var spec map[string]any
		if err := json.Unmarshal(text, &spec); err != nil {
			t.Fatal(err)
		}
		found[object.GetKind()+" "+object.GetNamespace()+"/"+object.GetName()] = spec
	}
	return found
}

//go:build linux

package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// clusterLabel says which cluster an object was rendered for.
const clusterLabel = "cluster.multicluster.solo.io"

// writeAsMeshctl writes objects as meshctl does, of which each says for which
// cluster it is.
func (f *federation) writeAsMeshctl(t *testing.T, objects []unstructured.Unstructured) {
	t.Helper()
	force := true
	for i := range objects {
		object := &objects[i]
		body, err := json.Marshal(object)
		must(t, err)
		must(t, f.lab.Cluster(object.GetLabels()[clusterLabel]).Objects.Patch(t.Context(), object, types.ApplyPatchType, body,
			metav1.PatchOptions{FieldManager: "meshctl", Force: &force}))
	}
}

// stream is a kind of requests that is sent again and again.
type stream struct {
	from    workload
	request client.Request
	// far requests go through gateways.
	far bool
	// outcomes are those of all requests so far.
	outcomes []client.Outcome
}

func (s *stream) String() string {
	return fmt.Sprintf("%s from %s to %s:%d", s.request.Protocol, s.from.cluster, s.request.Host, s.request.Port)
}

// underLoad sends requests of all streams, each over a connection of its own,
// while the function runs and until all have succeeded several times after it.
func (f *federation) underLoad(t *testing.T, streams []*stream, during func()) {
	t.Helper()
	stop := make(chan struct{})
	var mu sync.Mutex // Guards outcomes.
	var group sync.WaitGroup
	for _, s := range streams {
		pod, err := f.lab.Pod(s.from.cluster, s.from.namespace, s.from.name)
		must(t, err)
		sender := mesh.Client(pod)
		group.Go(func() {
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-stop:
					return
				case <-ticker.C:
				}
				outcome := sender.Send(t.Context(), s.request)
				mu.Lock()
				s.outcomes = append(s.outcomes, outcome)
				mu.Unlock()
			}
		})
	}
	defer group.Wait()
	defer close(stop)
	sent := func(more int, since []int) error {
		mu.Lock()
		defer mu.Unlock()
		for i, s := range streams {
			if len(s.outcomes) < since[i]+more {
				return fmt.Errorf("%s: %d requests so far", s, len(s.outcomes))
			}
		}
		return nil
	}
	progress := func() []int {
		mu.Lock()
		defer mu.Unlock()
		var counts []int
		for _, s := range streams {
			counts = append(counts, len(s.outcomes))
		}
		return counts
	}
	eventually(t, func() error { return sent(20, make([]int, len(streams))) })
	during()
	since := progress()
	eventually(t, func() error { return sent(20, since) })
}

// streams are requests within each cluster and, of Service stock, to the other.
func streams() []*stream {
	var all []*stream
	for from, to := range map[string]string{"east": "west", "west": "east"} {
		all = append(
			all,
			&stream{from: webOf(from), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.cluster.local", Port: 8080}},
			&stream{from: webOf(from), request: client.Request{Protocol: client.TCP, Host: "desk.bank.svc.cluster.local", Port: 7000}},
			&stream{from: webOf(from), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc." + to + ".global", Port: 8080}, far: true},
		)
	}
	return all
}

// lost returns what became of the requests that got no answer, and of how many
// requests. Those before the first success count only if all do.
func (s *stream) lost(all bool) (problems map[string]int, requests int) {
	outcomes := s.outcomes
	if !all {
		first := slices.IndexFunc(outcomes, func(o client.Outcome) bool { return answerOf(&o).Problem == "" })
		if first < 0 {
			return map[string]int{"no request succeeded": len(outcomes)}, len(outcomes)
		}
		outcomes = outcomes[first:]
	}
	problems = map[string]int{}
	for i := range outcomes {
		if a := answerOf(&outcomes[i]); a.Problem != "" {
			problems[a.Problem+" "+outcomes[i].Err]++
		}
	}
	return problems, len(outcomes)
}

// federationOlder: what an older version rendered goes, without harm.
func federationOlder(t *testing.T, f *federation) {
	text, err := os.ReadFile("testdata/older.yaml")
	must(t, err)
	before := f.configuration(t)
	older, err := mesh.ParseYAML([]byte(strings.NewReplacer(f.addressNames(t)...).Replace(string(text))))
	must(t, err)
	f.writeAsMeshctl(t, older)
	f.settle(t)
	old := f.configuration(t)
	for _, object := range older {
		name := fmt.Sprintf("%s %s %s/%s", object.GetLabels()[clusterLabel], object.GetKind(), object.GetNamespace(), object.GetName())
		want, err := json.Marshal(object.Object["spec"])
		must(t, err)
		got, err := json.Marshal(old[name]["spec"])
		must(t, err)
		expect(t, "the specification of "+name, string(want), string(got))
	}
	outcome := f.send(t, webOf("east"), client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.west.global", Port: 8080})
	expect(t, "a call as the older version had it", answer{Problem: "503"}, answerOf(&outcome))

	load := streams()
	f.underLoad(t, load, func() {
		f.meshctl(t, "apply", "--yes")
		f.settle(t)
	})
	for _, s := range load {
		problems, requests := s.lost(!s.far)
		t.Logf("%s: %d of %d requests count", s, requests, len(s.outcomes))
		expect(t, "lost requests of "+s.String(), map[string]int{}, problems)
	}
	if diff := equalSpecs(before, f.configuration(t)); diff != "" {
		t.Errorf("what is rendered now (-new +after the older version):\n%s", diff)
	}
}

// addressNames returns the names that testdata/older.yaml uses, and what they
// stand for, in turn.
func (f *federation) addressNames(t *testing.T) []string {
	t.Helper()
	var replacements []string
	for _, c := range f.lab.Clusters {
		for _, name := range []string{"stock-v1", "stock-v2"} {
			pod, err := f.lab.Pod(c.Name, "shop", name)
			must(t, err)
			replacements = append(replacements, name+"."+c.Name, pod.Address().String())
		}
		service, err := c.Client.CoreV1().Services(worldgen.IstioNamespace).Get(t.Context(), worldgen.GatewayName, metav1.GetOptions{})
		must(t, err)
		if len(service.Status.LoadBalancer.Ingress) == 0 {
			t.Fatal(errors.New("the gateway has no address"))
		}
		replacements = append(replacements, "gateway."+c.Name, service.Status.LoadBalancer.Ingress[0].IP)
	}
	return replacements
}

// federationOlderFlat: in flat networks older versions rendered the same, but did
// not say who may see it.
func federationOlderFlat(t *testing.T, f *federation) {
	f.become(t, worldgen.Federated("flat", twoClusters(), `{selectors: [{}], flatNetwork: true, tlsEnforcementSettings: {enforcementMode: STRICT}}`, "DISABLED"))
	f.testPorts(t, "east", "west", "west.global", "cluster.local")
	f.testPorts(t, "west", "east", "east.global", "cluster.local")
	before := f.configuration(t)
	var older []unstructured.Unstructured
	for _, object := range before {
		plain := unstructured.Unstructured{Object: map[string]any{}}
		plain.SetAPIVersion(object["apiVersion"].(string))
		plain.SetKind(object["kind"].(string))
		there := unstructured.Unstructured{Object: object}
		plain.SetNamespace(there.GetNamespace())
		plain.SetName(there.GetName())
		plain.SetLabels(there.GetLabels())
		plain.SetAnnotations(there.GetAnnotations())
		spec, _ := there.DeepCopy().Object["spec"].(map[string]any)
		delete(spec, "exportTo")
		plain.Object["spec"] = spec
		older = append(older, plain)
	}
	f.writeAsMeshctl(t, older)
	f.settle(t)
	load := streams()
	f.underLoad(t, load, func() {
		f.meshctl(t, "apply", "--yes")
		f.settle(t)
	})
	for _, s := range load {
		problems, requests := s.lost(true)
		t.Logf("%s: %d requests", s, requests)
		expect(t, "lost requests of "+s.String(), map[string]int{}, problems)
	}
	if diff := equalSpecs(before, f.configuration(t)); diff != "" {
		t.Errorf("what is rendered now (-new +after the older version):\n%s", diff)
	}
}

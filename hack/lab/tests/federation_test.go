//go:build linux

package tests

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// TestFederation holds that what meshctl applies for calls between clusters
// carries them, with two clusters that are joined through gateways.
func TestFederation(t *testing.T) {
	f := startFederation(t, federatedWorld(), withoutRetries)
	for _, part := range []struct {
		name string
		test func(*testing.T, *federation)
	}{
		{"ports", federationPorts},
		{"without proxy", federationWithoutProxy},
		{"pods", federationPods},
		{"shift", federationShift},
		{"mirror", federationMirror},
		{"settings", federationSettings},
		{"TLS mode", federationTLSMode},
		{"allowed ports", federationAllowedPorts},
		{"several gateways", federationSeveralGateways},
		{"east-west gateway", federationEastWest},
		{"half applied", federationHalfApplied},
		{"half withdrawn", federationHalfWithdrawn},
		{"older version", federationOlder},
		{"older version, flat network", federationOlderFlat},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, f) })
	}
}

// withoutRetries lets proxies try each request once: what is lost shows.
func withoutRetries(c *worldgen.Cluster) {
	c.MeshConfig["defaultHttpRetryPolicy"] = map[string]any{"attempts": int64(0)}
}

// federatedWorld is the world that the parts of TestFederation begin with, and more
// resources of meshctl.
func federatedWorld(resources ...unstructured.Unstructured) worldgen.World {
	return worldgen.Federated("federated", twoClusters(), `{selectors: [{}], tlsEnforcementSettings: {enforcementMode: STRICT}}`, "DISABLED", resources...)
}

func twoClusters() []worldgen.Cluster {
	return []worldgen.Cluster{
		{Name: "east", Domain: "cluster.local", TrustDomain: "cluster.local"},
		{Name: "west", Domain: "cluster.local", TrustDomain: "cluster.local"},
	}
}

// federation is a lab with a world that meshctl governs.
type federation struct {
	lab    *mesh.Lab
	world  worldgen.World
	adjust func(*worldgen.Cluster)
	ids    atomic.Int64
}

func startFederation(t *testing.T, world worldgen.World, adjust func(*worldgen.Cluster)) *federation {
	t.Helper()
	for i := range world.Clusters {
		adjust(&world.Clusters[i])
	}
	l := startLab(t, mesh.Options{Clusters: mesh.OptionsOf(&world)})
	must(t, l.Manage(t.Context()))
	must(t, l.Deploy(t.Context(), &world))
	must(t, l.Settle(t.Context()))
	return &federation{lab: l, world: world, adjust: adjust}
}

// become turns the world into another one of the same workloads and clusters, by
// meshctl, until the test ends.
func (f *federation) become(t *testing.T, world worldgen.World) {
	t.Helper()
	for i := range world.Clusters {
		f.adjust(&world.Clusters[i])
	}
	before := f.world
	f.replace(t, world)
	t.Cleanup(func() { f.replace(t, before) })
}

func (f *federation) replace(t *testing.T, world worldgen.World) {
	t.Helper()
	from := f.world
	f.world = world
	ctx := context.WithoutCancel(t.Context())
	if err := f.lab.SetFlat(ctx, world.Flat); err != nil {
		t.Error(err)
	}
	if cmp.Equal(from, world) {
		return
	}
	if err := f.lab.Replace(ctx, &from, &world); err != nil {
		t.Error(err)
	}
	// What is deployed with the world has addresses only now.
	if objectsOf(from) != objectsOf(world) {
		for _, c := range f.lab.Clusters {
			if err := c.AwaitAll(ctx); err != nil {
				t.Error(err)
			}
		}
		for _, args := range [][]string{{"discover"}, {"apply", "--yes"}} {
			if _, err := f.lab.Meshctl(ctx, nil, args...); err != nil {
				t.Error(err)
			}
		}
	}
	f.settle(t)
}

func objectsOf(world worldgen.World) int {
	n := 0
	for i := range world.Clusters {
		n += len(world.Clusters[i].Objects)
	}
	return n
}

func (f *federation) settle(t *testing.T) {
	t.Helper()
	if err := f.lab.Settle(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}

// apply lets meshctl look at the clusters and apply what follows.
func (f *federation) apply(t *testing.T) {
	t.Helper()
	f.meshctl(t, "discover")
	f.meshctl(t, "apply", "--yes")
	f.settle(t)
}

func (f *federation) meshctl(t *testing.T, args ...string) mesh.Result {
	t.Helper()
	result, err := f.lab.Meshctl(t.Context(), nil, args...)
	must(t, err)
	return result
}

// workload is one by the names that the lab knows.
type workload struct{ cluster, namespace, name string }

func webOf(cluster string) workload { return workload{cluster, "shop", "web-v1"} }

// id returns a new ID of a request.
func (f *federation) id() string { return fmt.Sprintf("federation-%d", f.ids.Add(1)) }

// send sends a request from the first pod of a workload, over a connection of
// its own.
func (f *federation) send(t *testing.T, from workload, request client.Request) client.Outcome {
	t.Helper()
	pod, err := f.lab.Pod(from.cluster, from.namespace, from.name)
	must(t, err)
	return mesh.Client(pod).Send(t.Context(), request)
}

// sendMany sends a request many times, each time over a connection of its own.
func (f *federation) sendMany(t *testing.T, from workload, request client.Request, count int) []client.Outcome {
	t.Helper()
	pod, err := f.lab.Pod(from.cluster, from.namespace, from.name)
	must(t, err)
	return mesh.Client(pod).SendMany(t.Context(), request, client.Load{Count: count, Fresh: true})
}

// answer is who answered a request, and what became of it on the way.
type answer struct {
	// Problem is why nobody did: the status of HTTP or gRPC, or what happened to
	// the connection.
	Problem  string
	By       workload
	Port     uint16
	Protocol client.Protocol
	Host     string
	// Peer is the identity of the caller that the pod's proxy saw.
	Peer string
}

func answerOf(o *client.Outcome) answer {
	switch {
	case o.Seen == nil && o.Status == 0:
		return answer{Problem: string(o.Failure)}
	case o.Seen == nil && o.GRPCStatus >= 0:
		return answer{Problem: fmt.Sprintf("gRPC %d", o.GRPCStatus)}
	case o.Seen == nil:
		return answer{Problem: strconv.Itoa(o.Status)}
	case o.Failure != client.Answered:
		return answer{Problem: string(o.Failure) + " after an answer"}
	}
	a := answer{
		By: workload{o.Seen.Cluster, o.Seen.Namespace, o.Seen.Workload}, Port: o.Seen.Port,
		Protocol: o.Seen.Protocol, Host: o.Seen.Host, Peer: o.Seen.Peer,
	}
	switch {
	case o.Seen.Protocol == client.GRPC && o.GRPCStatus != 0:
		a.Problem = fmt.Sprintf("gRPC %d", o.GRPCStatus)
	case o.Seen.Protocol != client.TCP && o.Status != 200:
		a.Problem = strconv.Itoa(o.Status)
	}
	return a
}

// count groups outcomes by who answered, or why nobody did.
func count(outcomes []client.Outcome) map[string]int {
	counts := map[string]int{}
	for i := range outcomes {
		a := answerOf(&outcomes[i])
		if a.Problem != "" {
			counts[a.Problem]++
		} else {
			counts[a.By.name+"."+a.By.cluster]++
		}
	}
	return counts
}

// expect compares, and says more about a difference.
func expect(t *testing.T, what string, want, got any, more ...func() string) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(workload{})); diff != "" {
		var b strings.Builder
		for _, say := range more {
			b.WriteString(say())
		}
		t.Errorf("%s (-want +got):\n%s%s", what, diff, b.String())
	}
}

// seenBy tells what a proxy and the gateways logged about a call to a host.
func (f *federation) seenBy(t *testing.T, from workload, host string) func() string {
	t.Helper()
	return func() string {
		var b strings.Builder
		pods := f.lab.Pods(from.cluster, from.namespace, from.name)
		for _, c := range f.lab.Clusters {
			for _, pod := range c.Node.Pods() {
				if pod.Namespace == worldgen.IstioNamespace && pod.HasProxy() {
					pods = append(pods, pod)
				}
			}
		}
		for _, pod := range pods {
			entries, err := mesh.AccessLog(pod, "")
			if err != nil {
				fmt.Fprintln(&b, err)
			}
			for _, entry := range entries[max(0, len(entries)-5):] {
				fmt.Fprintf(&b, "%s of %s: %+v\n", pod.Name, pod.Cluster(), entry)
			}
		}
		if pod, err := f.lab.Pod(from.cluster, from.namespace, from.name); err == nil {
			config, err := mesh.ConfigAbout(context.WithoutCancel(t.Context()), pod, host)
			fmt.Fprintln(&b, config, err)
		}
		return b.String()
	}
}

// configuration returns the objects of Istio in all clusters, by cluster, kind
// and name, as the API server has them.
func (f *federation) configuration(t *testing.T) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, c := range f.lab.Clusters {
		objects, err := c.Configuration(t.Context())
		must(t, err)
		for name, object := range objects {
			all[c.Name+" "+name] = object.Object
		}
	}
	return all
}

// eventually tries until it works, at most half a minute.
func eventually(t *testing.T, attempt func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := attempt()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

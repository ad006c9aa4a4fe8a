//go:build linux

package tests

import (
	"context"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// federationHalfApplied: while a cluster does not answer, none of the others begins
// to send requests there that it is not prepared for.
func federationHalfApplied(t *testing.T, f *federation) {
	management, err := f.lab.Management()
	must(t, err)
	shift := worldgen.Resource("TrafficPolicy", "half", eastStock+shiftTo(to("stock", "shop", "west", "v2", 8080, 100)))
	west := f.lab.Cluster("west")
	t.Cleanup(func() {
		if err := management.Delete(context.WithoutCancel(t.Context()), shift); err != nil {
			t.Error(err)
		}
		if _, err := f.lab.Meshctl(context.WithoutCancel(t.Context()), nil, "apply", "--yes"); err != nil {
			t.Error(err)
		}
		f.settle(t)
	})
	must(t, management.Apply(t.Context(), shift))

	load := []*stream{
		{from: webOf("east"), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.cluster.local", Port: 8080}},
		{from: webOf("east"), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.west.global", Port: 8080}},
		{from: webOf("west"), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.east.global", Port: 8080}},
	}
	f.underLoad(t, load, func() {
		must(t, west.Pause())
		result, err := f.lab.Meshctl(t.Context(), []int{1}, "apply", "--yes", "--request-timeout", "2s")
		must(t, west.Resume())
		must(t, err)
		if result.Code != 1 || !strings.Contains(result.Stdout+result.Stderr, "skipped because") {
			t.Errorf("exit code %d:\n%s%s", result.Code, result.Stdout, result.Stderr)
		}
		f.settle(t)
	})
	for _, s := range load {
		problems, requests := s.lost(true)
		t.Logf("%s: %d requests", s, requests)
		expect(t, "lost requests of "+s.String(), map[string]int{}, problems)
	}
	for name := range count(load[0].outcomes) {
		if !strings.HasSuffix(name, ".east") {
			t.Errorf("requests are answered by %s", name)
		}
	}
	if routes, found := f.configuration(t)["east VirtualService shop/stock"]; found {
		t.Errorf("written in spite of it: %v", routes)
	}

	f.meshctl(t, "apply", "--yes")
	f.settle(t)
	request := load[0].request
	expect(t, "who answers in the end", map[string]int{"stock-v2.west": 10}, count(f.sendMany(t, webOf("east"), request, 10)))
}

// federationHalfWithdrawn: what a cluster that does not answer may still send
// requests to stays.
func federationHalfWithdrawn(t *testing.T, f *federation) {
	shift := worldgen.Resource("TrafficPolicy", "half", eastStock+shiftTo(to("stock", "shop", "west", "v2", 8080, 100)))
	f.become(t, federatedWorld(shift))
	management, err := f.lab.Management()
	must(t, err)
	must(t, management.Delete(t.Context(), shift))
	east := f.lab.Cluster("east")
	subsets := func() any {
		spec, _ := f.configuration(t)["west DestinationRule shop/stock"]["spec"].(map[string]any)
		return spec["subsets"]
	}
	s := &stream{from: webOf("east"), request: client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.cluster.local", Port: 8080}}
	f.underLoad(t, []*stream{s}, func() {
		must(t, east.Pause())
		result, err := f.lab.Meshctl(t.Context(), []int{1}, "apply", "--yes", "--request-timeout", "2s")
		must(t, east.Resume())
		must(t, err)
		if result.Code != 1 || !strings.Contains(result.Stdout+result.Stderr, "requests may still be sent there") {
			t.Errorf("exit code %d:\n%s%s", result.Code, result.Stdout, result.Stderr)
		}
		f.settle(t)
	})
	problems, requests := s.lost(true)
	t.Logf("%s: %d requests", s, requests)
	expect(t, "lost requests", map[string]int{}, problems)
	expect(t, "who answers", []string{"stock-v2.west"}, sorted(count(s.outcomes)))
	if subsets() == nil {
		t.Error("the subset is gone, but requests are still sent there")
	}
	f.meshctl(t, "apply", "--yes")
	f.settle(t)
	if found := subsets(); found != nil {
		t.Errorf("there are still subsets: %v", found)
	}
}

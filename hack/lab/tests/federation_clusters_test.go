//go:build linux

package tests

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/node"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// TestFederationOfThreeClusters has three clusters with DNS domains and trust
// domains of their own, hostnames that end in a suffix of their own, and gateways
// that are known by a DNS name, by the node's address, and by two addresses.
func TestFederationOfThreeClusters(t *testing.T) {
	const nodePort = 31443
	clusters := []worldgen.Cluster{
		{Name: "east", Domain: "cluster.local", TrustDomain: "east.example"},
		{Name: "west", Domain: "west.local", TrustDomain: "west.example"},
		{Name: "north", Domain: "k8s.north.example", TrustDomain: "cluster.local"},
	}
	world := func(resources ...unstructured.Unstructured) worldgen.World {
		w := worldgen.Federated("three", clusters, `
permissive: {}
hostnameSuffix: mesh.example
tlsEnforcementSettings: {enforcementMode: STRICT}`, "DISABLED", resources...)
		ports := []any{map[string]any{"name": "tls", "port": 15443, "targetPort": 15443, "protocol": "TCP", "nodePort": nodePort}}
		for i, gateway := range [][]unstructured.Unstructured{
			worldgen.Gateway(worldgen.GatewayName, "ingressgateway", "LoadBalancer", map[string]string{node.HostnameAnnotation: "gateway.east.example"}, nil),
			worldgen.Gateway(worldgen.GatewayName, "ingressgateway", "NodePort", nil, map[string]any{"ports": ports}),
			worldgen.Gateway(worldgen.GatewayName, "ingressgateway", "LoadBalancer", nil, map[string]any{"externalIPs": []any{"10.200.0.1"}}),
		} {
			for k := range w.Clusters[i].Objects {
				for _, object := range gateway {
					if there := &w.Clusters[i].Objects[k]; there.GetKind() == object.GetKind() && there.GetName() == object.GetName() {
						*there = object
					}
				}
			}
		}
		return w
	}
	f := startFederation(t, world(), withoutRetries)
	for _, from := range clusters {
		for _, to := range clusters {
			if to.Name == from.Name {
				continue // A federated hostname is for others.
			}
			t.Run(from.Name+" to "+to.Name, func(t *testing.T) {
				f.testPorts(t, from.Name, to.Name, to.Name+".mesh.example", from.TrustDomain)
			})
		}
		t.Run("within "+from.Name, func(t *testing.T) {
			f.testPorts(t, from.Name, from.Name, from.Domain, from.TrustDomain)
		})
	}
	t.Run("addresses", func(t *testing.T) {
		got := map[string][]any{}
		configuration := f.configuration(t)
		for _, c := range clusters {
			spec, _ := configuration[otherOf(c.Name)+" ServiceEntry istio-system/desk.bank.svc."+c.Name+".mesh.example"]["spec"].(map[string]any)
			got[c.Name] = append(got[c.Name], spec["resolution"])
			endpoints, _ := spec["endpoints"].([]any)
			for _, endpoint := range endpoints {
				fields, _ := endpoint.(map[string]any)
				ports, _ := fields["ports"].(map[string]any)
				got[c.Name] = append(got[c.Name], fmt.Sprint(fields["address"], " ", ports["tcp"]))
			}
		}
		want := map[string][]any{
			"east":  {"DNS", "gateway.east.example 15443"},
			"west":  {"STATIC", "10.1.2.1 31443"},
			"north": {"STATIC", "10.200.0.1 15443", "10.131.0.1 15443"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("what other clusters are told (-want +got):\n%s", diff)
		}
	})
	t.Run("federated hostnames at home", func(t *testing.T) {
		outcome := f.send(t, webOf("east"), client.Request{Protocol: client.HTTP1, Host: "desk.bank.svc.east.mesh.example", Port: 80})
		expect(t, "a call", answer{Problem: "resolve"}, answerOf(&outcome))
	})
	t.Run("subsets", func(t *testing.T) {
		f.become(t, world(
			worldgen.Resource("TrafficPolicy", "to-west", eastStock+at("/west")+shiftTo(to("stock", "shop", "west", "v1", 8080, 100))),
			worldgen.Resource("TrafficPolicy", "to-north", eastStock+at("/north")+shiftTo(to("stock", "shop", "north", "v1", 8080, 100))),
			worldgen.Resource("TrafficPolicy", "to-east", westStock+at("/east")+shiftTo(to("stock", "shop", "east", "v1", 8080, 100))),
		))
		for _, tt := range []struct{ from, host, to string }{
			{"east", "stock.shop.svc.cluster.local", "west"},
			{"east", "stock.shop.svc.cluster.local", "north"},
			{"west", "stock.shop.svc.west.local", "east"},
			{"north", "stock.shop.svc.west.mesh.example", "east"},
			{"north", "stock.shop.svc.east.mesh.example", "west"},
		} {
			request := client.Request{Protocol: client.HTTP1, Host: tt.host, Port: 8080, Path: "/" + tt.to}
			expect(t, fmt.Sprintf("calls of %s from %s", tt.host, tt.from), map[string]int{"stock-v1." + tt.to: 10},
				count(f.sendMany(t, webOf(tt.from), request, 10)), f.seenBy(t, webOf(tt.from), "stock.shop.svc."+tt.to))
		}
	})
}

// otherOf returns a cluster that another one is federated to.
func otherOf(cluster string) string {
	if cluster == "east" {
		return "west"
	}
	return "east"
}

package istiocheck

import (
	"context"
	"path/filepath"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"

	networking "istio.io/api/networking/v1"
	"istio.io/istio/pilot/pkg/model"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// bookinfo is the bundled world with what is rendered of it.
func bookinfo(t *testing.T, options istio.Options) *renderedWorld {
	objects, err := load.Files(context.Background(), load.FileOptions{
		Paths: []string{filepath.Join("..", "..", "testdata", "worlds", "bookinfo-two-clusters")}, Recursive: true,
	}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	return renderedWith("bookinfo", objects, options)
}

// entryOf is the first gateway of a cluster.
func (p *pipeline) entryOf() (*world.Destination, policy.Gateway) {
	g := p.world.result.Meshes[p.mesh.ID].Gateways[0]
	return &p.world.result.World.Destinations[g.Destination], g
}

// TestGatewaysNeedMutualTLS shows what a gateway makes of endpoints of which it is
// not known that they speak Istio's mutual TLS: it has the cluster, and nobody in
// it. This is how federation was rendered once, and a comparison of names alone
// did not notice.
func TestGatewaysNeedMutualTLS(t *testing.T) {
	const host = "reviews.bookinfo.svc.west.global"
	for name, test := range map[string]struct {
		labels map[string]string
		want   int
	}{
		"labels of a Deployment's template": {map[string]string{"app": "reviews"}, 0},
		"labels of a pod with a proxy":      {map[string]string{"app": "reviews", "security.istio.io/tlsMode": "istio"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := bookinfo(t, istio.Options{})
			w.clusters["west"] = append(w.clusters["west"],
				istio.Object{Cluster: "west", Kind: istio.KindServiceEntry, Namespace: "istio-system", Name: host, Spec: &networking.ServiceEntry{
					Hosts: []string{host}, Location: networking.ServiceEntry_MESH_INTERNAL, Resolution: networking.ServiceEntry_STATIC,
					Ports:     []*networking.ServicePort{{Number: 9080, Name: "http", Protocol: "HTTP"}},
					Endpoints: []*networking.WorkloadEntry{{Address: "10.9.0.1", Labels: test.labels}},
				}},
				istio.Object{Cluster: "west", Kind: istio.KindDestinationRule, Namespace: "istio-system", Name: host, Spec: &networking.DestinationRule{
					Host: host, TrafficPolicy: &networking.TrafficPolicy{Tls: &networking.ClientTLSSettings{Mode: networking.ClientTLSSettings_ISTIO_MUTUAL}},
				}})
			p := newPipeline(t, w, "west")
			gateway, _ := p.entryOf()
			cluster := &cluster.Cluster{Name: model.BuildDNSSrvSubsetKey(model.TrafficDirectionOutbound, "", host, 9080)}
			if got := p.endpointsOf(p.gateway(gateway), cluster); len(got) != test.want {
				t.Errorf("the gateway has %v, want %d endpoints", got, test.want)
			}
		})
	}
}

// TestForeignGateway has Istio's own east-west Gateway select the same pods: with
// what is rendered for that, no filter chains are equal and every name is passed
// on; otherwise Envoy would refuse the listener.
func TestForeignGateway(t *testing.T) {
	foreign := istio.Object{Cluster: "west", Kind: istio.KindGateway, Namespace: "istio-system", Name: "cross-network-gateway", Spec: &networking.Gateway{
		Selector: map[string]string{"istio": "ingressgateway"},
		Servers: []*networking.Server{{
			Port: &networking.Port{Number: 15443, Name: "tls", Protocol: "TLS"}, Hosts: []string{"*.local"},
			Tls: &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_AUTO_PASSTHROUGH},
		}},
	}}
	fields, err := foreign.Fields()
	if err != nil {
		t.Fatal(err)
	}
	spec, _ := fields["spec"].(map[string]any)
	known, passes := istio.ReadForeignGateway(foreign.Namespace, foreign.Name, spec)
	if !passes {
		t.Fatalf("%v passes nothing on", spec)
	}
	chains := func(options istio.Options) (names int, twice []string) {
		w := bookinfo(t, options)
		w.clusters["west"] = append(w.clusters["west"], foreign)
		p := newPipeline(t, w, "west")
		gateway, g := p.entryOf()
		for _, l := range p.Listeners(p.gateway(gateway)) {
			if l.GetAddress().GetSocketAddress().GetPortValue() == g.ServerPort {
				names, twice = len(l.FilterChains), equalChains(l.FilterChains)
			}
		}
		return names, twice
	}
	if _, twice := chains(istio.Options{}); len(twice) == 0 {
		t.Error("two Gateways for the same names and pods do no harm: nothing has to be left out")
	}
	names, twice := chains(istio.Options{Foreign: map[string][]istio.ForeignGateway{"west": {known}}})
	if names == 0 || len(twice) > 0 {
		t.Errorf("%d filter chains, of which %v are equal", names, twice)
	}
}

package istiocheck

import (
	"slices"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xdstest"
	clusterid "istio.io/istio/pkg/cluster"

	"github.com/meshctl/meshctl/internal/snapshot"
)

// TestGateways sends what other clusters ask for to the gateways of the
// clusters where the Services are: the name that a caller's proxy gives must
// lead to a port of the Service, on every gateway that the caller may take.
func TestGateways(t *testing.T) {
	compared := 0
	eachWorld(t, func(t *testing.T, w *world) {
		pipelines := map[string]*pipeline{}
		for _, name := range w.names {
			if p := newPipeline(t, w, name); p != nil {
				pipelines[name] = p
			}
		}
		for i := range w.result.World.Destinations {
			d := &w.result.World.Destinations[i]
			federation := w.result.Destinations[i].Federation
			p := pipelines[d.Ref.ClusterName]
			if federation == nil || federation.Flat || p == nil || p.mesh != d.Mesh || w.unexported(d) {
				continue
			}
			for _, g := range w.result.Meshes[d.Mesh.ID].Gateways {
				gateway := &w.result.World.Destinations[g.Destination]
				if len(gateway.Selector) == 0 {
					continue
				}
				proxy := p.gateway(gateway)
				listeners, clusters := p.Listeners(proxy), xdstest.ExtractClusters(p.Clusters(proxy))
				for _, caller := range pipelines {
					if !slices.Contains(federation.Meshes, caller.mesh.ID) || caller.mesh.Cluster == d.Ref.ClusterName {
						continue
					}
					compared += caller.askGateway(t, d, federation.FederatedHostname(d), g.ContainerPort, listeners, clusters)
				}
			}
		}
	})
	t.Logf("%d ports of Services compared", compared)
}

// gateway is the proxy of a gateway.
func (p *pipeline) gateway(d *snapshot.Destination) *model.Proxy {
	return p.SetupProxy(&model.Proxy{
		Type: model.Router, ID: d.Ref.Name + "." + d.Ref.Namespace, ConfigNamespace: d.Ref.Namespace, IPAddresses: []string{"10.3.0.1"}, Labels: d.Selector,
		Metadata: &model.NodeMetadata{IstioVersion: "1.31.0", Namespace: d.Ref.Namespace, Labels: d.Selector, ClusterID: clusterid.ID(d.Ref.ClusterName)},
	})
}

// askGateway follows the names that a proxy of p gives for the ports and
// subsets of a Service, and returns how many there are.
func (p *pipeline) askGateway(t *testing.T, d *snapshot.Destination, hostname string, port uint32, listeners []*listener.Listener, clusters map[string]*cluster.Cluster) int {
	callers := p.sidecars(p.mesh.Cluster)
	if len(callers) == 0 {
		return 0
	}
	asked := 0
	for _, c := range p.Clusters(p.proxy(callers[0])) {
		_, subset, host, number := model.ParseSubsetKey(c.Name)
		name := serverName(t, c)
		if string(host) != hostname || name == "" {
			continue
		}
		asked++
		got, want := passedTo(t, listeners, port, name), model.BuildDNSSrvSubsetKey(model.TrafficDirectionOutbound, subset, host, number)
		if got != want || clusters[got] == nil {
			t.Errorf("%s -> %s: the gateway passes %s on port %d to %q, which is a cluster: %v", p.mesh.Cluster, d.Key(), name, port, got, clusters[got] != nil)
		}
	}
	return asked
}

// serverName is what a proxy calls a cluster by in its TLS handshake; empty if
// it does not encrypt as one of the mesh.
func serverName(t *testing.T, c *cluster.Cluster) string {
	sockets := []*core.TransportSocket{c.TransportSocket}
	for _, m := range c.TransportSocketMatches {
		sockets = append(sockets, m.TransportSocket)
	}
	for _, s := range sockets {
		if context := (&tls.UpstreamTlsContext{}); s.GetTypedConfig().MessageIs(context) {
			if err := s.GetTypedConfig().UnmarshalTo(context); err != nil {
				t.Fatal(err)
			}
			if len(context.GetCommonTlsContext().GetTlsCertificateSdsSecretConfigs()) > 0 {
				return context.Sni
			}
		}
	}
	return ""
}

// passedTo returns the cluster that a gateway passes connections for a name to.
func passedTo(t *testing.T, listeners []*listener.Listener, port uint32, name string) string {
	for _, l := range listeners {
		if l.GetAddress().GetSocketAddress().GetPortValue() != port {
			continue
		}
		for _, chain := range l.FilterChains {
			if slices.Contains(chain.GetFilterChainMatch().GetServerNames(), name) {
				return xdstest.ExtractTCPProxy(t, chain).GetCluster()
			}
		}
	}
	return ""
}

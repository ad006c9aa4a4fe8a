package istiocheck

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"github.com/google/go-cmp/cmp"

	networking "istio.io/api/networking/v1"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/xds/endpoints"
	"istio.io/istio/pilot/test/xdstest"
	clusterid "istio.io/istio/pkg/cluster"
	hostpkg "istio.io/istio/pkg/config/host"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TestGateways follows connections from clusters to Services of others: from the
// endpoints that the caller's proxy has for the federated host, by the name that
// it gives in the handshake, through the filter chain of the gateway, to the
// endpoints that the gateway's proxy has.
func TestGateways(t *testing.T) {
	names, pods := 0, 0
	eachWorld(t, func(t *testing.T, w *renderedWorld) {
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
				entry := p.entry(t, gateway, g)
				for _, name := range w.names {
					caller := pipelines[name]
					if caller == nil || !slices.Contains(federation.Meshes, caller.mesh.ID) || name == d.Ref.ClusterName {
						continue
					}
					n, e := caller.askGateway(t, d, federation.FederatedHostname(d), entry)
					names, pods = names+n, pods+e
				}
			}
		}
	})
	t.Logf("%d names lead to %d endpoints", names, pods)
	if names == 0 || pods == 0 {
		t.Error("the worlds show nothing")
	}
}

// entry is a gateway's proxy as its control plane configures it.
type entry struct {
	pipeline *pipeline
	proxy    *model.Proxy
	gateway  policy.Gateway
	chains   []*listener.FilterChain
	clusters map[string]*cluster.Cluster
}

func (p *pipeline) entry(t *testing.T, d *world.Destination, g policy.Gateway) *entry {
	e := &entry{pipeline: p, proxy: p.gateway(d), gateway: g}
	port := g.ServerPort
	if len(e.proxy.ServiceTargets) > 0 && slices.ContainsFunc(d.Resource.Spec.KubeService.Ports, func(s discoveryv1.KubeServicePort) bool { return s.Port == port }) {
		port = podPort(d, port) // as Istio finds it for these pods
	}
	for _, l := range p.Listeners(e.proxy) {
		if l.GetAddress().GetSocketAddress().GetPortValue() == port {
			e.chains = append(e.chains, l.FilterChains...)
		}
	}
	e.clusters = xdstest.ExtractClusters(p.Clusters(e.proxy))
	if twice := equalChains(e.chains); len(twice) > 0 {
		t.Errorf("%s: Envoy refuses the listener, because filter chains are equal: %v", d.Key(), twice)
	}
	return e
}

// gateway is the proxy of a gateway: of a pod that is known, if any.
func (p *pipeline) gateway(d *world.Destination) *model.Proxy {
	address, labels := "10.3.0.1", d.Selector
	if len(d.Backing) > 0 {
		w := &p.world.result.World.Workloads[d.Backing[0]]
		address, labels = podAddress(w), w.Labels
	}
	return p.SetupProxy(&model.Proxy{
		Type: model.Router, ID: d.Ref.Name + "." + d.Ref.Namespace, ConfigNamespace: d.Ref.Namespace, IPAddresses: []string{address}, Labels: labels,
		Metadata: &model.NodeMetadata{IstioVersion: "1.31.0", Namespace: d.Ref.Namespace, Labels: labels, ClusterID: clusterid.ID(d.Ref.ClusterName)},
	})
}

// equalChains returns the names that several filter chains of a listener match
// with a common application protocol.
func equalChains(chains []*listener.FilterChain) []string {
	var twice []string
	seen := map[string]bool{}
	for _, chain := range chains {
		match := chain.GetFilterChainMatch()
		for _, name := range match.GetServerNames() {
			for _, protocol := range append([]string{""}, match.GetApplicationProtocols()...) {
				if protocol == "" && len(match.GetApplicationProtocols()) > 0 {
					continue
				}
				if key := name + " " + protocol; seen[key] {
					twice = append(twice, key)
				} else {
					seen[key] = true
				}
			}
		}
	}
	return twice
}

// askGateway follows the names that a proxy of p gives for the ports and
// subsets of a Service, and returns how many there are, and to how many
// endpoints they lead.
func (p *pipeline) askGateway(t *testing.T, d *world.Destination, hostname string, e *entry) (names, pods int) {
	callers := p.sidecars(p.mesh.Cluster)
	if len(callers) == 0 {
		return 0, 0
	}
	proxy := p.proxy(callers[0])
	for _, c := range p.Clusters(proxy) {
		_, subset, host, port := model.ParseSubsetKey(c.Name)
		if string(host) != hostname {
			continue
		}
		at := fmt.Sprintf("%s -> %s, %s", p.mesh.Cluster, d.Key(), c.Name)
		client := clientContext(t, c)
		if client == nil {
			if p.tlsMode(p.mesh.Cluster, d, uint32(port)) == networkingv1.TLSModeIstioMutual {
				t.Errorf("%s: the caller does not encrypt as one of the mesh", at)
			}
			continue
		}
		names++
		if diff := cmp.Diff(p.wayTo(d), p.endpointsOf(proxy, c)); diff != "" {
			t.Errorf("%s: the caller's endpoints (-gateways +istio)\n%s", at, diff)
		}
		want := model.BuildDNSSrvSubsetKey(model.TrafficDirectionOutbound, subset, hostpkg.Name(d.Hostname), port)
		if client.Sni != want {
			t.Errorf("%s: the caller names %s, not %s", at, client.Sni, want)
			continue
		}
		target := e.passedTo(t, client)
		if target != want || e.clusters[target] == nil {
			t.Errorf("%s: the gateway passes %s to %q, which is a cluster: %v", at, client.Sni, target, e.clusters[target] != nil)
			continue
		}
		got := e.pipeline.endpointsOf(e.proxy, e.clusters[target])
		var behind []string
		if p.tlsMode(d.Ref.ClusterName, d, uint32(port)) == networkingv1.TLSModeIstioMutual { // MC0212 says so where it is not
			behind = p.podsBehind(t, d, uint32(port), subset)
		}
		if diff := cmp.Diff(behind, got); diff != "" {
			t.Errorf("%s: the gateway's endpoints (-pods +istio)\n%s", at, diff)
		}
		pods += len(got)
	}
	return names, pods
}

// tlsMode is how describe says that clients of a cluster encrypt for a port.
func (p *pipeline) tlsMode(cluster string, d *world.Destination, port uint32) networkingv1.TLSMode {
	mode := p.world.result.DefaultTLSMode()
	for _, s := range p.world.result.ConnectionFrom(cluster, d.ID) {
		if mtls, ok := s.Value.(*networkingv1.MTLS); ok && (len(s.Ports) == 0 || slices.Contains(s.Ports, port)) {
			mode = mtls.Istio.TLSMode
		}
	}
	return mode
}

// wayTo are the gateways of a Service's mesh as the world has them.
func (p *pipeline) wayTo(d *world.Destination) []string {
	var ways []string
	for _, g := range p.world.result.Meshes[d.Mesh.ID].Gateways {
		for _, address := range g.Addresses {
			ways = append(ways, net.JoinHostPort(address, strconv.FormatUint(uint64(g.ExternalPort), 10)))
		}
	}
	slices.Sort(ways)
	return slices.Compact(ways)
}

// podsBehind are the pods of a Service, or of one of its subsets, as the world has
// them.
func (p *pipeline) podsBehind(t *testing.T, d *world.Destination, port uint32, subset string) []string {
	labels := p.subsetLabels(t, d, subset)
	var pods []string
	for _, id := range d.Backing {
		if w := &p.world.result.World.Workloads[id]; world.HasLabels(w.Labels, labels) {
			pods = append(pods, fmt.Sprintf("%s:%d", podAddress(w), podPort(d, port)))
		}
	}
	slices.Sort(pods)
	return pods
}

// subsetLabels are the labels that a policy of the world names by a subset.
func (p *pipeline) subsetLabels(t *testing.T, d *world.Destination, subset string) map[string]string {
	if subset == "" {
		return nil
	}
	for _, o := range p.world.clusters[d.Ref.ClusterName] {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || rule.Host != d.Hostname {
			continue
		}
		for _, s := range rule.Subsets {
			if s.Name == subset {
				return s.Labels
			}
		}
	}
	t.Errorf("%s: its own cluster does not know the subset %s", d.Key(), subset)
	return nil
}

// endpointsOf are the addresses that a proxy has for a cluster, by whatever way it
// gets them.
func (p *pipeline) endpointsOf(proxy *model.Proxy, c *cluster.Cluster) []string {
	var found []string
	if c.LoadAssignment != nil {
		found = xdstest.ExtractEndpoints(c.LoadAssignment)
	} else {
		builder := endpoints.NewEndpointBuilder(c.Name, proxy, p.PushContext())
		found = xdstest.ExtractEndpoints(builder.BuildClusterLoadAssignment(p.Env().EndpointIndex))
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// clientContext is how a proxy encrypts for a cluster, nil if not as one of the
// mesh does.
func clientContext(t *testing.T, c *cluster.Cluster) *tls.UpstreamTlsContext {
	if len(c.TransportSocketMatches) > 0 {
		return nil // it depends on labels of endpoints, which gateways do not have
	}
	context := &tls.UpstreamTlsContext{}
	if !c.TransportSocket.GetTypedConfig().MessageIs(context) {
		return nil
	}
	if err := c.TransportSocket.GetTypedConfig().UnmarshalTo(context); err != nil {
		t.Fatal(err)
	}
	if len(context.GetCommonTlsContext().GetTlsCertificateSdsSecretConfigs()) == 0 {
		return nil
	}
	return context
}

// passedTo returns the cluster that the gateway passes connections of a client to:
// that of the one filter chain that matches its name and its protocols.
func (e *entry) passedTo(t *testing.T, client *tls.UpstreamTlsContext) string {
	for _, chain := range e.chains {
		match := chain.GetFilterChainMatch()
		protocols := match.GetApplicationProtocols()
		offers := len(protocols) == 0 || slices.ContainsFunc(client.GetCommonTlsContext().GetAlpnProtocols(), func(offered string) bool {
			return slices.Contains(protocols, offered)
		})
		if offers && slices.Contains(match.GetServerNames(), client.Sni) {
			return xdstest.ExtractTCPProxy(t, chain).GetCluster()
		}
	}
	return ""
}

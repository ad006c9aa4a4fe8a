package istiocheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"github.com/google/go-cmp/cmp"

	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/pkg/networking/core"
	"istio.io/istio/pilot/pkg/serviceregistry/kube"
	"istio.io/istio/pilot/test/xdstest"
	clusterid "istio.io/istio/pkg/cluster"
	"istio.io/istio/pkg/config/host"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/config/protocol"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// pipeline is Istio's control plane of one cluster, fed with what is rendered
// for it.
type pipeline struct {
	*core.ConfigGenTest
	world    *renderedWorld
	mesh     *world.Mesh
	services map[int]*model.Service
}

func newPipeline(t *testing.T, w *renderedWorld, name string) *pipeline {
	m := w.meshIn(name)
	if m == nil {
		return nil
	}
	p := &pipeline{world: w, mesh: m, services: map[int]*model.Service{}}
	var all []*model.Service
	var instances []*model.ServiceInstance
	for id, s := range services(w.result.World, name) {
		d := &w.result.World.Destinations[id]
		domain := strings.TrimPrefix(d.Hostname, s.Name+"."+s.Namespace+".svc.")
		service := kube.ConvertService(*s, nil, domain, clusterid.ID(name), m.TrustDomain)
		p.services[id] = service
		all = append(all, service)
		for _, backing := range d.Backing {
			workload := &w.result.World.Workloads[backing]
			mode := model.IstioMutualTLSModeLabel
			if !w.result.HasConnections(workload) { // it has no proxy
				mode = model.DisabledTLSModeLabel
			}
			for _, port := range service.Ports {
				instances = append(instances, &model.ServiceInstance{Service: service, ServicePort: port, Endpoint: &model.IstioEndpoint{
					Addresses: []string{podAddress(workload)}, ServicePortName: port.Name, EndpointPort: podPort(d, uint32(port.Port)),
					Labels: workload.Labels, ServiceAccount: workload.ServiceAccount, Namespace: workload.Namespace, TLSMode: mode,
				}})
			}
		}
	}
	slices.SortFunc(all, func(a, b *model.Service) int { return strings.Compare(string(a.Hostname), string(b.Hostname)) })
	settings := mesh.DefaultMeshConfig()
	settings.TrustDomain = m.TrustDomain
	settings.TrustDomainAliases, _ = m.TrustDomainAliases()
	settings.RootNamespace = rootNamespace(m)
	p.ConfigGenTest = core.NewConfigGenTest(t, core.TestOptions{
		Configs: configs(t, w, name), Services: all, Instances: instances, MeshConfig: settings, ClusterID: clusterid.ID(name),
	})
	return p
}

func (p *pipeline) proxy(w *world.Workload) *model.Proxy {
	return p.SetupProxy(&model.Proxy{
		ID: w.Name + "." + w.Namespace, ConfigNamespace: w.Namespace, IPAddresses: []string{podAddress(w)}, Labels: w.Labels,
		DNSDomain: w.Namespace + ".svc." + p.world.result.World.ClusterDomain(w.Cluster),
		Metadata: &model.NodeMetadata{
			IstioVersion: "1.31.0", Namespace: w.Namespace, Labels: w.Labels, ServiceAccount: w.ServiceAccount, ClusterID: clusterid.ID(w.Cluster),
			DNSCapture: true,
		},
	})
}

// eachCluster calls f with the control plane of every cluster of every world.
func eachCluster(t *testing.T, f func(t *testing.T, p *pipeline, name string)) {
	eachWorld(t, func(t *testing.T, w *renderedWorld) {
		for _, name := range w.names {
			p := newPipeline(t, w, name)
			if p == nil {
				continue
			}
			f(t, p, name)
		}
	})
}

// sidecars are the workloads of a cluster that the control plane configures, and
// whose proxies follow routes: those of gateways do not.
func (p *pipeline) sidecars(name string) []*world.Workload {
	var found []*world.Workload
	for i := range p.world.result.World.Workloads {
		w := &p.world.result.World.Workloads[i]
		if w.Cluster == name && w.Mesh == p.mesh && w.Namespace != "" && p.world.result.FollowsRoutes(w) {
			found = append(found, w)
		}
	}
	return found
}

// rendered reports whether anything is rendered for a Destination; describe
// says so where not (MC0311).
func rendered(d *world.Destination) bool {
	return d.Mesh != nil && d.Mesh.Type == world.MeshIstio
}

// TestRoutes compares what Istio does with requests with what describe says.
func TestRoutes(t *testing.T) {
	compared := 0
	eachCluster(t, func(t *testing.T, p *pipeline, name string) {
		random := rand.New(rand.NewPCG(1, 2))
		workloads := p.sidecars(name)
		random.Shuffle(len(workloads), func(i, k int) { workloads[i], workloads[k] = workloads[k], workloads[i] })
		for _, w := range workloads[:min(len(workloads), 6)] {
			proxy := p.proxy(w)
			listeners := p.Listeners(proxy)
			routes := xdstest.ExtractRouteConfigurations(p.RoutesFromListeners(proxy, listeners))
			clusters := xdstest.ExtractClusters(p.Clusters(proxy))
			for i := range p.world.result.World.Destinations {
				d := &p.world.result.World.Destinations[i]
				if !d.IsService() || !rendered(d) {
					continue
				}
				hostname, _, reachable := p.world.result.Reach(w, d)
				if !reachable {
					continue
				}
				service := p.PushContext().ServiceForHostname(proxy, host.Name(hostname))
				if service == nil {
					if !p.world.unexported(d) {
						t.Errorf("%s: %s is not known to %s", name, hostname, w.Name)
					}
					continue
				}
				compared += p.compareRoutes(t, random, w, d, service, listeners, routes, clusters)
				p.compareConnection(t, w, d, service, clusters)
			}
		}
	})
	t.Logf("%d requests compared", compared)
}

func (p *pipeline) compareRoutes(t *testing.T, random *rand.Rand, w *world.Workload, d *world.Destination, service *model.Service,
	listeners []*listener.Listener, routes map[string]*route.RouteConfiguration, clusters map[string]*cluster.Cluster,
) int {
	expected := p.world.result.RoutesFor(w, d.ID)
	n := 0
	for _, port := range service.Ports {
		host := virtualHost(listeners, routes, service, port)
		var mine []*policy.Route
		for _, r := range expected {
			if slices.Contains(r.Ports, uint32(port.Port)) {
				mine = append(mine, r)
			}
		}
		at := fmt.Sprintf("%s -> %s:%d (%s)", w.Name, d.Key(), port.Port, port.Protocol)
		if host == nil {
			if len(mine) > 0 {
				t.Errorf("%s: describe has %d routes, Istio has none", at, len(mine))
			}
			continue
		}
		if port.Protocol == protocol.UDP {
			continue
		}
		for range 25 {
			r := sample(random, mine)
			want := outcomeOf(p, w, d, uint32(port.Port), mine, r)
			got := envoyOutcome(matchedRoute(host, r))
			n++
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %+v (-describe +istio)\n%s", at, r, diff)
				break
			}
			for _, name := range got.clusters() {
				if clusters[name] == nil {
					t.Errorf("%s: cluster %s does not exist", at, name)
				}
			}
		}
	}
	return n
}

// virtualHost finds where Istio looks for the route of HTTP requests to a
// service.
func virtualHost(listeners []*listener.Listener, routes map[string]*route.RouteConfiguration, service *model.Service, port *model.Port) *route.VirtualHost {
	var at *listener.Listener
	address := service.DefaultAddress
	for _, l := range listeners {
		socket := l.GetAddress().GetSocketAddress()
		if socket.GetPortValue() != uint32(port.Port) || l.TrafficDirection.String() != "OUTBOUND" {
			continue
		}
		if socket.GetAddress() == address || (socket.GetAddress() == "0.0.0.0" && at == nil) {
			at = l
		}
	}
	if at == nil {
		return nil
	}
	chains := slices.Clone(at.FilterChains)
	if at.DefaultFilterChain != nil {
		chains = append(chains, at.DefaultFilterChain)
	}
	for _, chain := range chains {
		manager := xdstest.ExtractHTTPConnectionManager(nil, chain)
		if manager == nil {
			continue
		}
		config := manager.GetRouteConfig()
		if config == nil {
			config = routes[manager.GetRds().RouteConfigName]
		}
		var any *route.VirtualHost
		for _, host := range config.GetVirtualHosts() {
			if slices.Contains(host.Domains, string(service.Hostname)) {
				return host
			}
			if slices.Contains(host.Domains, "*") && host.Name != "allow_any" && host.Name != "block_all" {
				any = host
			}
		}
		if any != nil {
			return any
		}
	}
	return nil
}

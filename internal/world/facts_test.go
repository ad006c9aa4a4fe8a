package world_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// factsWorld is a mesh with the trust domain own, a workload and a Service in front
// of it, with facts that may be nil.
func factsWorld(mesh *discoveryv1.MeshFacts, workload *discoveryv1.WorkloadFacts, destination *discoveryv1.DestinationFacts) *world.World {
	ref := &core.ObjectRef{Name: "istiod", Namespace: "gloo-mesh"}
	labels := map[string]string{"app": "web"}
	of := func(name string) *core.ClusterObjectRef {
		return &core.ClusterObjectRef{Name: name, Namespace: "shop", ClusterName: "east"}
	}
	return world.New(world.Objects{
		Meshes: []world.Object[discoveryv1.Mesh]{{Resource: &discoveryv1.Mesh{
			ObjectMeta: metav1.ObjectMeta{Name: "istiod", Namespace: "gloo-mesh"},
			Spec:       discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{TrustDomain: "own"}, Meshctl: mesh},
		}}},
		Workloads: []world.Object[discoveryv1.Workload]{{Resource: &discoveryv1.Workload{
			ObjectMeta: metav1.ObjectMeta{Name: "web-shop-east-deployment", Namespace: "gloo-mesh"},
			Spec: discoveryv1.WorkloadSpec{
				Kubernetes: &discoveryv1.KubernetesWorkload{Controller: of("web"), PodLabels: labels, ServiceAccountName: "web"}, Mesh: ref, Meshctl: workload,
			},
		}}},
		Destinations: []world.Object[discoveryv1.Destination]{{Resource: &discoveryv1.Destination{
			ObjectMeta: metav1.ObjectMeta{Name: "web-shop-east", Namespace: "gloo-mesh"},
			Spec: discoveryv1.DestinationSpec{
				KubeService: &discoveryv1.KubeService{Ref: of("web"), WorkloadSelectorLabels: labels}, Mesh: ref, Meshctl: destination,
			},
		}}},
	})
}

func TestAcceptsTrustDomain(t *testing.T) {
	t.Parallel()
	type answer struct{ Accepts, Known bool }
	yes, no := answer{true, true}, answer{false, true}
	all := func() *discoveryv1.MeshFacts {
		return &discoveryv1.MeshFacts{TrustDomainAliases: []string{"alias"}, CACertificateTrustDomains: []string{"listed"}, SkipValidateTrustDomain: new(false)}
	}
	changed := func(change func(*discoveryv1.MeshFacts)) *discoveryv1.MeshFacts {
		facts := all()
		change(facts)
		return facts
	}
	tests := []struct {
		name                       string
		facts                      *discoveryv1.MeshFacts
		own, alias, listed, others answer
	}{
		{name: "no facts", own: yes, alias: answer{}, listed: answer{}, others: answer{}},
		{name: "all facts", facts: all(), own: yes, alias: yes, listed: yes, others: no},
		{
			name: "known to have nothing", own: yes, alias: no, listed: no, others: no,
			facts: &discoveryv1.MeshFacts{TrustDomainAliases: []string{}, CACertificateTrustDomains: []string{}, SkipValidateTrustDomain: new(false)},
		},
		{
			name: "no validation", own: yes, alias: yes, listed: yes, others: yes,
			facts: &discoveryv1.MeshFacts{SkipValidateTrustDomain: new(true)},
		},
		{
			name: "aliases not known", own: yes, alias: answer{}, listed: yes, others: answer{},
			facts: changed(func(f *discoveryv1.MeshFacts) { f.TrustDomainAliases = nil }),
		},
		{
			name: "CA certificates not known", own: yes, alias: yes, listed: answer{}, others: answer{},
			facts: changed(func(f *discoveryv1.MeshFacts) { f.CACertificateTrustDomains = nil }),
		},
		{
			name: "validation not known", own: yes, alias: yes, listed: yes, others: answer{},
			facts: changed(func(f *discoveryv1.MeshFacts) { f.SkipValidateTrustDomain = nil }),
		},
		{
			name: "an alias that is no trust domain", own: yes, alias: answer{}, listed: yes, others: answer{},
			facts: changed(func(f *discoveryv1.MeshFacts) { f.TrustDomainAliases = []string{"alias", "*"} }),
		},
	}
	for _, test := range tests {
		mesh := &factsWorld(test.facts, nil, nil).Meshes[0]
		for domain, want := range map[string]answer{"own": test.own, "alias": test.alias, "listed": test.listed, "other": test.others, "*": test.others} {
			var got answer
			got.Accepts, got.Known = mesh.AcceptsTrustDomain(domain)
			if got != want {
				t.Errorf("%s: accepts %s: %+v, want %+v", test.name, domain, got, want)
			}
		}
	}
	other := world.Mesh{Type: world.MeshLinkerd, TrustDomain: "cluster.local", Facts: all()}
	if accepts, known := other.AcceptsTrustDomain("alias"); accepts || known {
		t.Errorf("of a mesh that is not Istio's, aliases are not known: %t, %t", accepts, known)
	}
}

// TestUnusableFacts: names that cannot be used are not known, and the objects stay.
func TestUnusableFacts(t *testing.T) {
	t.Parallel()
	mesh := &discoveryv1.MeshFacts{TrustDomainAliases: []string{"a", "*"}, CACertificateTrustDomains: []string{"B"}, EnableAutoMTLS: new(false)}
	destination := &discoveryv1.DestinationFacts{ServiceAccounts: []string{"web", "../x"}, Headless: new(true)}
	w := factsWorld(mesh, nil, destination)
	if diff := cmp.Diff(&discoveryv1.MeshFacts{EnableAutoMTLS: new(false)}, w.Meshes[0].Facts); diff != "" {
		t.Errorf("facts of the mesh (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&discoveryv1.DestinationFacts{Headless: new(true)}, w.Destinations[0].Facts); diff != "" {
		t.Errorf("facts of the destination (-want +got):\n%s", diff)
	}
	if len(mesh.TrustDomainAliases) != 2 || len(destination.ServiceAccounts) != 2 {
		t.Error("the resources changed")
	}
	var got []string
	for _, p := range w.Problems {
		if p.Kind != world.IgnoredFact || p.HidesInput() || p.Hint == "" {
			t.Errorf("an unexpected problem %+v", p)
		}
		got = append(got, p.Object+": "+p.Message)
	}
	const syntax = "it may have lower-case letters, digits, dots, dashes and underscores only"
	want := []string{
		`Mesh/istiod.gloo-mesh: a fact is ignored: spec.meshctl.caCertificateTrustDomains: "B" cannot be used: ` + syntax,
		`Destination/web-shop-east.gloo-mesh: a fact is ignored: spec.meshctl.serviceAccounts: "../x" cannot be used: it is no name that Kubernetes accepts`,
		`Mesh/istiod.gloo-mesh: a fact is ignored: spec.meshctl.trustDomainAliases: "*" cannot be used: ` + syntax,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestMeshFactDefaults(t *testing.T) {
	t.Parallel()
	type answer struct {
		Value any
		Known bool
	}
	answers := func(m *world.Mesh) map[string]answer {
		got := map[string]answer{}
		boolean := func(name string, value, known bool) { got[name] = answer{value, known} }
		list := func(name string, value []string, known bool) { got[name] = answer{value, known} }
		skips, known := m.SkipsTrustDomainValidation()
		boolean("skips", skips, known)
		reloads, known := m.ReloadsRootCertificate()
		boolean("reloads", reloads, known)
		scopes, known := m.ScopesGatewaysToNamespace()
		boolean("scopes", scopes, known)
		auto, known := m.UsesAutoMTLS()
		boolean("auto", auto, known)
		captures, known := m.CapturesDNS()
		boolean("dns", captures, known)
		aliases, known := m.TrustDomainAliases()
		list("aliases", aliases, known)
		remote, known := m.RemoteClusters()
		list("remote", remote, known)
		services, known := m.VirtualServiceExports()
		list("virtualServices", services, known)
		rules, known := m.DestinationRuleExports()
		list("rules", rules, known)
		outbound, known := m.OutboundTrafficPolicy()
		got["outbound"] = answer{outbound, known}
		retries, known := m.DefaultRetryPolicy()
		got["retries"] = answer{retries, known}
		return got
	}
	everywhere := []string{"*"}
	want := map[string]answer{
		"skips": {false, false}, "reloads": {false, false}, "scopes": {false, false}, "auto": {true, false}, "dns": {false, false},
		"aliases": {[]string(nil), false}, "remote": {[]string(nil), false}, "virtualServices": {everywhere, false}, "rules": {everywhere, false},
		"outbound": {discoveryv1.OutboundAllowAny, false}, "retries": {(*discoveryv1.DefaultRetryPolicy)(nil), false},
	}
	for _, facts := range []*discoveryv1.MeshFacts{nil, {}} {
		if diff := cmp.Diff(want, answers(&factsWorld(facts, nil, nil).Meshes[0])); diff != "" {
			t.Errorf("without facts (-want +got):\n%s", diff)
		}
	}
	facts := &discoveryv1.MeshFacts{
		TrustDomainAliases: []string{"a"}, SkipValidateTrustDomain: new(true), MultiRootMesh: new(true), ScopeGatewayToNamespace: new(true),
		EnableAutoMTLS: new(false), OutboundTrafficPolicy: discoveryv1.OutboundRegistryOnly, RemoteClusters: []string{"west"},
		DefaultHTTPRetryPolicy: &discoveryv1.DefaultRetryPolicy{Attempts: new(int32(0))}, DNSCapture: new(true),
		DefaultVirtualServiceExportTo: []string{"."}, DefaultDestinationRuleExportTo: []string{"~"},
	}
	want = map[string]answer{
		"skips": {true, true}, "reloads": {true, true}, "scopes": {true, true}, "auto": {false, true}, "dns": {true, true},
		"aliases": {[]string{"a"}, true}, "remote": {[]string{"west"}, true}, "virtualServices": {[]string{"."}, true}, "rules": {[]string{"~"}, true},
		"outbound": {discoveryv1.OutboundRegistryOnly, true}, "retries": {facts.DefaultHTTPRetryPolicy, true},
	}
	if diff := cmp.Diff(want, answers(&factsWorld(facts, nil, nil).Meshes[0])); diff != "" {
		t.Errorf("with facts (-want +got):\n%s", diff)
	}
	facts.DefaultHTTPRetryPolicy = &discoveryv1.DefaultRetryPolicy{}
	if policy, known := factsWorld(facts, nil, nil).Meshes[0].DefaultRetryPolicy(); policy != nil || !known {
		t.Errorf("known to be Istio's own: %v, %t", policy, known)
	}
	// An older resource says it in its own field, where only true is certain.
	older := factsWorld(nil, nil, nil)
	older.Meshes[0].Resource.Spec.Istio.SmartDNSProxyingEnabled = true
	if captures, known := older.Meshes[0].CapturesDNS(); !captures || !known {
		t.Errorf("an older resource: %t, %t", captures, known)
	}
}

func TestWorkloadFactDefaults(t *testing.T) {
	t.Parallel()
	capturing := &discoveryv1.MeshFacts{DNSCapture: new(true)}
	tests := []struct {
		name                                             string
		mesh                                             *discoveryv1.MeshFacts
		facts                                            *discoveryv1.WorkloadFacts
		proxy                                            discoveryv1.Presence
		gateway, dns, ambient                            bool
		knowsProxy, knowsGateway, knowsDNS, knowsAmbient bool
	}{
		{name: "no facts", proxy: "ALL"},
		{name: "no facts in a mesh with facts", mesh: capturing, proxy: "ALL", dns: true},
		{name: "empty facts", mesh: capturing, facts: &discoveryv1.WorkloadFacts{}, proxy: "ALL", dns: true, knowsDNS: true},
		{
			name: "all facts", mesh: capturing,
			facts: &discoveryv1.WorkloadFacts{Proxy: "SOME", ProxyType: "GATEWAY", DNSCapture: new(false), Ambient: new(true)},
			proxy: "SOME", knowsProxy: true, gateway: true, knowsGateway: true, knowsDNS: true, ambient: true, knowsAmbient: true,
		},
		{
			name: "a sidecar", facts: &discoveryv1.WorkloadFacts{Proxy: "NONE", ProxyType: "SIDECAR", Ambient: new(false)},
			proxy: "NONE", knowsProxy: true, knowsGateway: true, knowsAmbient: true,
		},
	}
	for _, test := range tests {
		w := &factsWorld(test.mesh, test.facts, nil).Workloads[0]
		proxy, known := w.HasProxy()
		if proxy != test.proxy || known != test.knowsProxy {
			t.Errorf("%s: proxy: %s, %t", test.name, proxy, known)
		}
		for name, got := range map[string]struct {
			call         func() (bool, bool)
			value, known bool
		}{
			"gateway": {w.IsGateway, test.gateway, test.knowsGateway}, "DNS": {w.CapturesDNS, test.dns, test.knowsDNS},
			"ambient": {w.InAmbient, test.ambient, test.knowsAmbient},
		} {
			if value, known := got.call(); value != got.value || known != got.known {
				t.Errorf("%s: %s: %t, %t", test.name, name, value, known)
			}
		}
	}
}

func TestDestinationFactDefaults(t *testing.T) {
	t.Parallel()
	w := factsWorld(nil, nil, nil)
	d := &w.Destinations[0]
	if proxy, known := d.HasProxy(); proxy != "ALL" || known {
		t.Errorf("proxy without facts: %s, %t", proxy, known)
	}
	if headless, known := d.IsHeadless(); headless || known {
		t.Errorf("headless without facts: %t, %t", headless, known)
	}
	if names, known := w.ServiceAccountsBehind(d); known || !cmp.Equal(names, []string{"web"}) {
		t.Errorf("service accounts without facts: %v, %t", names, known)
	}
	if port, known := d.PodPort(80, &w.Workloads[0]); port != 0 || known {
		t.Errorf("pod port without facts: %d, %t", port, known)
	}

	w = factsWorld(nil, nil, &discoveryv1.DestinationFacts{
		Headless: new(true), Proxy: "NONE", ServiceAccounts: []string{"a", "b"},
		Ports: []discoveryv1.PortFacts{{Port: 79}, {Port: 80, PodPorts: []discoveryv1.PodPort{{Workload: "other", Port: 1}, {Workload: "web-shop-east-deployment", Port: 8080}}}},
	})
	d = &w.Destinations[0]
	if proxy, known := d.HasProxy(); proxy != "NONE" || !known {
		t.Errorf("proxy: %s, %t", proxy, known)
	}
	if headless, known := d.IsHeadless(); !headless || !known {
		t.Errorf("headless: %t, %t", headless, known)
	}
	if names, known := w.ServiceAccountsBehind(d); !known || !cmp.Equal(names, []string{"a", "b"}) {
		t.Errorf("service accounts: %v, %t", names, known)
	}
	if port, known := d.PodPort(80, &w.Workloads[0]); port != 8080 || !known {
		t.Errorf("pod port: %d, %t", port, known)
	}
	if port, known := d.PodPort(79, &w.Workloads[0]); port != 0 || known {
		t.Errorf("pod port of another port: %d, %t", port, known)
	}
}

func TestIsVisibleIn(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name            string
		service, byMesh []string
		own, other      bool
		known           bool
	}{
		{name: "nothing known", own: true, other: true},
		{name: "the service says nothing, the mesh is not known", service: []string{}, own: true, other: true},
		{name: "the service is not known", byMesh: []string{"."}, own: true},
		{name: "by default", service: []string{}, byMesh: []string{"."}, own: true, known: true},
		{name: "everywhere by default", service: []string{}, byMesh: []string{"*"}, own: true, other: true, known: true},
		{name: "more than the default", service: []string{"other"}, byMesh: []string{"."}, other: true, known: true},
		{name: "nowhere", service: []string{"~"}, own: false, known: true},
		{name: "own namespace and another", service: []string{".", "other"}, own: true, other: true, known: true},
	}
	for _, test := range tests {
		var facts *discoveryv1.DestinationFacts
		if test.service != nil {
			facts = &discoveryv1.DestinationFacts{ExportTo: test.service}
		}
		w := factsWorld(&discoveryv1.MeshFacts{DefaultServiceExportTo: test.byMesh}, nil, facts)
		for namespace, want := range map[string]bool{"shop": test.own, "other": test.other} {
			if visible, known := w.Destinations[0].IsVisibleIn(namespace); visible != want || known != test.known {
				t.Errorf("%s: in %s: %t, %t", test.name, namespace, visible, known)
			}
		}
	}
}

func TestHasEndpoints(t *testing.T) {
	t.Parallel()
	endpoints := []discoveryv1.EndpointsSubset{{Endpoints: []discoveryv1.Endpoint{{IPAddress: "10.0.0.1"}}}}
	tests := []struct {
		name       string
		facts      *discoveryv1.DestinationFacts
		endpoints  []discoveryv1.EndpointsSubset
		selector   map[string]string
		has, known bool
	}{
		{name: "no facts", selector: map[string]string{"app": "web"}, has: true},
		{name: "no pods", facts: &discoveryv1.DestinationFacts{Headless: new(false)}, selector: map[string]string{"app": "web"}, known: true},
		{name: "some facts of another tool", facts: &discoveryv1.DestinationFacts{ExportTo: []string{"*"}}, selector: map[string]string{"app": "web"}, has: true},
		{name: "pods that are not ready", facts: &discoveryv1.DestinationFacts{Headless: new(false), Proxy: "ALL"}, selector: map[string]string{"app": "web"}, has: true},
		{name: "endpoints by hand", facts: &discoveryv1.DestinationFacts{Headless: new(false)}, has: true},
		{name: "known endpoints", facts: &discoveryv1.DestinationFacts{Headless: new(false)}, endpoints: endpoints, selector: map[string]string{"app": "web"}, has: true, known: true},
	}
	for _, test := range tests {
		d := &factsWorld(nil, nil, test.facts).Destinations[0]
		d.Selector, d.Resource.Spec.KubeService.EndpointSubsets = test.selector, test.endpoints
		if has, known := d.HasEndpoints(); has != test.has || known != test.known {
			t.Errorf("%s: %t, %t", test.name, has, known)
		}
	}
}

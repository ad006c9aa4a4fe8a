package istiocheck

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	listener "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	rbac "github.com/envoyproxy/go-control-plane/envoy/config/rbac/v3"
	rbachttp "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	tls "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pilot/test/xdstest"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/world"
)

func hasClientCertificate(c *cluster.Cluster) bool {
	context := &tls.UpstreamTlsContext{}
	if err := c.TransportSocket.GetTypedConfig().UnmarshalTo(context); err != nil {
		return false
	}
	return len(context.GetCommonTlsContext().GetTlsCertificateSdsSecretConfigs()) > 0
}

// inboundFilters are the filters that decide about HTTP requests on a port of
// a pod.
func inboundFilters(t *testing.T, listeners []*listener.Listener, port uint32) []*rbac.RBAC {
	inbound := xdstest.ExtractListener(model.VirtualInboundListenerName, listeners)
	if inbound == nil {
		t.Fatal("no inbound listener")
	}
	for _, chain := range inbound.FilterChains {
		manager := xdstest.ExtractHTTPConnectionManager(t, chain)
		if manager == nil || chain.FilterChainMatch.GetDestinationPort().GetValue() != port {
			continue
		}
		var filters []*rbac.RBAC
		for _, f := range manager.HttpFilters {
			if f.GetTypedConfig().MessageIs(&rbachttp.RBAC{}) {
				config := &rbachttp.RBAC{}
				if err := f.GetTypedConfig().UnmarshalTo(config); err != nil {
					t.Fatal(err)
				}
				filters = append(filters, config.Rules)
			}
		}
		return filters
	}
	t.Errorf("no filters for requests on port %d", port)
	return nil
}

// TestAccess compares who Istio lets in with what describe says.
func TestAccess(t *testing.T) {
	compared := 0
	eachCluster(t, func(t *testing.T, p *pipeline, name string) {
		random := rand.New(rand.NewPCG(3, 4))
		all := p.world.result.World
		callers := []*world.Workload{}
		for i := range all.Workloads {
			if w := &all.Workloads[i]; w.Namespace != "" {
				callers = append(callers, w)
			}
		}
		random.Shuffle(len(callers), func(i, k int) { callers[i], callers[k] = callers[k], callers[i] })
		callers = callers[:min(len(callers), 25)]
		targets := p.sidecars(name)
		random.Shuffle(len(targets), func(i, k int) { targets[i], targets[k] = targets[k], targets[i] })
		for _, w := range targets[:min(len(targets), 15)] {
			listeners := p.Listeners(p.proxy(w))
			for _, id := range w.Backs {
				d := &all.Destinations[id]
				if len(d.Backing) != 1 && !sameRules(p, d) {
					continue // depends on the pod
				}
				if d.Mesh != nil && d.Mesh.Cluster != d.Ref.ClusterName {
					continue // it names a mesh elsewhere, so that nothing is rendered for it
				}
				for _, port := range p.services[id].Ports {
					if port.Protocol.IsTCP() || !port.Protocol.IsHTTPOrSniffed() {
						continue
					}
					filters := inboundFilters(t, listeners, podPort(d, uint32(port.Port)))
					for _, caller := range callers {
						compared += p.compareAccess(t, random, caller, d, uint32(port.Port), filters)
					}
				}
			}
		}
	})
	t.Logf("%d calls compared", compared)
}

func sameRules(p *pipeline, d *world.Destination) bool {
	first := p.world.result.World.Workloads[d.Backing[0]].Backs
	for _, id := range d.Backing {
		w := &p.world.result.World.Workloads[id]
		if !slices.Equal(w.Backs, first) || w.Mesh != p.mesh {
			return false
		}
	}
	return true
}

// compareAccess calls ports of a Service, whose pods see ports of their own, and
// returns the number of calls compared.
func (p *pipeline) compareAccess(t *testing.T, random *rand.Rand, caller *world.Workload, d *world.Destination, port uint32, filters []*rbac.RBAC) (compared int) {
	calls := reach.In(p.world.result)
	for _, receiver := range calls.Receivers(d) {
		for _, from := range calls.CallerOf(caller).Parts() {
			if c := calls.Connect(from, d, receiver); !c.Whole || len(c.Mutual) < len(c.Open) {
				return 0 // no identity arrives: filters alone do not decide
			}
		}
	}
	verdict := calls.Verdict(caller, d)
	principal := ""
	if identity, known := selector.IdentityOf(caller); known {
		principal = strings.TrimPrefix(identity.String(), "spiffe://")
	}
	for ; compared < 6; compared++ {
		called := port
		r := request{principal: principal, path: "/", method: []string{"GET", "POST", "PUT"}[random.IntN(3)]}
		r.path = []string{"/", "/api", "/health", "/api/1"}[random.IntN(4)]
		if len(verdict.Conditions) > 0 {
			c := verdict.Conditions[random.IntN(len(verdict.Conditions))]
			if len(c.Paths) > 0 && random.IntN(3) > 0 {
				r.path = strings.ReplaceAll(c.Paths[random.IntN(len(c.Paths))], "*", "x")
			}
			if len(c.Methods) > 0 && random.IntN(3) > 0 {
				r.method = strings.ReplaceAll(c.Methods[random.IntN(len(c.Methods))], "*", "GET")
			}
			if len(c.Ports) > 0 && random.IntN(3) > 0 {
				called = c.Ports[random.IntN(len(c.Ports))]
			}
		}
		r.port = podPort(d, called)
		got := true
		for _, rules := range filters {
			got = got && admits(rules, r)
		}
		want := verdict.Decision == reach.Allowed
		if verdict.Decision == reach.Conditional {
			want = slices.ContainsFunc(verdict.Conditions, func(c policy.Condition) bool { return holds(c, r, called) })
		}
		if want != got {
			t.Errorf("%s.%s.%s (%s) -> %s %s %s port %d: describe says %s (%s) %+v, Istio lets it in: %v", caller.Name, caller.Namespace, caller.Cluster, principal,
				d.Key(), r.method, r.path, called, verdict.Decision, verdict.Reason, verdict.Conditions, got)
			return compared
		}
	}
	return compared
}

func holds(c policy.Condition, r request, called uint32) bool {
	one := func(patterns []string, text string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
			switch {
			case p == "*":
				return text != ""
			case strings.HasPrefix(p, "*"):
				return strings.HasSuffix(text, p[1:])
			case strings.HasSuffix(p, "*"):
				return strings.HasPrefix(text, p[:len(p)-1])
			}
			return p == text
		})
	}
	inRange := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool {
			bits := uint32(32)
			prefix, length, ranged := strings.Cut(s, "/")
			if ranged {
				if _, err := fmt.Sscan(length, &bits); err != nil {
					panic(err)
				}
			}
			return within(prefix, bits)
		})
	}
	return one(c.Paths, r.path) && one(c.Methods, r.method) && (len(c.Ports) == 0 || slices.Contains(c.Ports, called)) &&
		len(c.Request.RequestPrincipals) == 0 &&
		(len(c.Request.ForwardedIPs) == 0 || inRange(c.Request.ForwardedIPs)) && !inRange(c.Request.NotForwardedIPs)
}

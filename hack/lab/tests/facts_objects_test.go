//go:build linux

package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

func objectFacts() []fact {
	return []fact{
		{"two-virtual-services", twoVirtualServices},
		{"two-destination-rules", twoDestinationRules},
		{"two-service-entries", twoServiceEntries},
		{"service-entries-for-services", serviceEntriesForServices},
		{"sidecars-hide-hosts", sidecarsHideHosts},
	}
}

// pair is two objects for one host, in namespaces that mean something to a
// client in front and a Service in shop.
type pair struct {
	older, newer string
	number       int
	// want says which of them has an effect.
	want string
}

func (p *pair) String() string { return fmt.Sprintf("older in %s, newer in %s", p.older, p.newer) }

// pairs returns all pairs of the namespaces; want says which object of a pair
// has an effect.
func pairs(want func(older, newer string) string) []pair {
	const client, service, root, other = "front", "shop", "istio-system", "other"
	var all []pair
	for _, older := range []string{client, service, root, other} {
		for _, newer := range []string{client, service, root, other} {
			all = append(all, pair{older: older, newer: newer, number: len(all), want: want(older, newer)})
		}
	}
	return all
}

// service returns a Service for the pods of stock-v1.
func service(number int) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Service
metadata: {name: pair-%d, namespace: shop}
spec: {selector: {version: v1}, ports: [{name: http, port: 8080, targetPort: 8081}]}
---
`, number)
}

// writePairs writes the older objects of all pairs and then the newer ones.
func (b *bench) writePairs(t *testing.T, all []pair, before func(number int) string, object func(p *pair, namespace, age string) string) {
	t.Helper()
	var first, older, newer strings.Builder
	for i := range all {
		first.WriteString(before(all[i].number))
		older.WriteString(object(&all[i], all[i].older, "older"))
		newer.WriteString(object(&all[i], all[i].newer, "newer"))
	}
	b.write(t, b.east, first.String()+older.String())
	b.nextSecond(t, b.east)
	b.apply(t, b.east, newer.String())
}

func twoVirtualServices(t *testing.T, b *bench) {
	all := pairs(func(string, string) string { return "older" })
	b.writePairs(t, all, service, func(p *pair, namespace, age string) string {
		return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: pair-%[1]d-%[2]s, namespace: %[3]s}
spec:
  hosts: [pair-%[1]d.shop.svc.cluster.local]
  http:
  - {match: [{headers: {only: {exact: %[2]s}}}], route: [{destination: {host: pair-%[1]d.shop.svc.cluster.local}}], headers: {request: {set: {x-fact: only}}}}
  - {route: [{destination: {host: pair-%[1]d.shop.svc.cluster.local}}], headers: {request: {set: {x-fact: %[2]s}}}}
---
`, p.number, age, namespace)
	})
	for i := range all {
		p := &all[i]
		outcome := mesh.Client(b.web(t)).Send(t.Context(), get(fmt.Sprintf("pair-%d.shop", p.number)))
		if got := header(&outcome, "x-fact"); got != p.want {
			t.Errorf("%s: the route is of the %q, want the %s", p, got, p.want)
		}
	}
	// The newer one is not appended, either.
	outcome := mesh.Client(b.web(t)).Send(t.Context(), with(get("pair-0.shop"), "only", "newer"))
	if got := header(&outcome, "x-fact"); got != "older" {
		t.Errorf("a request that only the newer VirtualService matches: the route is of the %q", got)
	}
}

// header returns a header as the server saw it.
func header(o *client.Outcome, name string) string {
	if o.Seen == nil {
		return told(o)
	}
	return strings.Join(o.Seen.Headers[name], ",")
}

func twoDestinationRules(t *testing.T, b *bench) {
	order := []string{"front", "shop", "istio-system"}
	all := pairs(func(older, newer string) string {
		if older == newer && older != "other" {
			return "older"
		}
		// The client's namespace counts first, then the Service's, then the root.
		for _, namespace := range order {
			if older == namespace {
				return "older"
			}
			if newer == namespace {
				return "newer"
			}
		}
		return "neither"
	})
	b.writePairs(t, all, service, func(p *pair, namespace, age string) string {
		mode := map[string]string{"older": "DISABLE", "newer": "ISTIO_MUTUAL"}[age]
		connections := map[string]int{"older": 1001, "newer": 1002}[age]
		return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: pair-%[1]d-%[2]s, namespace: %[3]s}
spec:
  host: pair-%[1]d.shop.svc.cluster.local
  trafficPolicy: {connectionPool: {tcp: {maxConnections: %[5]d}}, tls: {mode: %[4]s}}
  subsets: [{name: %[2]s, labels: {version: v1}}]
---
`, p.number, age, namespace, mode, connections)
	})
	clusters := admin(t, b.web(t), "/clusters")
	for i := range all {
		p := &all[i]
		got := "neither"
		for age, connections := range map[string]int{"older": 1001, "newer": 1002} {
			if strings.Contains(clusters, fmt.Sprintf("outbound|8080||pair-%d.shop.svc.cluster.local::default_priority::max_connections::%d\n", p.number, connections)) {
				got = age
			}
		}
		if got != p.want {
			t.Errorf("%s: the policy is of the %q, want the %s", p, got, p.want)
		}
		// The older one turns TLS off; otherwise there is an identity.
		outcome := mesh.Client(b.web(t)).Send(t.Context(), get(fmt.Sprintf("pair-%d.shop", p.number)))
		if outcome.Seen == nil || (outcome.Seen.Peer == "") != (p.want == "older") {
			t.Errorf("%s: a call ended with %s", p, told(&outcome))
		}
		var subsets []string
		for _, age := range []string{"older", "newer"} {
			if strings.Contains(clusters, fmt.Sprintf("outbound|8080|%s|pair-%d.shop.svc", age, p.number)) {
				subsets = append(subsets, age)
			}
		}
		want := slices.DeleteFunc([]string{p.want}, func(s string) bool { return s == "neither" })
		if p.older == p.newer && p.older != "other" {
			want = []string{"older", "newer"} // Rules of one namespace are merged.
		}
		if !slices.Equal(subsets, want) {
			t.Errorf("%s: there are the subsets of %v, want %v", p, subsets, want)
		}
	}
}

func twoServiceEntries(t *testing.T, b *bench) {
	all := pairs(func(older, newer string) string {
		switch {
		case older == newer:
			return "both"
		case older == "front" || newer != "front":
			return "older"
		}
		return "newer"
	})
	b.writePairs(t, all, func(int) string { return "" }, func(p *pair, namespace, age string) string {
		address := b.pod(t, "east", "shop", map[string]string{"older": "stock-v1", "newer": "stock-v2"}[age]).Address()
		return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pair-%[1]d-%[2]s, namespace: %[3]s}
spec:
  hosts: [pair-%[1]d.shop.svc.west.global]
  addresses: [243.0.3.%[4]d]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: %[5]s, ports: {http: 8081}}]
---
`, p.number, age, namespace, p.number+1, address)
	})
	for i := range all {
		p := &all[i]
		counts := b.counted(t, b.web(t), get(fmt.Sprintf("pair-%d.shop.svc.west.global", p.number)), 16)
		var got string
		switch older, newer := counts["stock-v1.east"], counts["stock-v2.east"]; {
		case older+newer != 16:
			got = fmt.Sprint(counts)
		case older == 16:
			got = "older"
		case newer == 16:
			got = "newer"
		default:
			got = "both"
		}
		if got != p.want {
			t.Errorf("%s: the endpoints are of the %q, want the %s", p, got, p.want)
		}
	}
}

// serviceEntriesForServices writes a ServiceEntry for the host of a Service of
// Kubernetes.
func serviceEntriesForServices(t *testing.T, b *bench) {
	namespaces := []string{"front", "shop", "istio-system", "other"}
	want := map[string]string{"front": "entry", "shop": "both", "istio-system": "service", "other": "service"}
	for i := range namespaces {
		b.write(t, b.east, service(i))
	}
	for i, namespace := range namespaces {
		b.write(t, b.east, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: pair-%[1]d, namespace: %[2]s}
spec:
  hosts: [pair-%[1]d.shop.svc.cluster.local]
  addresses: [243.0.8.%[3]d]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: %[4]s, ports: {http: 8081}}]
`, i, namespace, i+1, b.pod(t, "east", "shop", "stock-v2").Address()))
	}
	b.settle(t)
	for i, namespace := range namespaces {
		counts := b.counted(t, b.web(t), get(fmt.Sprintf("pair-%d.shop.svc.cluster.local", i)), 16)
		got := fmt.Sprint(counts)
		switch {
		case counts["stock-v1.east for "+webIdentity] == 16:
			got = "service"
		case counts["stock-v2.east"] == 16:
			got = "entry"
		case counts["stock-v1.east for "+webIdentity]+counts["stock-v2.east"] == 16:
			got = "both"
		}
		if got != want[namespace] {
			t.Errorf("with a ServiceEntry in %s the answer is of the %s, want the %s", namespace, got, want[namespace])
		}
	}
}

func sidecarsHideHosts(t *testing.T, b *bench) {
	web := b.web(t)
	call := func(want string) {
		t.Helper()
		outcome := b.send(t, web, get("stock.shop.svc.cluster.local"))
		if outcome.Seen == nil || outcome.Seen.Peer != want {
			t.Errorf("the call ended with %s, want an answer for %q", told(&outcome), want)
		}
	}
	call("spiffe://" + webIdentity)
	scope := func(policy string) string {
		return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: front}
spec:
  egress: [{hosts: ["./*", "istio-system/*.settled.lab"]}]
  outboundTrafficPolicy: {mode: %s}
`, policy)
	}
	// Hosts of the cluster are reached without the mesh: without an identity.
	b.apply(t, b.east, scope("ALLOW_ANY"))
	call("")
	// Names that only the proxy knows are unknown.
	b.expect(t, web, get(federated), "resolve")
	b.apply(t, b.east, scope("REGISTRY_ONLY"))
	for _, request := range []client.Request{get("stock.shop.svc.cluster.local"), line("stock.shop.svc.cluster.local")} {
		if outcome := b.send(t, web, request); outcome.Failure != client.FailedClosed && outcome.Failure != client.FailedReset {
			t.Errorf("%s with REGISTRY_ONLY ended with %s, want a connection that is closed or reset", request.Protocol, told(&outcome))
		}
	}
	// Where another host has the port, too, the proxy knows that it is HTTP.
	b.apply(t, b.east, `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: visible, namespace: front}
spec:
  hosts: [visible.lab]
  addresses: [243.0.6.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: 192.0.2.1}]
`)
	b.expect(t, web, get("stock.shop.svc.cluster.local"), "502")
}

//go:build linux

package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// passed counts the connections that the gateways of the west have passed on to
// a port of a Service, by the name of the gateway.
func (f *federation) passed(t *testing.T, serverName string) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, pod := range f.lab.Cluster("west").Node.Pods() {
		if pod.Namespace != worldgen.IstioNamespace || !pod.HasProxy() {
			continue
		}
		n, err := mesh.Connections(t.Context(), pod, serverName)
		must(t, err)
		counts[pod.Workload] += n
	}
	return counts
}

// tcpOverGateways sends TCP from the east to the west, and returns how many
// connections each gateway passed on.
func (f *federation) tcpOverGateways(t *testing.T, requests int) map[string]int {
	t.Helper()
	const name = "outbound_.7000_._.desk.bank.svc.cluster.local"
	before := f.passed(t, name)
	request := client.Request{Protocol: client.TCP, Host: "desk.bank.svc.west.global", Port: 7000}
	expect(t, "who answers", map[string]int{"desk-v1.west": requests}, count(f.sendMany(t, webOf("east"), request, requests)),
		f.seenBy(t, webOf("east"), request.Host))
	passed, total := map[string]int{}, 0
	for gateway, n := range f.passed(t, name) {
		if n > before[gateway] {
			passed[gateway] = n - before[gateway]
			total += passed[gateway]
		}
	}
	expect(t, "connections that gateways pass on", requests, total)
	return passed
}

func federationSeveralGateways(t *testing.T, f *federation) {
	base := f.world
	two := federatedWorld()
	two.Clusters[1].Objects = append(two.Clusters[1].Objects, worldgen.Gateway("second-gateway", "ingressgateway", "LoadBalancer", nil, nil)...)
	f.become(t, two)
	passed := f.tcpOverGateways(t, 40)
	expect(t, "gateways that pass connections on", []string{"istio-ingressgateway", "second-gateway"}, sorted(passed))

	// The second one goes away with its address.
	f.replace(t, base)
	passed = f.tcpOverGateways(t, 20)
	expect(t, "gateways that pass connections on", []string{"istio-ingressgateway"}, sorted(passed))
	f.testPorts(t, "east", "west", "west.global", "cluster.local")
}

// crossNetwork is the Gateway that Istio's own instructions for several clusters
// end with.
func crossNetwork(selector string) string {
	return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: cross-network-gateway, namespace: istio-system}
spec:
  selector: {istio: %s}
  servers:
  - port: {number: 15443, name: tls, protocol: TLS}
    tls: {mode: AUTO_PASSTHROUGH}
    hosts: ["*.local"]`, selector)
}

// rejected returns the listeners that gateways of a cluster have not accepted.
func (f *federation) rejected(ctx context.Context, cluster string) (map[string]string, error) {
	all := map[string]string{}
	for _, pod := range f.lab.Cluster(cluster).Node.Pods() {
		if pod.Namespace != worldgen.IstioNamespace || !pod.HasProxy() {
			continue
		}
		dump, err := mesh.ConfigDump(ctx, pod)
		if err != nil {
			return nil, err
		}
		listeners, err := mesh.Rejected(dump)
		if err != nil {
			return nil, err
		}
		for name, reason := range listeners {
			all[pod.Workload+" "+name] = reason
		}
	}
	return all, nil
}

func (f *federation) expectAccepted(t *testing.T, cluster string) {
	t.Helper()
	eventually(t, func() error {
		rejected, err := f.rejected(t.Context(), cluster)
		if err == nil && len(rejected) > 0 {
			err = fmt.Errorf("gateways do not accept listeners: %v", rejected)
		}
		return err
	})
}

// passing returns the hosts that the Gateway of meshctl in the west passes on.
func (f *federation) passing(t *testing.T, name string) string {
	t.Helper()
	spec, _ := f.configuration(t)["west Gateway istio-system/"+name]["spec"].(map[string]any)
	servers, _ := spec["servers"].([]any)
	var hosts []string
	for _, server := range servers {
		fields, _ := server.(map[string]any)
		list, _ := fields["hosts"].([]any)
		for _, host := range list {
			hosts = append(hosts, fmt.Sprint(host))
		}
	}
	return strings.Join(hosts, " ")
}

func federationEastWest(t *testing.T, f *federation) {
	const all = "desk.bank.svc.cluster.local istio-ingressgateway.istio-system.svc.cluster.local stock.shop.svc.cluster.local web.shop.svc.cluster.local"
	const ours = "istio-ingressgateway-istio-system-west-gloo-mesh"
	subset := worldgen.Resource("TrafficPolicy", "away", eastStock+at("/away")+shiftTo(to("stock", "shop", "west", "v2", 8080, 100)))
	eastWest := worldgen.Gateway("istio-eastwestgateway", "eastwestgateway", "LoadBalancer", nil, nil)
	calls := func(t *testing.T) {
		t.Helper()
		f.expectAccepted(t, "west")
		f.testPorts(t, "east", "west", "west.global", "cluster.local")
		request := client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc.cluster.local", Port: 8080, Path: "/away"}
		expect(t, "calls to a subset", map[string]int{"stock-v2.west": 10}, count(f.sendMany(t, webOf("east"), request, 10)),
			f.seenBy(t, webOf("east"), "stock.shop.svc.west.global"))
	}
	first := federatedWorld(subset)
	first.Clusters[1].Objects = append(first.Clusters[1].Objects, eastWest...)
	f.become(t, first.With("west", crossNetwork("eastwestgateway")))

	t.Run("beside", func(t *testing.T) {
		calls(t)
		expect(t, "gateways that pass connections on", []string{"istio-ingressgateway"}, sorted(f.tcpOverGateways(t, 10)))
		first, _, _ := strings.Cut(all, " ")
		_, last, _ := strings.Cut(all, "stock")
		if got := f.passing(t, ours); !strings.HasPrefix(got, first+" ") || !strings.HasSuffix(got, "stock"+last) {
			t.Errorf("the Gateway passes on %q", got)
		}
	})
	t.Run("the same pods", func(t *testing.T) {
		same := federatedWorld(subset)
		same.Clusters[1].Objects = append(same.Clusters[1].Objects, eastWest...)
		// Until meshctl has seen it, two filter chains are equal.
		must(t, f.lab.Cluster("west").Objects.ApplyYAML(t.Context(), crossNetwork("ingressgateway")))
		eventually(t, func() error {
			rejected, err := f.rejected(t.Context(), "west")
			if err == nil && len(rejected) == 0 {
				err = errors.New("the gateway accepts two Gateways for the same hosts")
			}
			return err
		})
		f.become(t, same.With("west", crossNetwork("ingressgateway")))
		expect(t, "what is passed on", "", f.passing(t, ours))
		calls(t)
	})
	t.Run("as the gateway of meshctl", func(t *testing.T) {
		own := worldgen.Federated("east-west", twoClusters(), `
selectors: [{}]
tlsEnforcementSettings: {enforcementMode: STRICT}
ingressGatewaySelectors: [{destinationSelectors: [{kubeServiceMatcher: {labels: {istio: eastwestgateway}}}]}]`, "DISABLED", subset)
		own.Clusters[1].Objects = append(own.Clusters[1].Objects, eastWest...)
		f.become(t, own.With("west", crossNetwork("eastwestgateway")))
		calls(t)
		expect(t, "gateways that pass connections on", []string{"istio-eastwestgateway"}, sorted(f.tcpOverGateways(t, 10)))
	})
	t.Run("gone", func(t *testing.T) {
		f.become(t, first)
		calls(t)
		expect(t, "gateways that pass connections on", []string{"istio-ingressgateway"}, sorted(f.tcpOverGateways(t, 10)))
	})
}

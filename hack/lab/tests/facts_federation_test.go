//go:build linux

package tests

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func federationFacts() []fact {
	return []fact{
		{"flat-network-without-labels", flatNetwork},
		{"gateways-hide-pods-without-proxy", gatewaysHidePods},
	}
}

// gatewaysHidePods calls a Service with pods of both kinds, and one with pods
// without a proxy only, within the cluster and through its gateway.
func gatewaysHidePods(t *testing.T, b *bench) {
	b.write(t, b.west, `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: half, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 15443, name: tls-half, protocol: TLS}, hosts: [half.shop.svc.cluster.local, raw.shop.svc.cluster.local], tls: {mode: AUTO_PASSTHROUGH}}
`)
	b.write(t, b.east, b.importing("half", "243.0.7.1"))
	b.write(t, b.east, b.importing("raw", "243.0.7.2"))
	b.settle(t)
	local := b.counted(t, b.pod(t, "west", "shop", "stock-v1"), get("half.shop"), 20)
	if local["raw.west"] == 0 || local["stock-v1.west for west.example/ns/shop/sa/stock"] == 0 || len(local) != 2 {
		t.Errorf("within the cluster: %v, want answers of both pods", local)
	}
	web := b.web(t)
	if diff := cmp.Diff(map[string]int{"stock-v1.west for " + webIdentity: 20}, b.counted(t, web, get("half.shop.svc.west.global"), 20)); diff != "" {
		t.Errorf("through the gateway (-want +got):\n%s", diff)
	}
	b.expect(t, web, get("raw.shop.svc.west.global"), "503")
}

// flatNetwork calls a pod of another cluster directly.
func flatNetwork(t *testing.T, b *bench) {
	if err := b.lab.SetFlat(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.lab.SetFlat(context.WithoutCancel(t.Context()), false); err != nil {
			t.Error(err)
		}
	})
	entry := `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: flat, namespace: istio-system}
spec:
  hosts: [flat.west.global]
  addresses: [243.0.4.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}, {number: 7000, name: tcp, protocol: TCP}]
  endpoints: [{address: %s, ports: {http: 8081, tcp: 7001}}]
`
	b.apply(t, b.east, fmt.Sprintf(entry, b.pod(t, "west", "shop", "stock-v1").Address()))
	web := b.web(t)
	// Without a rule the call is plaintext.
	b.expect(t, web, get("flat.west.global"), "stock-v1.west")
	b.apply(t, b.east, `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: flat, namespace: istio-system}
spec: {host: flat.west.global, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
`)
	b.expect(t, web, get("flat.west.global"), "stock-v1.west for "+webIdentity)
	b.expect(t, web, line("flat.west.global"), "stock-v1.west")
}

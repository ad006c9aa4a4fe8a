//go:build linux

package tests

import (
	"context"
	"fmt"
	"testing"
)

func federationFacts() []fact {
	return []fact{
		{"flat-network-without-labels", flatNetwork},
	}
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

package istio_test

import (
	"fmt"
	"testing"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestAddresses holds the addresses of Services in other clusters to those
// that the original implementation of this API gives them.
func TestAddresses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, namespace, cluster, want string }{
		{"some-svc", "some-ns", "cluster", "243.21.204.125"},
		{"reviews", "bookinfo", "cluster-2", "255.51.210.11"},
		{"ab", "c", "d", "252.138.131.168"},
	}
	for _, test := range tests {
		all := render(loadText(t, validation.New(), twoClusters(t, fmt.Sprintf(`
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Destination
metadata: {name: tested, namespace: gloo-mesh}
spec:
  mesh: {name: istiod-istio-system-east, namespace: gloo-mesh}
  kubeService:
    ref: {name: %s, namespace: %s, clusterName: %s}
    ports: [{port: 80, name: http}]
`, test.name, test.namespace, test.cluster))))
		entries := find[*networking.ServiceEntry](t, all, "west", test.name+"."+test.namespace)
		if len(entries) != 1 || entries[0].Addresses[0] != test.want {
			t.Errorf("%s.%s.%s has %v, want %s", test.name, test.namespace, test.cluster, entries, test.want)
		}
	}
}

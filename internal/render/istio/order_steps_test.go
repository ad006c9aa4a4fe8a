package istio_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

func TestTransition(t *testing.T) {
	t.Parallel()
	subset := func(name, version string) any {
		return map[string]any{"name": name, "labels": map[string]any{"version": version}}
	}
	rule := func(subsets ...any) map[string]any {
		return map[string]any{"host": "reviews", "subsets": subsets, "trafficPolicy": map[string]any{}}
	}
	gateway := func(port int, hosts ...any) map[string]any {
		return map[string]any{"selector": map[string]any{"istio": "ingressgateway"}, "servers": []any{map[string]any{
			"port": map[string]any{"number": port}, "tls": map[string]any{"mode": "AUTO_PASSTHROUGH"}, "hosts": hosts,
		}}}
	}
	mode := func(mode string) map[string]any { return map[string]any{"mtls": map[string]any{"mode": mode}} }
	for name, test := range map[string]struct {
		kind            istio.Kind
		stored, desired map[string]any
		want            map[string]any
	}{
		"a subset goes":               {istio.KindDestinationRule, rule(subset("v1", "v1"), subset("v2", "v2")), rule(subset("v2", "v2")), rule(subset("v2", "v2"), subset("v1", "v1"))},
		"one goes, one comes":         {istio.KindDestinationRule, rule(subset("v1", "v1")), rule(subset("v2", "v2")), rule(subset("v2", "v2"), subset("v1", "v1"))},
		"a subset comes":              {istio.KindDestinationRule, rule(), rule(subset("v1", "v1")), nil},
		"a subset changes":            {istio.KindDestinationRule, rule(subset("v1", "v1")), rule(subset("v1", "v1.1")), nil},
		"a Service is not exported":   {istio.KindGateway, gateway(15443, "a", "b"), gateway(15443, "b"), gateway(15443, "b", "a")},
		"a Service is exported":       {istio.KindGateway, gateway(15443, "a"), gateway(15443, "a", "b"), nil},
		"the gateway's port changes":  {istio.KindGateway, gateway(15443, "a", "b"), gateway(8443, "b"), nil},
		"an older version's Gateway":  {istio.KindGateway, gateway(15443, "*.global"), gateway(15443, "b"), nil},
		"a broken Gateway":            {istio.KindGateway, map[string]any{"servers": "?"}, gateway(15443, "b"), nil},
		"from no TLS to only TLS":     {istio.KindPeerAuthentication, mode("DISABLE"), mode("STRICT"), mode("PERMISSIVE")},
		"from only TLS to no TLS":     {istio.KindPeerAuthentication, mode("STRICT"), mode("DISABLE"), mode("PERMISSIVE")},
		"from permissive to strict":   {istio.KindPeerAuthentication, mode("PERMISSIVE"), mode("STRICT"), nil},
		"routes change":               {istio.KindVirtualService, rule(subset("v1", "v1")), rule(), nil},
		"a broken object is repaired": {istio.KindDestinationRule, map[string]any{"host": "reviews", "subsets": "?"}, rule(subset("v1", "v1")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := istio.Transition(test.kind, 1, test.stored, test.desired)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// Everything that a route leads to and that is rendered in the same cluster is
// among what it needs, and is written in an earlier stage.
func TestNeeds(t *testing.T) {
	t.Parallel()
	all := render(genworld.Objects(genworld.Size{Clusters: 3, Services: 8, Traffic: 40, Access: 8, Seed: 3}))
	byCluster := map[string][]istio.Object{}
	for _, o := range all.objects {
		byCluster[o.Cluster] = append(byCluster[o.Cluster], o)
	}
	entries, subsets := 0, 0
	for _, objects := range byCluster {
		for i, needs := range istio.Needs(objects) {
			for _, n := range needs {
				if objects[n].Stage() >= objects[i].Stage() {
					t.Errorf("%s needs %s, which is not written earlier", objects[i].ID(), objects[n].ID())
				}
				switch objects[n].Kind {
				case istio.KindServiceEntry:
					entries++
				case istio.KindDestinationRule:
					subsets++
					if spec, ok := objects[n].Spec.(*networking.DestinationRule); !ok || (len(spec.Subsets) == 0 && objects[n].Federates == "") {
						t.Errorf("%s needs %s, which has no subsets", objects[i].ID(), objects[n].ID())
					}
				default:
					t.Errorf("%s needs %s", objects[i].ID(), objects[n].ID())
				}
			}
		}
	}
	if entries == 0 || subsets == 0 {
		t.Errorf("routes need %d entries and %d rules: the world shows nothing", entries, subsets)
	}
}

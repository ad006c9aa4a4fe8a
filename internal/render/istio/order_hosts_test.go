package istio_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

func TestLeadsTo(t *testing.T) {
	t.Parallel()
	to := func(host string) map[string]any { return map[string]any{"destination": map[string]any{"host": host}} }
	for name, test := range map[string]struct {
		spec map[string]any
		want []string
	}{
		"routes": {map[string]any{"http": []any{
			map[string]any{"route": []any{to("b"), to("a")}},
			map[string]any{"route": []any{to("a")}, "mirror": map[string]any{"host": "m"}},
			map[string]any{"mirrors": []any{to("n")}},
		}}, []string{"a", "b", "m", "n"}},
		"routes that others wrote": {map[string]any{"tls": []any{map[string]any{"route": []any{to("t")}}}, "tcp": []any{map[string]any{"route": []any{to("c")}}}}, []string{"c", "t"}},
		"nothing":                  {nil, []string{}},
		"anything":                 {map[string]any{"http": "?", "tcp": []any{"?", map[string]any{"route": []any{"?", map[string]any{"destination": "?"}}}}}, []string{}},
	} {
		if diff := cmp.Diff(test.want, istio.LeadsTo(test.spec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestProvides(t *testing.T) {
	t.Parallel()
	subsets := []any{map[string]any{"name": "v1"}}
	for name, test := range map[string]struct {
		kind istio.Kind
		spec map[string]any
		want []string
	}{
		"a ServiceEntry":    {istio.KindServiceEntry, map[string]any{"hosts": []any{"b", "a", 7}}, []string{"a", "b"}},
		"a DestinationRule": {istio.KindDestinationRule, map[string]any{"host": "a", "subsets": subsets}, []string{"a"}},
		"how to get there": {istio.KindDestinationRule, map[string]any{"host": "a", "trafficPolicy": map[string]any{"portLevelSettings": []any{
			map[string]any{"port": map[string]any{"number": 80}, "tls": map[string]any{"mode": "ISTIO_MUTUAL", "sni": "outbound_.80_._.a"}},
		}}}, []string{"a"}},
		"one without subsets":  {istio.KindDestinationRule, map[string]any{"host": "a"}, []string{}},
		"what routes need not": {istio.KindAuthorizationPolicy, map[string]any{"host": "a", "hosts": []any{"a"}, "subsets": subsets}, []string{}},
		"anything":             {istio.KindServiceEntry, map[string]any{"hosts": "?"}, []string{}},
	} {
		if diff := cmp.Diff(test.want, istio.Provides(test.kind, test.spec)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What a rendered route needs is what it leads to and what provides that.
func TestNeedsAreProvided(t *testing.T) {
	t.Parallel()
	all := render(genworld.Objects(genworld.Size{Clusters: 3, Services: 8, Traffic: 40, Access: 8, Seed: 3}))
	byCluster := map[string][]istio.Object{}
	for _, o := range all.objects {
		byCluster[o.Cluster] = append(byCluster[o.Cluster], o)
	}
	checked := 0
	for _, objects := range byCluster {
		specs := make([]map[string]any, len(objects))
		for i := range objects {
			fields, err := objects[i].Fields()
			if err != nil {
				t.Fatal(err)
			}
			specs[i], _ = fields["spec"].(map[string]any)
		}
		for i, needs := range istio.Needs(objects) {
			if _, routes := objects[i].Spec.(*networking.VirtualService); !routes {
				continue
			}
			led := map[string]bool{}
			for _, host := range istio.LeadsTo(specs[i]) {
				led[host] = true
			}
			for _, n := range needs {
				checked++
				provided := istio.Provides(objects[n].Kind, specs[n])
				if len(provided) != 1 || !led[provided[0]] {
					t.Errorf("%s needs %s, which provides %q, and leads to %v", objects[i].ID(), objects[n].ID(), provided, led)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("the world shows nothing")
	}
}

func TestParentsIn(t *testing.T) {
	t.Parallel()
	all := render(genworld.Objects(genworld.Size{Clusters: 2, Services: 6, Traffic: 20, Access: 10, Seed: 5}))
	kinds := map[string]bool{}
	for i := range all.objects {
		o := &all.objects[i]
		if diff := cmp.Diff(o.Parents, istio.ParentsIn(o.Annotations()[istio.ParentsAnnotation])); diff != "" {
			t.Fatalf("%s (-written +read):\n%s", o.ID(), diff)
		}
		for _, parent := range o.Parents {
			kinds[parent.Kind] = true
		}
	}
	if len(kinds) != 4 {
		t.Errorf("the world shows only %v", kinds)
	}
	for _, text := range []string{"", "?", "[]", `{"a/b, Kind=C": 7}`, `{"no kind": [{"name": "a"}]}`, `{"a/b, Kind=C": [{}]}`} {
		if got := istio.ParentsIn(text); len(got) > 0 {
			t.Errorf("%q has the parents %v", text, got)
		}
	}
	var none []world.ObjectID
	if diff := cmp.Diff(none, istio.ParentsIn("null")); diff != "" {
		t.Error(diff)
	}
}

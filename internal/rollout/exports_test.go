package rollout

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

func TestNewlyBlocked(t *testing.T) {
	t.Parallel()
	routes := func(kind string, targets ...any) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"http": []any{map[string]any{"route": targets}}}}}
		object.SetKind(kind)
		return object
	}
	to := func(host, subset string) any {
		return map[string]any{"destination": map[string]any{"host": host, "subset": subset}}
	}
	obstacles := map[string]obstacle{
		"far.global":  {"west", &kube.Error{Cluster: "west", Reason: kube.ReasonTimeout}},
		"else.global": {"north", errors.New("it is not registered")},
	}
	held := func(host, cluster string, reason kube.Reason) *kube.Error {
		return &kube.Error{
			Cluster: "east", Reason: reason,
			Why:  "skipped because it routes to " + host + ", which could not be configured on cluster " + cluster,
			Hint: "fix that cluster, then run 'meshctl apply' again",
		}
	}
	for name, test := range map[string]struct {
		stored, desired *unstructured.Unstructured
		want            *kube.Error
	}{
		"a new route":            {nil, routes("VirtualService", to("near", ""), to("far.global", "v2")), held("far.global", "west", kube.ReasonTimeout)},
		"of an unknown cluster":  {nil, routes("VirtualService", to("else.global", "")), held("else.global", "north", kube.ReasonOther)},
		"to somewhere else":      {nil, routes("VirtualService", to("near", ""), to("other.global", "v2")), nil},
		"as before":              {routes("VirtualService", to("far.global", "v2")), routes("VirtualService", to("near", ""), to("far.global", "v2")), nil},
		"to another subset":      {routes("VirtualService", to("far.global", "v2")), routes("VirtualService", to("far.global", "v1")), held("far.global", "west", kube.ReasonTimeout)},
		"away from there":        {routes("VirtualService", to("far.global", "v2")), routes("VirtualService", to("near", "")), nil},
		"what is no route there": {nil, routes("DestinationRule", to("far.global", "v2")), nil},
	} {
		if diff := cmp.Diff(test.want, blockedBy("east", test.stored, test.desired, obstacles), cmp.AllowUnexported(kube.Error{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

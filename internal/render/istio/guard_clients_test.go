package istio_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestLessTLSOfClients holds which changes of a DestinationRule let clients use less TLS.
func TestLessTLSOfClients(t *testing.T) {
	t.Parallel()
	const (
		mutual   = `{"tls": {"mode": "ISTIO_MUTUAL"}}`
		disabled = `{"tls": {"mode": "DISABLE"}}`
	)
	host := func(policy string) string { return `{"host": "a", "trafficPolicy": ` + policy + `}` }
	port := func(all, one string) string {
		return host(`{"tls": {"mode": "` + all + `"}, "portLevelSettings": [{"port": {"number": 80}, "tls": {"mode": "` + one + `"}}]}`)
	}
	subset := func(policy, name, own string) string {
		return `{"host": "a", "trafficPolicy": ` + policy + `, "subsets": [{"name": "` + name + `", "trafficPolicy": ` + own + `}]}`
	}
	for name, c := range map[string]struct {
		before, after string
		want          bool
	}{
		"the same":                             {host(mutual), host(mutual), false},
		"of the host":                          {host(mutual), host(disabled), true},
		"from plain TLS":                       {host(`{"tls": {"mode": "SIMPLE"}}`), host(disabled), true},
		"to plain TLS":                         {host(mutual), host(`{"tls": {"mode": "SIMPLE"}}`), true},
		"from certificates of files":           {host(`{"tls": {"mode": "MUTUAL"}}`), host(disabled), true},
		"more":                                 {host(disabled), host(mutual), false},
		"Istio decides":                        {host(mutual), host(`{}`), false},
		"Istio decided":                        {host(`{}`), host(disabled), false},
		"one port":                             {port("ISTIO_MUTUAL", "ISTIO_MUTUAL"), port("ISTIO_MUTUAL", "DISABLE"), true},
		"a port of its own":                    {host(mutual), port("ISTIO_MUTUAL", "DISABLE"), true},
		"a port without settings any more":     {port("DISABLE", "ISTIO_MUTUAL"), host(disabled), true},
		"a port like the others from now on":   {port("ISTIO_MUTUAL", "DISABLE"), host(mutual), false},
		"a subset":                             {subset(mutual, "v1", mutual), subset(mutual, "v1", disabled), true},
		"a subset that has what the host has":  {subset(mutual, "v1", `{}`), subset(disabled, "v1", mutual), true},
		"a subset alone stays as it is":        {subset(disabled, "v1", mutual), subset(disabled, "v1", mutual), false},
		"a subset that is gone":                {subset(disabled, "v1", mutual), host(disabled), false},
		"a new subset without TLS is nobody's": {host(mutual), subset(mutual, "v2", disabled), false},
		"what nobody wrote like that":          {`{"trafficPolicy": 1, "subsets": {"a": 1}}`, `{"trafficPolicy": {"portLevelSettings": [1, {"port": "x"}]}, "subsets": [1]}`, false},
	} {
		var before, after map[string]any
		if err := json.Unmarshal([]byte(c.before), &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.after), &after); err != nil {
			t.Fatal(err)
		}
		if got := istio.Lessens(istio.KindDestinationRule, before, after); got != c.want {
			t.Errorf("%s: lessens %t, want %t", name, got, c.want)
		}
		if istio.Lessens(istio.KindDestinationRule, before, nil) {
			t.Errorf("%s: to delete the rule leaves the mode to Istio", name)
		}
	}
}

// clientTLS has a Service to which clients use mutual TLS because a policy says so.
const clientTLS = `
apiVersion: settings.mesh.gloo.solo.io/v1
kind: Settings
metadata: {name: settings, namespace: gloo-mesh}
spec: {mtls: {istio: {tlsMode: DISABLE}}}
---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata: {name: encrypted, namespace: gloo-mesh}
spec:
  destinationSelector: [{kubeServiceRefs: {services: [{name: api, namespace: shop, clusterName: east}]}}]
  policy: {mtls: {istio: {tlsMode: ISTIO_MUTUAL}}}
`

// TestGuardOfClients holds that clients use less TLS only if somebody asks for that.
func TestGuardOfClients(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	base, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "grid", "two-clusters.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(base) + "\n---" + clientTLS
	ruleOf := func(objects world.Objects) istio.Stored {
		t.Helper()
		all := render(objects)
		for i := range all.objects {
			o := &all.objects[i]
			if o.Cluster != "east" || o.Kind != istio.KindDestinationRule || o.Name != "api" {
				continue
			}
			fields, err := o.Fields()
			if err != nil {
				t.Fatal(err)
			}
			spec, _ := fields["spec"].(map[string]any)
			return istio.Stored{Cluster: "east", Kind: o.Kind, Namespace: o.Namespace, Spec: spec, Parents: o.Parents}
		}
		t.Fatal("there is no DestinationRule")
		return istio.Stored{}
	}
	stored := ruleOf(loadText(t, validator, text))
	policyOf := func(o *world.Objects) *world.Object[networkingv1.TrafficPolicy] { return &o.TrafficPolicies[0] }
	for name, c := range map[string]struct {
		change     func(*world.Objects)
		incomplete bool
		want       string
	}{
		"nothing changes":                     {func(*world.Objects) {}, false, ""},
		"the policy is deleted":               {func(o *world.Objects) { o.TrafficPolicies = nil }, false, ""},
		"the policy is not in the manifests":  {func(o *world.Objects) { o.TrafficPolicies = nil }, true, "its source TrafficPolicy/encrypted.gloo-mesh is missing from the input, which does not prove that it was deleted"},
		"the schema rejects the policy":       {func(o *world.Objects) { policyOf(o).Errors = []string{"spec.x: broken"} }, false, "its source TrafficPolicy/encrypted.gloo-mesh is INVALID: spec.x: broken"},
		"the policy is of a namespace of old": {func(o *world.Objects) { policyOf(o).Outside, policyOf(o).Errors = true, []string{"it has no effect"} }, false, "its source TrafficPolicy/encrypted.gloo-mesh is INVALID: it has no effect"},
		"the policy asks for less": {func(o *world.Objects) {
			policyOf(o).Resource.Spec.Policy.MTLS.Istio.TLSMode = networkingv1.TLSModeDisable
		}, false, ""},
	} {
		objects := loadText(t, validator, text)
		c.change(&objects)
		guard := istio.NewGuard(policy.Evaluate(world.New(objects)), !c.incomplete)
		if got := guard.Keeps(stored, ruleOf(objects).Spec); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

package render_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// edit is a manifest before and after somebody edited its spec.
type edit struct {
	name, before, after string
	want                []string
}

func accessEdits() []edit {
	return []edit{
		{"nothing changed", `{destinationSelector: [{kubeServiceMatcher: {namespaces: [a]}}]}`, `{destinationSelector: [{kubeServiceMatcher: {namespaces: [a]}}]}`, nil},
		{"never was there", `{}`, `{allowedPaths: [/a]}`, nil},
		{"the last source", `{sourceSelector: [{kubeIdentityMatcher: {namespaces: [a]}}]}`, `{}`, []string{"spec.sourceSelector: all workloads in the mesh of each destination"}},
		{"the last destination", `{destinationSelector: [{kubeServiceMatcher: {namespaces: [a]}}]}`, `{destinationSelector: []}`, []string{"spec.destinationSelector: every service"}},
		{"one of two destinations", `{destinationSelector: [{kubeServiceMatcher: {namespaces: [a]}}, {kubeServiceMatcher: {namespaces: [b]}}]}`, `{destinationSelector: [{kubeServiceMatcher: {namespaces: [b]}}]}`, nil},
		{"everything in words", `{destinationSelector: [{kubeServiceRefs: {services: [{name: a, namespace: b, clusterName: c}]}}]}`, `{destinationSelector: [{kubeServiceMatcher: {}}]}`, nil},
		{
			"all lists", `{allowedPaths: [/a], allowedMethods: [GET], allowedPorts: [80], sourceSelector: [{}], destinationSelector: [{}]}`, `{}`,
			[]string{
				"spec.allowedMethods: every method", "spec.allowedPaths: every path", "spec.allowedPorts: every port",
				"spec.destinationSelector: every service", "spec.sourceSelector: all workloads in the mesh of each destination",
			},
		},
		{"the last condition of a source", `{sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: a, namespace: b, clusterName: c}]}}]}`, `{sourceSelector: [{}]}`, []string{"spec.sourceSelector[0].kubeServiceAccountRefs: every service account"}},
		{"all accounts of a source", `{sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: a, namespace: b, clusterName: c}]}}]}`, `{sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: []}}]}`, []string{"spec.sourceSelector[0].kubeServiceAccountRefs.serviceAccounts: every service account"}},
		{
			"the name of an account", `{sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: a, namespace: b, clusterName: c}]}}]}`, `{sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{namespace: b, clusterName: c}]}}]}`,
			[]string{"spec.sourceSelector[0].kubeServiceAccountRefs.serviceAccounts[0].name: any name"},
		},
		{"one of two conditions", `{sourceSelector: [{kubeIdentityMatcher: {namespaces: [a], clusters: [b]}}]}`, `{sourceSelector: [{kubeIdentityMatcher: {clusters: [b]}}]}`, []string{"spec.sourceSelector[0].kubeIdentityMatcher.namespaces: every namespace"}},
		{"a condition that another replaces", `{sourceSelector: [{kubeIdentityMatcher: {namespaces: [a]}}]}`, `{sourceSelector: [{kubeIdentityMatcher: {clusters: [b]}}]}`, nil},
		{"an excluded address", `{sourceSelector: [{requestIpMatcher: {forwardedIPs: [10.0.0.0/8], notForwardedIPs: [10.0.0.1]}}]}`, `{sourceSelector: [{requestIpMatcher: {forwardedIPs: [10.0.0.0/8]}}]}`, []string{"spec.sourceSelector[0].requestIpMatcher.notForwardedIPs: no excluded address"}},
		{"a matcher without anything", `{destinationSelector: [{kubeServiceMatcher: {labels: {app: a}}}]}`, `{destinationSelector: [{kubeServiceMatcher: {}}]}`, []string{"spec.destinationSelector[0].kubeServiceMatcher.labels: any labels"}},
		{
			"the second element, while the first goes", `{destinationSelector: [{kubeServiceMatcher: {namespaces: [a]}}, {kubeServiceMatcher: {clusters: [b]}}, {kubeServiceMatcher: {clusters: [c]}}]}`,
			`{destinationSelector: [{kubeServiceMatcher: {clusters: [c]}}, {kubeServiceMatcher: {}}]}`,
			[]string{"spec.destinationSelector[1].kubeServiceMatcher.namespaces: every namespace"},
		},
	}
}

func trafficEdits() []edit {
	return []edit{
		{
			"all lists", `{sourceSelector: [{kubeWorkloadMatcher: {namespaces: [a]}}], destinationSelector: [{}], destinationPorts: [80], httpRequestMatchers: [{method: GET}]}`, `{}`,
			[]string{"spec.destinationPorts: every port", "spec.destinationSelector: every service", "spec.httpRequestMatchers: every request", "spec.sourceSelector: requests of all workloads"},
		},
		{"a source without condition", `{sourceSelector: [{kubeWorkloadMatcher: {labels: {app: a}}}]}`, `{sourceSelector: [{}]}`, []string{"spec.sourceSelector[0].kubeWorkloadMatcher: all workloads"}},
		{
			"conditions of requests", `{httpRequestMatchers: [{uri: {prefix: /a}, method: GET, name: x}, {headers: [{name: h}]}]}`, `{httpRequestMatchers: [{name: other}, {headers: []}]}`,
			[]string{"spec.httpRequestMatchers[0].method: every method", "spec.httpRequestMatchers[0].uri: any path", "spec.httpRequestMatchers[1].headers: any headers"},
		},
		{
			"the version of a target", `{policy: {trafficShift: {destinations: [{kubeService: {name: a, namespace: b, clusterName: c, subset: {version: v1}}}]}}}`,
			`{policy: {trafficShift: {destinations: [{kubeService: {name: a, namespace: b, clusterName: c, port: 80}}]}}}`,
			[]string{"spec.policy.trafficShift.destinations[0].kubeService.subset: all pods of the service"},
		},
		{"settings are no restriction", `{policy: {requestTimeout: 3s, corsPolicy: {allowMethods: [GET]}}}`, `{policy: {}}`, nil},
	}
}

func meshEdits() []edit {
	return []edit{
		{"what is federated", `{federation: {selectors: [{destinationSelectors: [{kubeServiceMatcher: {namespaces: [a]}}]}]}}`, `{federation: {selectors: [{}]}}`, []string{"spec.federation.selectors[0].destinationSelectors: every service"}},
		{"to whom", `{federation: {selectors: [{meshes: [{name: a, namespace: b}]}]}}`, `{federation: {selectors: [{meshes: []}]}}`, []string{"spec.federation.selectors[0].meshes: every mesh of the virtual mesh"}},
		{"nothing federated any more", `{federation: {selectors: [{}]}}`, `{federation: {}}`, nil},
		{"gateways", `{federation: {ingressGatewaySelectors: [{portName: tls}]}}`, `{federation: {}}`, []string{"spec.federation.ingressGatewaySelectors: the default gateways"}},
		{
			"namespaces within", `{federation: {selectors: [{destinationSelectors: [{kubeServiceMatcher: {namespaces: [a]}}]}]}}`, `{federation: {selectors: [{destinationSelectors: [{kubeServiceMatcher: {}}]}]}}`,
			[]string{"spec.federation.selectors[0].destinationSelectors[0].kubeServiceMatcher.namespaces: every namespace"},
		},
	}
}

func TestWidenings(t *testing.T) {
	t.Parallel()
	testWidenings(t, render.AccessPolicy(), accessEdits())
	testWidenings(t, render.TrafficPolicy(), trafficEdits())
	testWidenings(t, render.VirtualMesh(), meshEdits())
}

func testWidenings[I any, O render.Object](t *testing.T, kind render.Kind[I, O], edits []edit) {
	t.Helper()
	decode := func(t *testing.T, spec string) O {
		t.Helper()
		text := fmt.Sprintf("{apiVersion: %s, kind: %s, metadata: {name: a, namespace: b}, spec: %s}", kind.GVK.GroupVersion(), kind.GVK.Kind, spec)
		resource, err := kind.Decode(validation.New(), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return resource
	}
	for _, tt := range edits {
		t.Run(kind.Noun+" "+tt.name, func(t *testing.T) {
			t.Parallel()
			found, err := kind.Widenings(decode(t, tt.before), decode(t, tt.after))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, w := range found {
				got = append(got, w.Field+": "+w.Means)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("widenings (-want +got):\n%s", diff)
			}
		})
	}
}

package discovery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/discovery"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// meshWith is a cluster with an istiod and its ConfigMap.
func meshWith(config map[string]string, istiod corev1.Container) discovery.Input {
	istiod.Name, istiod.Image = "discovery", "istio/pilot:1.31.1"
	deployment := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "istiod", Namespace: "istio-system"}}
	deployment.Spec.Template.Spec.Containers = []corev1.Container{istiod}
	return discovery.Input{
		Cluster: "east", Deployments: []appsv1.Deployment{deployment},
		ConfigMaps: []corev1.ConfigMap{{ObjectMeta: metav1.ObjectMeta{Name: "istio", Namespace: "istio-system"}, Data: config}},
	}
}

// factsOf returns the facts of the only mesh, and the notes about its
// configuration, one a line.
func factsOf(t *testing.T, in discovery.Input) (*discoveryv1.MeshFacts, string) {
	t.Helper()
	out := discovery.Discover(in)
	if len(out.Meshes) != 1 {
		t.Fatalf("%d meshes, notes: %v", len(out.Meshes), out.Notes)
	}
	checkValid(t, validation.New(), out)
	var notes strings.Builder
	for _, n := range out.Notes {
		if n.Object != "ConfigMap/istio.istio-system.east" || n.Skipped || n.Hint == "" {
			t.Errorf("an unexpected note: %+v", n)
		}
		notes.WriteString(n.Message + "\n")
	}
	return out.Meshes[0].Spec.Meshctl, notes.String()
}

// defaultFacts are what an istiod without configuration has.
const defaultFacts = `revision: default
trustDomainAliases: []
caCertificateTrustDomains: []
skipValidateTrustDomain: false
multiRootMesh: false
scopeGatewayToNamespace: false
outboundTrafficPolicy: ALLOW_ANY
enableAutoMtls: true
discoverySelectors: []
networks: []
defaultHttpRetryPolicy: {}
defaultServiceExportTo: ["*"]
defaultVirtualServiceExportTo: ["*"]
defaultDestinationRuleExportTo: ["*"]
dnsCapture: false
`

// wantFacts are the default facts with some replaced; null removes one.
func wantFacts(t *testing.T, changes string) *discoveryv1.MeshFacts {
	t.Helper()
	fields, changed := map[string]any{}, map[string]any{}
	for text, into := range map[string]*map[string]any{defaultFacts: &fields, changes: &changed} {
		if err := yaml.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range changed {
		fields[name] = value
		if value == nil {
			delete(fields, name)
		}
	}
	data, err := yaml.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	facts := &discoveryv1.MeshFacts{}
	if err := yaml.UnmarshalStrict(data, facts); err != nil {
		t.Fatal(err)
	}
	return facts
}

func TestMeshFacts(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, config, want, notes string }{
		{name: "nothing", config: "{}"},
		{name: "nulls", config: "trustDomainAliases: null\nenableAutoMtls: null\noutboundTrafficPolicy: null\ndefaultConfig: null"},
		{name: "unknown fields", config: "noSuchField: {a: [1]}"},

		{name: "aliases", config: "trustDomainAliases: [b.example, a.example, b.example]", want: "trustDomainAliases: [a.example, b.example]"},
		{name: "aliases, snake case", config: "trust_domain_aliases: [a]", want: "trustDomainAliases: [a]"},
		{name: "both spellings", config: "trust_domain_aliases: [a]\ntrustDomainAliases: [b]", want: "trustDomainAliases: [b]"},
		{
			name: "aliases that are none", config: `trustDomainAliases: ["*.example", a, "B", ""]`, want: "trustDomainAliases: [a]",
			notes: `trustDomainAliases: "*.example" is ignored, and so are 2 more: it may have lower-case letters, digits, dots, dashes and underscores only` + "\n",
		},
		{
			name: "aliases of another shape", config: "trustDomainAliases: a", want: "trustDomainAliases: null",
			notes: "trustDomainAliases is ignored: it is not a list\n",
		},
		{
			name: "aliases with a number", config: "trust_domain_aliases: [a, 1]", want: "trustDomainAliases: null",
			notes: "trust_domain_aliases is ignored: one of its items is not a string\n",
		},

		{
			name:   "CA certificates",
			config: "caCertificates: [{pem: x, trustDomains: [b, a]}, {pem: y}, {spiffeBundleUrl: z, trust_domains: [c, a, '']}]",
			want:   "caCertificateTrustDomains: [a, b, c]",
		},
		{name: "CA certificates, snake case", config: "ca_certificates: [{trust_domains: [a]}]", want: "caCertificateTrustDomains: [a]"},
		{
			name: "a wildcard", config: "caCertificates: [{trustDomains: ['*', a]}]", want: "caCertificateTrustDomains: [a]",
			notes: `caCertificates: "*" is ignored: it may have lower-case letters, digits, dots, dashes and underscores only` + "\n",
		},
		{
			name: "CA certificates of another shape", config: "caCertificates: {trustDomains: [a]}", want: "caCertificateTrustDomains: null",
			notes: "caCertificates is ignored: it is not a list\n",
		},
		{
			name: "a CA certificate that is a text", config: "caCertificates: [a]", want: "caCertificateTrustDomains: null",
			notes: "caCertificates is ignored: one of its items holds no fields\n",
		},
		{
			name: "trust domains of another shape", config: "caCertificates: [{trustDomains: a}]", want: "caCertificateTrustDomains: null",
			notes: "caCertificates is ignored: the trustDomains of one of its items are not a list\n",
		},
		{
			name: "a trust domain that is a number", config: "caCertificates: [{trustDomains: [1]}]", want: "caCertificateTrustDomains: null",
			notes: "caCertificates is ignored: of the trustDomains together, one of its items is not a string\n",
		},

		{name: "outbound", config: "outboundTrafficPolicy: {mode: REGISTRY_ONLY}", want: "outboundTrafficPolicy: REGISTRY_ONLY"},
		{name: "outbound, snake case", config: "outbound_traffic_policy: {mode: REGISTRY_ONLY}", want: "outboundTrafficPolicy: REGISTRY_ONLY"},
		{name: "outbound without mode", config: "outboundTrafficPolicy: {}", want: "outboundTrafficPolicy: REGISTRY_ONLY"},
		{name: "outbound by number", config: "outboundTrafficPolicy: {mode: 1}", want: "outboundTrafficPolicy: ALLOW_ANY"},
		{
			name: "outbound of another shape", config: "outboundTrafficPolicy: REGISTRY_ONLY", want: "outboundTrafficPolicy: null",
			notes: "outboundTrafficPolicy is ignored: it holds no fields\n",
		},
		{
			name: "an unknown mode", config: "outboundTrafficPolicy: {mode: SOME}", want: "outboundTrafficPolicy: null",
			notes: "outboundTrafficPolicy is ignored: its mode is neither ALLOW_ANY nor REGISTRY_ONLY\n",
		},

		{name: "no auto mTLS", config: "enableAutoMtls: false", want: "enableAutoMtls: false"},
		{name: "no auto mTLS, snake case", config: "enable_auto_mtls: false", want: "enableAutoMtls: false"},
		{
			name: "auto mTLS of another shape", config: `enableAutoMtls: "false"`, want: "enableAutoMtls: null",
			notes: "enableAutoMtls is ignored: it is neither true nor false\n",
		},

		{
			name:   "discovery selectors",
			config: "discoverySelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: c, operator: In, values: [d]}, {key: e, operator: Exists}]}]",
			want:   "discoverySelectors: [{matchLabels: {a: b}}, {matchExpressions: [{key: c, operator: In, values: [d]}, {key: e, operator: Exists}]}]",
		},
		{
			name:   "discovery selectors, snake case, of which Istio knows the outer one only",
			config: "discovery_selectors: [{match_labels: {a: b}}]", want: "discoverySelectors: [{}]",
		},
		{
			name: "discovery selectors of another shape", config: "discoverySelectors: {a: b}", want: "discoverySelectors: null",
			notes: "discoverySelectors is ignored: it is not a list\n",
		},
		{
			name: "a selector that is a text", config: "discoverySelectors: [a]", want: "discoverySelectors: null",
			notes: "discoverySelectors is ignored: one of its items holds no fields\n",
		},
		{
			name: "a label that is a number", config: "discoverySelectors: [{matchLabels: {a: 1}}]", want: "discoverySelectors: null",
			notes: "discoverySelectors is ignored: one of its labels is not a string\n",
		},
		{
			name: "an unknown operator", config: "discoverySelectors: [{matchExpressions: [{key: a, operator: Like}]}]", want: "discoverySelectors: null",
			notes: "discoverySelectors is ignored: one of its matchExpressions is not valid\n",
		},

		{
			name: "retries", config: "defaultHttpRetryPolicy: {attempts: 3, retryOn: 5xx, perTryTimeout: 2s, retryRemoteLocalities: true}",
			want: "defaultHttpRetryPolicy: {attempts: 3, retryOn: 5xx, perTryTimeout: 2s}",
		},
		{
			name: "retries, snake case", config: `default_http_retry_policy: {attempts: "3", retry_on: 5xx, per_try_timeout: 1.5s}`,
			want: "defaultHttpRetryPolicy: {attempts: 3, retryOn: 5xx, perTryTimeout: 1.5s}",
		},
		{name: "no retries", config: "defaultHttpRetryPolicy: {}", want: "defaultHttpRetryPolicy: {attempts: 0}"},
		{
			name: "retries of another shape", config: "defaultHttpRetryPolicy: 3", want: "defaultHttpRetryPolicy: null",
			notes: "defaultHttpRetryPolicy is ignored: it holds no fields\n",
		},
		{
			name: "half an attempt", config: "defaultHttpRetryPolicy: {attempts: 0.5}", want: "defaultHttpRetryPolicy: null",
			notes: "defaultHttpRetryPolicy is ignored: its attempts are not a whole number\n",
		},
		{
			name: "conditions of another shape", config: "defaultHttpRetryPolicy: {attempts: 1, retryOn: [5xx]}", want: "defaultHttpRetryPolicy: null",
			notes: "defaultHttpRetryPolicy is ignored: its retryOn is not a string of at most 4096 characters\n",
		},
		{
			name: "a timeout without unit", config: "defaultHttpRetryPolicy: {attempts: 1, perTryTimeout: 2}", want: "defaultHttpRetryPolicy: null",
			notes: "defaultHttpRetryPolicy is ignored: its perTryTimeout is not a duration\n",
		},

		{
			name:   "exports",
			config: "defaultServiceExportTo: [.]\ndefaultVirtualServiceExportTo: [shop, .]\ndefaultDestinationRuleExportTo: ['~']",
			want:   "defaultServiceExportTo: [.]\ndefaultVirtualServiceExportTo: [shop, .]\ndefaultDestinationRuleExportTo: ['~']",
		},
		{
			name:   "exports, snake case",
			config: "default_service_export_to: [.]\ndefault_virtual_service_export_to: [.]\ndefault_destination_rule_export_to: [.]",
			want:   "defaultServiceExportTo: [.]\ndefaultVirtualServiceExportTo: [.]\ndefaultDestinationRuleExportTo: [.]",
		},
		{name: "empty exports", config: "defaultServiceExportTo: []"},
		{
			name: "exports of another shape", config: "defaultServiceExportTo: .", want: "defaultServiceExportTo: null",
			notes: "defaultServiceExportTo is ignored: it is not a list\n",
		},

		{name: "DNS capture", config: `defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}`, want: "dnsCapture: true"},
		{name: "DNS capture, snake case", config: `defaultConfig: {proxy_metadata: {ISTIO_META_DNS_CAPTURE: "1"}}`, want: "dnsCapture: true"},
		{name: "DNS capture where Istio does not look", config: `default_config: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}`},
		{name: "no DNS capture", config: `defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "no"}}`},
		{
			name: "DNS capture of another shape", config: "defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: true}}", want: "dnsCapture: null",
			notes: "defaultConfig is ignored: ISTIO_META_DNS_CAPTURE is not a string\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, notes := factsOf(t, meshWith(map[string]string{"mesh": test.config}, corev1.Container{}))
			if diff := cmp.Diff(wantFacts(t, test.want), got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMeshFactsOfNetworks(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, networks, want, notes string }{
		{name: "none", networks: "networks: {}"},
		{name: "two", networks: "networks: {west: {endpoints: [{fromRegistry: west}]}, east: {}}", want: "networks: [east, west]"},
		{name: "another shape", networks: "networks: [east]", want: "networks: null", notes: "meshNetworks is ignored: networks holds no fields\n"},
		{name: "no fields", networks: "- east", want: "networks: null", notes: "meshNetworks is ignored: it holds no fields\n"},
	}
	for _, test := range tests {
		got, notes := factsOf(t, meshWith(map[string]string{"mesh": "{}", "meshNetworks": test.networks}, corev1.Container{}))
		if diff := cmp.Diff(wantFacts(t, test.want), got); diff != "" {
			t.Errorf("%s: facts (-want +got):\n%s", test.name, diff)
		}
		if diff := cmp.Diff(test.notes, notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestMeshFactsOfEnvironment(t *testing.T) {
	t.Parallel()
	from := &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{Key: "a"}}
	tests := []struct {
		name   string
		istiod corev1.Container
		want   string
	}{
		{
			name: "all of them",
			istiod: corev1.Container{Env: []corev1.EnvVar{
				{Name: "PILOT_SKIP_VALIDATE_TRUST_DOMAIN", Value: "true"},
				{Name: "ISTIO_MULTIROOT_MESH", Value: "T"},
				{Name: "PILOT_SCOPE_GATEWAY_TO_NAMESPACE", Value: "1"},
			}},
			want: "skipValidateTrustDomain: true\nmultiRootMesh: true\nscopeGatewayToNamespace: true",
		},
		{
			name: "what is no boolean is false, and the last one counts",
			istiod: corev1.Container{Env: []corev1.EnvVar{
				{Name: "PILOT_SKIP_VALIDATE_TRUST_DOMAIN", Value: "yes"},
				{Name: "ISTIO_MULTIROOT_MESH", Value: "true"},
				{Name: "ISTIO_MULTIROOT_MESH", Value: "false"},
			}},
		},
		{
			name: "values of other objects and variables are not known",
			istiod: corev1.Container{Env: []corev1.EnvVar{
				{Name: "PILOT_SKIP_VALIDATE_TRUST_DOMAIN", ValueFrom: from}, {Name: "ISTIO_MULTIROOT_MESH", Value: "$(OTHER)"},
			}},
			want: "skipValidateTrustDomain: null\nmultiRootMesh: null",
		},
		{
			name: "a whole ConfigMap of variables",
			istiod: corev1.Container{
				Env:     []corev1.EnvVar{{Name: "ISTIO_MULTIROOT_MESH", Value: "true"}, {Name: "SHARED_MESH_CONFIG"}},
				EnvFrom: []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{}}},
			},
			want: "skipValidateTrustDomain: null\nscopeGatewayToNamespace: null\nmultiRootMesh: true",
		},
	}
	for _, test := range tests {
		got, notes := factsOf(t, meshWith(map[string]string{"mesh": "{}"}, test.istiod))
		if diff := cmp.Diff(wantFacts(t, test.want), got); diff != "" || notes != "" {
			t.Errorf("%s: facts (-want +got):\n%s%s", test.name, diff, notes)
		}
	}
}

// TestMeshFactsOfSharedConfig: a second mesh configuration decides whatever the
// first one does not.
func TestMeshFactsOfSharedConfig(t *testing.T) {
	t.Parallel()
	istiod := corev1.Container{Env: []corev1.EnvVar{{Name: "SHARED_MESH_CONFIG", Value: "more"}}}
	got, _ := factsOf(t, meshWith(map[string]string{"mesh": "{}"}, istiod))
	want := &discoveryv1.MeshFacts{Revision: "default", SkipValidateTrustDomain: new(false), MultiRootMesh: new(false), ScopeGatewayToNamespace: new(false)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	got, _ = factsOf(t, meshWith(map[string]string{
		"mesh":         "enableAutoMtls: false\ntrustDomainAliases: [a]\ndefaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: \"true\"}}",
		"meshNetworks": "networks: {a: {}}",
	}, istiod))
	want.EnableAutoMTLS, want.DNSCapture, want.Networks = new(false), new(true), []string{"a"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
}

// TestHostileMeshConfig: whatever a member cluster writes costs a bounded amount,
// and fits the API.
func TestHostileMeshConfig(t *testing.T) {
	t.Parallel()
	many := func(format string) string {
		var b strings.Builder
		for i := 0; b.Len() < 1<<20; i++ {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	long := strings.Repeat("a", 1<<20)
	tests := []struct{ name, config, networks, want, notes string }{
		{
			name: "a megabyte of aliases", config: "trustDomainAliases:\n" + many("- a%d\n"), want: "trustDomainAliases: null",
			notes: "trustDomainAliases is ignored: it has more than 1024 items\n",
		},
		{
			name: "a megabyte of CA certificates", config: "caCertificates:\n" + many("- {trustDomains: [a%d]}\n"), want: "caCertificateTrustDomains: null",
			notes: "caCertificates is ignored: of the trustDomains together, it has more than 1024 items\n",
		},
		{
			name: "a megabyte of selectors", config: "discoverySelectors:\n" + many("- {matchLabels: {a: b%d}}\n"), want: "discoverySelectors: null",
			notes: "discoverySelectors is ignored: it has more than 256 items\n",
		},
		{
			name: "a long alias", config: "trustDomainAliases: [" + long + "]", want: "trustDomainAliases: null",
			notes: "trustDomainAliases is ignored: one of its items has more than 255 characters\n",
		},
		{
			name: "long conditions", config: "defaultHttpRetryPolicy: {attempts: 1, retryOn: " + long + "}", want: "defaultHttpRetryPolicy: null",
			notes: "defaultHttpRetryPolicy is ignored: its retryOn is not a string of at most 4096 characters\n",
		},
		{name: "a megabyte of unknown fields", config: many("field%d: 1\n")},
		{name: "deep nesting", config: "extensionProviders: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000)},
		{
			name: "a megabyte of networks", config: "{}", networks: "networks:\n" + many("  n%d: {}\n"), want: "networks: null",
			notes: "meshNetworks is ignored: it has more than 1024 networks\n",
		},
		{
			name: "a long network", config: "{}", networks: "networks: {\"" + strings.Repeat("n", 256) + "\": {}}", want: "networks: null",
			notes: "meshNetworks is ignored: one of its names has more than 255 characters\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, notes := factsOf(t, meshWith(map[string]string{"mesh": test.config, "meshNetworks": test.networks}, corev1.Container{}))
			if diff := cmp.Diff(wantFacts(t, test.want), got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemoteClusters(t *testing.T) {
	t.Parallel()
	secret := func(namespace, name, cluster string) metav1.ObjectMeta {
		meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
		if cluster != "" {
			meta.Annotations = map[string]string{"networking.istio.io/cluster": cluster}
		}
		return meta
	}
	tests := []struct {
		name    string
		secrets []metav1.ObjectMeta
		want    []string
	}{
		{name: "not known"},
		{name: "none", secrets: []metav1.ObjectMeta{}, want: []string{}},
		{
			name: "by annotation, by name, twice, and of another namespace",
			secrets: []metav1.ObjectMeta{
				secret("istio-system", "x", "west"), secret("istio-system", "istio-remote-secret-north", ""), secret("istio-system", "mine", ""),
				secret("istio-system", "istio-remote-secret-west", ""), secret("other", "istio-remote-secret-south", ""),
			},
			want: []string{"mine", "north", "west"},
		},
	}
	for _, test := range tests {
		in := meshWith(map[string]string{"mesh": "{}"}, corev1.Container{})
		in.RemoteSecrets = test.secrets
		got, _ := factsOf(t, in)
		if diff := cmp.Diff(test.want, got.RemoteClusters); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

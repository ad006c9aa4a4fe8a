package validation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

const (
	duration  = "must be a duration of at least 1ms, such as 10s, 150ms or 1m30s"
	weightSum = "the weights of several destinations must sum to 100"
	target    = "exactly one of kubeService, virtualDestination, staticDestination and clusterHeader is required"
)

func TestTrafficPolicyRules(t *testing.T) {
	const (
		service = `kubeService: {name: a, namespace: b, clusterName: c}`
		shift   = "spec.policy.trafficShift.destinations[0]"
	)
	run(t, "TrafficPolicy", []rule{
		{"weights sum to 100", `policy: {trafficShift: {destinations: [{weight: 75, ` + service + `}, {weight: 25, ` + service + `}]}}`, nil},
		{"weights sum to less", `policy: {trafficShift: {destinations: [{weight: 75, ` + service + `}, {` + service + `}]}}`, one("spec.policy.trafficShift", weightSum)},
		{"single destination without weight", `policy: {trafficShift: {destinations: [{` + service + `}]}}`, nil},
		{"weight above 100", `policy: {trafficShift: {destinations: [{weight: 101, ` + service + `}]}}`, one(shift+".weight", "must be less than or equal to 100, not 101")},
		{"negative weight", `policy: {trafficShift: {destinations: [{weight: -1, ` + service + `}]}}`, one(shift+".weight", "must be greater than or equal to 0, not -1")},
		{"no target", `policy: {trafficShift: {destinations: [{weight: 100}]}}`, one(shift, target)},
		{"two targets", `policy: {trafficShift: {destinations: [{` + service + `, clusterHeader: x}]}}`, one(shift, target)},
		{"target reference", `policy: {trafficShift: {destinations: [{kubeService: {name: "", namespace: b}}]}}`, one(shift+".kubeService", "incomplete reference: • clusterName is required • name must not be empty")},
		{"target port", `policy: {trafficShift: {destinations: [{kubeService: {name: a, namespace: b, clusterName: c, port: 65536}}]}}`, one(shift+".kubeService.port", "must be less than or equal to 65535, not 65536")},

		{"mirror", `policy: {mirror: {` + service + `, percentage: 0.5, port: 80}}`, nil},
		{"mirror without service", `policy: {mirror: {percentage: 5}}`, one("spec.policy.mirror.kubeService", "is required")},
		{"mirror reference", `policy: {mirror: {kubeService: {namespace: b, clusterName: ""}}}`, one("spec.policy.mirror.kubeService", "incomplete reference: • clusterName is required • name is required")},
		{"mirror percentage", `policy: {mirror: {` + service + `, percentage: 100.5}}`, one("spec.policy.mirror.percentage", "must be less than or equal to 100, not 100.5")},
		{"mirror port", `policy: {mirror: {` + service + `, port: 0}}`, one("spec.policy.mirror.port", "must be greater than or equal to 1, not 0")},

		{"delay", `policy: {faultInjection: {fixedDelay: 5s, percentage: 0}}`, nil},
		{"delay and abort", `policy: {faultInjection: {fixedDelay: 5s, abort: {httpStatus: 500}}}`, one("spec.policy.faultInjection", "exactly one of fixedDelay and abort is required")},
		{"neither delay nor abort", `policy: {faultInjection: {percentage: 50}}`, one("spec.policy.faultInjection", "exactly one of fixedDelay and abort is required")},
		{"abort status below", `policy: {faultInjection: {abort: {httpStatus: 199}}}`, one("spec.policy.faultInjection.abort.httpStatus", "must be greater than or equal to 200, not 199")},
		{"abort status above", `policy: {faultInjection: {abort: {httpStatus: 600}}}`, one("spec.policy.faultInjection.abort.httpStatus", "must be less than or equal to 599, not 600")},
		{"abort without status", `policy: {faultInjection: {abort: {}}}`, one("spec.policy.faultInjection.abort.httpStatus", "is required")},
		{"fault percentage", `policy: {faultInjection: {fixedDelay: 5s, percentage: -1}}`, one("spec.policy.faultInjection.percentage", "must be greater than or equal to 0, not -1")},

		{"durations", `policy: {requestTimeout: 1.5s, retries: {attempts: 0, perTryTimeout: 1m30s}, corsPolicy: {maxAge: 24h}, outlierDetection: {interval: 1ms, baseEjectionTime: 3600s}}`, nil},
		{"duration below 1ms", `policy: {requestTimeout: 999us}`, one("spec.policy.requestTimeout", duration)},
		{"duration of zero", `policy: {requestTimeout: 0s}`, one("spec.policy.requestTimeout", duration)},
		{"negative duration", `policy: {requestTimeout: -5s}`, one("spec.policy.requestTimeout", duration)},
		{"duration without unit", `policy: {retries: {perTryTimeout: "10"}}`, one("spec.policy.retries.perTryTimeout", duration)},
		{"duration beyond what a clock counts", `policy: {requestTimeout: 99999999h}`, one("spec.policy.requestTimeout", duration)},
		{"duration as a number", `policy: {requestTimeout: 10}`, one("spec.policy.requestTimeout", "must be of type string, not integer")},
		{"attempts", `policy: {retries: {attempts: -1}}`, one("spec.policy.retries.attempts", "must be greater than or equal to 0, not -1")},

		{"outlier detection for all sources", `{sourceSelector: [], policy: {outlierDetection: {}}}`, nil},
		{"outlier detection for some sources", `{sourceSelector: [{}], policy: {outlierDetection: {}}}`, one("spec", "outlierDetection applies to all sources and excludes sourceSelector")},
		{"ejection percentage", `policy: {outlierDetection: {maxEjectionPercent: 101}}`, one("spec.policy.outlierDetection.maxEjectionPercent", "must be less than or equal to 100, not 101")},
		{"consecutive errors", `policy: {outlierDetection: {consecutiveErrors: -1}}`, one("spec.policy.outlierDetection.consecutiveErrors", "must be greater than or equal to 0, not -1")},
		{"connections", `policy: {connectionPoolSettings: {tcp: {maxConnections: -1, tcpKeepalive: {probes: -1, time: 1us}}, http: {maxRetries: -1}}}`, []validation.FieldError{
			{"spec.policy.connectionPoolSettings.http.maxRetries", "must be greater than or equal to 0, not -1"},
			{"spec.policy.connectionPoolSettings.tcp.maxConnections", "must be greater than or equal to 0, not -1"},
			{"spec.policy.connectionPoolSettings.tcp.tcpKeepalive.probes", "must be greater than or equal to 0, not -1"},
			{"spec.policy.connectionPoolSettings.tcp.tcpKeepalive.time", duration},
		}},
		{"upgrade policy", `policy: {connectionPoolSettings: {http: {h2UpgradePolicy: upgrade}}}`, one("spec.policy.connectionPoolSettings.http.h2UpgradePolicy", `"upgrade" must be one of: DEFAULT, DO_NOT_UPGRADE, UPGRADE`)},
		{"TLS mode", `policy: {mtls: {istio: {tlsMode: MUTUAL}}}`, one("spec.policy.mtls.istio.tlsMode", `"MUTUAL" must be one of: DISABLE, SIMPLE, ISTIO_MUTUAL`)},

		{"string match", `policy: {corsPolicy: {allowOrigins: [{exact: a}, {prefix: a, ignoreCase: true}, {regex: a}, {suffix: a}, {}], allowCredentials: false}}`, nil},
		{"string match in two ways", `policy: {corsPolicy: {allowOrigins: [{exact: a, suffix: b}]}}`, one("spec.policy.corsPolicy.allowOrigins[0]", "exact, prefix, regex and suffix cannot be combined")},
		{"ignoreCase with regex", `policy: {corsPolicy: {allowOrigins: [{regex: a, ignoreCase: true}]}}`, one("spec.policy.corsPolicy.allowOrigins[0]", "ignoreCase applies to exact and prefix only")},

		{"path by uri", `httpRequestMatchers: [{uri: {prefix: /a}, method: GET}]`, nil},
		{"path by the deprecated fields", `httpRequestMatchers: [{prefix: /a}, {exact: /b}, {regex: /c}]`, nil},
		{"path by two deprecated fields", `httpRequestMatchers: [{prefix: /a, regex: /b}]`, one("spec.httpRequestMatchers[0]", "prefix, exact and regex cannot be combined")},
		{"path in both spellings", `httpRequestMatchers: [{prefix: /a, uri: {exact: /b}}]`, one("spec.httpRequestMatchers[0]", "uri excludes the deprecated prefix, exact and regex")},
		{"header both ways", `httpRequestMatchers: [{headers: [{name: a}, {name: a, value: b, invertMatch: true}]}]`, nil},
		{"header twice", `httpRequestMatchers: [{headers: [{name: a}, {name: A, value: b}]}]`, one("spec.httpRequestMatchers[0].headers", "only one condition per header name and polarity")},
		{"header without name", `httpRequestMatchers: [{headers: [{value: b}]}]`, one("spec.httpRequestMatchers[0].headers[0].name", "is required")},
		{"destination ports", `destinationPorts: [1, 65535, 0]`, one("spec.destinationPorts[2]", "must be greater than or equal to 1, not 0")},
		{"service references", `destinationSelector: [{kubeServiceRefs: {services: [{}, {name: a, namespace: b, clusterName: c}, {clusterName: c}, {name: a}]}}]`, []validation.FieldError{
			{"spec.destinationSelector[0].kubeServiceRefs.services[0]", "incomplete reference: • clusterName is required • name is required • namespace is required"},
			{"spec.destinationSelector[0].kubeServiceRefs.services[2]", "incomplete reference: • name is required • namespace is required"},
			{"spec.destinationSelector[0].kubeServiceRefs.services[3]", "incomplete reference: • clusterName is required • namespace is required"},
		}},
		{"null in a list", `destinationSelector: [null]`, one("spec.destinationSelector[0]", "must be of type object, not null")},
		{"list as an object", `policy: {trafficShift: {destinations: {}}}`, one("spec.policy.trafficShift.destinations", "must be of type array, not object")},
	})
}

func TestAccessPolicyRules(t *testing.T) {
	run(t, "AccessPolicy", []rule{
		{"empty", `{}`, nil},
		{"service accounts may leave fields out", `sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: a}, {}]}}, {}]`, nil},
		{"service references may not", `destinationSelector: [{kubeServiceRefs: {services: [{name: a, clusterName: c}]}}]`, one("spec.destinationSelector[0].kubeServiceRefs.services[0].namespace", "is required")},
		{"ports", `allowedPorts: [80, 65536]`, one("spec.allowedPorts[1]", "must be less than or equal to 65535, not 65536")},
		{"wildcards are for the engine to judge", `destinationSelector: [{kubeServiceMatcher: {namespaces: ["*"]}}]`, nil},
	})
}

func TestVirtualMeshRules(t *testing.T) {
	run(t, "VirtualMesh", []rule{
		{"older manifest, generated root", `mtlsConfig: {autoRestartPods: true, shared: {rootCertificateAuthority: {generated: null}}}`, nil},
		{"older manifest, default options", `mtlsConfig: {autoRestartPods: true, shared: {rootCertificateAuthority: {generated: {}}}}`, nil},
		{"older manifest, federation without mode", `federation: {}`, nil},
		{"older manifest, permissive federation", `federation: {permissive: {}}`, nil},
		{"older manifest, null federation", `federation: {permissive: null}`, nil},
		{"mesh references", `meshes: [{name: a, namespace: b}, {name: c}, {namespace: d, name: ""}, {}]`, []validation.FieldError{
			{"spec.meshes[1].namespace", "is required"},
			{"spec.meshes[2].name", "is required"},
			{"spec.meshes[3]", "incomplete reference: • name is required • namespace is required"},
		}},
		{"trust models", `mtlsConfig: {shared: {}, limited: {}}`, one("spec.mtlsConfig", "shared and limited cannot be combined")},
		{"authorities", `mtlsConfig: {shared: {rootCertificateAuthority: {}, intermediateCertificateAuthority: {}}}`, one("spec.mtlsConfig.shared", "rootCertificateAuthority and intermediateCertificateAuthority cannot be combined")},
		{"root sources", `mtlsConfig: {shared: {rootCertificateAuthority: {generated: {}, secret: {name: a, namespace: b}}}}`, one("spec.mtlsConfig.shared.rootCertificateAuthority", "generated and secret cannot be combined")},
		{"root secret", `mtlsConfig: {shared: {rootCertificateAuthority: {secret: {name: a}}}}`, one("spec.mtlsConfig.shared.rootCertificateAuthority.secret.namespace", "is required")},
		{"certificate options", `mtlsConfig: {shared: {intermediateCertOptions: {ttlDays: -1, rsaKeySizeBytes: -1, secretRotationGracePeriodRatio: 1.5}}}`, []validation.FieldError{
			{"spec.mtlsConfig.shared.intermediateCertOptions.rsaKeySizeBytes", "must be greater than or equal to 0, not -1"},
			{"spec.mtlsConfig.shared.intermediateCertOptions.secretRotationGracePeriodRatio", "must be less than or equal to 1, not 1.5"},
			{"spec.mtlsConfig.shared.intermediateCertOptions.ttlDays", "must be greater than or equal to 0, not -1"},
		}},
		{"Vault", `mtlsConfig: {shared: {intermediateCertificateAuthority: {vault: {caBundle: YQ==, caLocalPath: a, tokenSecretRef: {name: a, namespace: b}, kubernetesAuth: {mountedSaPath: a, serviceAccountRef: {name: a}}}}}}`, []validation.FieldError{
			{"spec.mtlsConfig.shared.intermediateCertificateAuthority.vault", "caBundle and caLocalPath cannot be combined"},
			{"spec.mtlsConfig.shared.intermediateCertificateAuthority.vault", "tokenSecretRef and kubernetesAuth cannot be combined"},
			{"spec.mtlsConfig.shared.intermediateCertificateAuthority.vault.kubernetesAuth", "serviceAccountRef and mountedSaPath cannot be combined"},
		}},
		{"rotation", `mtlsConfig: {rotationVerificationMethod: {none: {}, manual: {}}, rotationStrategy: MULTI_ROOT}`, one("spec.mtlsConfig.rotationVerificationMethod", "none and manual cannot be combined")},
		{"rotation strategy", `mtlsConfig: {rotationStrategy: SLOW}`, one("spec.mtlsConfig.rotationStrategy", `"SLOW" must be one of: MULTI_ROOT, NONE`)},
		{"gateway selectors in the older spelling", `federation: {eastWestIngressGatewaySelectors: [{portName: tls}]}`, nil},
		{"gateway selectors in both spellings", `federation: {ingressGatewaySelectors: [{}], eastWestIngressGatewaySelectors: [{}]}`, one("spec.federation", "ingressGatewaySelectors and its older spelling eastWestIngressGatewaySelectors cannot be combined")},
		{"gateway host", `federation: {ingressGatewaySelectors: [{portName: tls, overrideHostInfo: {addr: a, port: 1}}]}`, one("spec.federation.ingressGatewaySelectors[0]", "portName and overrideHostInfo cannot be combined")},
		{"gateway host address", `federation: {ingressGatewaySelectors: [{overrideHostInfo: {addr: "", port: 0}}]}`, []validation.FieldError{
			{"spec.federation.ingressGatewaySelectors[0].overrideHostInfo.addr", "must not be empty"},
			{"spec.federation.ingressGatewaySelectors[0].overrideHostInfo.port", "must be greater than or equal to 1, not 0"},
		}},
		{"federation to meshes", `federation: {selectors: [{}, {meshes: [{name: a}]}]}`, one("spec.federation.selectors[1].meshes[0].namespace", "is required")},
		{"federation of services", `federation: {selectors: [{destinationSelectors: [{kubeServiceRefs: {services: [{name: a, namespace: b}]}}]}]}`, one("spec.federation.selectors[0].destinationSelectors[0].kubeServiceRefs.services[0].clusterName", "is required")},
		{"enforcement mode", `federation: {tlsEnforcementSettings: {enforcementMode: LOOSE}}`, one("spec.federation.tlsEnforcementSettings.enforcementMode", `"LOOSE" must be one of: UNSET, DISABLE, PERMISSIVE, STRICT`)},
		{"enforcement mode that YAML reads as a boolean", `federation: {tlsEnforcementSettings: {enforcementMode: ON}}`, one("spec.federation.tlsEnforcementSettings.enforcementMode", "must be of type string, not boolean")},
		{"global access policy", `globalAccessPolicy: enabled`, one("spec.globalAccessPolicy", `"enabled" must be one of: MESH_DEFAULT, ENABLED, DISABLED`)},
		{"flag of a wrong type", `federation: {flatNetwork: "yes"}`, one("spec.federation.flatNetwork", "must be of type boolean, not string")},
	})
}

func TestDiscoveryRules(t *testing.T) {
	run(t, "Mesh", []rule{
		{"one type", `{istio: {installation: {namespace: istio-system}}, agentInfo: {agentNamespace: a}}`, nil},
		{"two types", `{istio: {}, osm: {}}`, one("spec", "istio, awsAppMesh, linkerd, consulConnect and osm cannot be combined")},
	})
	run(t, "Workload", []rule{
		{"container port", `appMesh: {ports: [{port: 65536}]}`, one("spec.appMesh.ports[0].port", "must be less than or equal to 65535, not 65536")},
	})
	run(t, "Destination", []rule{
		{"two types", `{kubeService: {}, externalService: {}}`, one("spec", "kubeService and externalService cannot be combined")},
		{"target port by name and number", `kubeService: {ports: [{port: 80, targetPortName: a, targetPortNumber: 1}]}`, one("spec.kubeService.ports[0]", "targetPortName and targetPortNumber cannot be combined")},
		{"address by name and number", `kubeService: {externalAddresses: [{dnsName: a, ip: b}]}`, one("spec.kubeService.externalAddresses[0]", "dnsName and ip cannot be combined")},
		{"negative port", `kubeService: {ports: [{port: 80, nodePort: -1}]}`, one("spec.kubeService.ports[0].nodePort", "must be greater than or equal to 0, not -1")},
		{"service type", `kubeService: {serviceType: NodePort}`, one("spec.kubeService.serviceType", `"NodePort" must be one of: CLUSTER_IP, NODE_PORT, LOAD_BALANCER, EXTERNAL_NAME`)},
	})
}

// Statuses come from controllers of any version and never count against an
// object.
func TestStatusIsNotJudged(t *testing.T) {
	v := validation.New()
	for kind := range kinds() {
		report := check(t, v, kind, `{spec: {}, status: {state: 7, observedGeneration: "12", unheardOf: {a: [1]}}}`)
		if diff := cmp.Diff(validation.Report{}, report); diff != "" {
			t.Errorf("%s (-want +got):\n%s", kind, diff)
		}
	}
}

// rule is a fragment of YAML below spec with the errors that it makes.
type rule struct {
	name, spec string
	want       []validation.FieldError
}

func run(t *testing.T, kind string, rules []rule) {
	t.Helper()
	v := validation.New()
	for _, r := range rules {
		t.Run(kind+"/"+r.name, func(t *testing.T) {
			report := check(t, v, kind, "spec:\n  {"+braceless(r.spec)+"}")
			if diff := cmp.Diff(r.want, report.Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
			if len(report.Unknown) > 0 {
				t.Errorf("unknown fields: %v", report.Unknown)
			}
		})
	}
}

// braceless lets rows leave out the outer braces of a mapping.
func braceless(text string) string {
	if len(text) > 1 && text[0] == '{' && text[len(text)-1] == '}' {
		return text[1 : len(text)-1]
	}
	return text
}

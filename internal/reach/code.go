package reach

import "strings"

// Stage is a step on the way of a call. A call fails at the first stage that has
// an obstacle for it (D45).
type Stage string

// The stages, in the order in which a call passes them: the name leads to a host;
// the client's proxy knows it; a route is chosen; an endpoint is chosen; the
// connection is made; the receiver lets the request in.
const (
	StageName       Stage = "name"
	StageVisibility Stage = "visibility"
	StageRoute      Stage = "route"
	StageEndpoint   Stage = "endpoint"
	StageTransport  Stage = "transport"
	StageAccess     Stage = "access"
)

// Stages returns all stages in order.
func Stages() []Stage {
	return []Stage{StageName, StageVisibility, StageRoute, StageEndpoint, StageTransport, StageAccess}
}

// Code is the stable identifier of what decides about a call: MT, the number of
// the stage, and a number within it. Codes are never reused.
type Code string

// The codes, by stage.
const (
	CodeNameNotResolved Code = "MT0101"
	CodeExternalName    Code = "MT0102"

	CodeHiddenService     Code = "MT0201"
	CodeHiddenFromGateway Code = "MT0202"

	CodeNoEndpoints    Code = "MT0401"
	CodeJoinedClusters Code = "MT0402"

	CodeGRPCToHTTP1 Code = "MT0301"

	CodePlaintextToStrict  Code = "MT0501"
	CodeGatewayNeedsMutual Code = "MT0502"
	CodeExporterNotMutual  Code = "MT0503"
	CodeTLSToHTTP          Code = "MT0504"
	CodeTrustDomain        Code = "MT0505"
	CodePodWithoutProxy    Code = "MT0506"
	CodeGatewayHidesPods   Code = "MT0507"

	CodeNotAllowed      Code = "MT0601"
	CodeDeniedByDefault Code = "MT0602"
	CodeNoIdentity      Code = "MT0603"
	CodeOnlyHTTP        Code = "MT0604"
	CodeSomeRequests    Code = "MT0605"
)

// Stage returns the stage of a code; "" if there is none.
func (c Code) Stage() Stage {
	stages := Stages()
	if number, found := strings.CutPrefix(string(c), "MT0"); found && number != "" {
		if at := int(number[0] - '1'); at >= 0 && at < len(stages) {
			return stages[at]
		}
	}
	return ""
}

// Entry is the entry of a code in the catalogue.
type Entry struct {
	Code Code
	// Title is one line for lists, Explanation a paragraph for the docs.
	Title, Explanation string
}

// Catalogue returns all codes, ascending.
func Catalogue() []Entry {
	return []Entry{
		{
			CodeNameNotResolved, "the caller cannot resolve the federated hostname",
			"No DNS server has the hostnames under which Services are federated, whatever their suffix. Sidecars answer for them if they capture the DNS requests of their pods, which Istio does not do by default: set ISTIO_META_DNS_CAPTURE: \"true\" in meshConfig.defaultConfig.proxyMetadata and restart the workloads, or set it for single workloads in the annotation proxy.istio.io/config. Ambient mode captures DNS requests since Istio 1.25. The finding MC0207 lists the meshes and workloads.",
		},
		{
			CodeExternalName, "the name stands for another name",
			"A Service of type ExternalName is only an alias. Where it leads, and who decides there, is not known to meshctl, so the verdict is UNKNOWN. Such Services are never federated.",
		},
		{
			CodeHiddenService, "the caller's proxy does not know the Service",
			"The annotation networking.istio.io/exportTo of the Service, or meshConfig.defaultServiceExportTo, hides it from the caller's namespace. If the mesh blocks unknown hosts (outboundTrafficPolicy REGISTRY_ONLY), the call fails. With ALLOW_ANY, the proxy passes it on as plaintext: no route, setting or identity of the caller applies, and receivers that require mutual TLS refuse it.",
		},
		{
			CodeHiddenFromGateway, "the gateway of the called cluster does not know the Service",
			"Calls from other clusters enter through an east-west gateway, which forwards to Services only that are visible in its own namespace. The annotation networking.istio.io/exportTo of the Service, or meshConfig.defaultServiceExportTo, hides it there. Add the namespace of the gateway. The finding MC0218 lists such Services.",
		},
		{
			CodeGRPCToHTTP1, "a route sends gRPC requests to a port of HTTP/1",
			"Proxies send requests in the protocol that the target's port declares. gRPC needs HTTP/2: over HTTP/1 the trailers of the answer are lost, and with them the status of the call, so that clients see an error. The finding MC0327 names the policy.",
		},
		{
			CodeNoEndpoints, "no pod is behind the Destination",
			"Discovery found no pod for the selector of the Service. Callers get 503. Start pods, and run `meshctl discover` again.",
		},
		{
			CodeJoinedClusters, "Istio joins the mesh with other clusters",
			"The control plane reads other clusters through remote secrets, so that the names of its Services span them. A pod of the same Service there may receive the call, and its own cluster decides about it. The verdict is UNKNOWN unless meshctl has discovered all of these clusters, under the names that the remote secrets have, and the Service is in none of them.",
		},
		{
			CodePlaintextToStrict, "the client sends no mutual TLS, and the receiver requires it",
			"A TrafficPolicy or the Settings make the client's proxy send plaintext or simple TLS, and the VirtualMesh of the receiver enforces mutual TLS (enforcementMode STRICT). The connection is closed before any request arrives.",
		},
		{
			CodeGatewayNeedsMutual, "the client sends no mutual TLS, and gateways forward nothing else",
			"East-west gateways forward connections by the server name of Istio's mutual TLS. A TrafficPolicy or the Settings give clients of the calling cluster another TLS mode, so that the gateway closes the connection.",
		},
		{
			CodeExporterNotMutual, "the called cluster sends its own Service no mutual TLS, so its gateway does not either",
			"A gateway forwards calls only to pods that are called with Istio's mutual TLS in their own cluster. A TrafficPolicy or the Settings set another TLS mode there, so that the gateway has no endpoint for the Service.",
		},
		{
			CodeTLSToHTTP, "the client sends simple TLS to a port that speaks HTTP",
			"With tlsMode SIMPLE the client's proxy sends TLS that is not Istio's. The receiving proxy passes it on as it is, and an application that declares HTTP on that port cannot read it.",
		},
		{
			CodeTrustDomain, "the receiver does not accept the caller's trust domain",
			"A proxy accepts clients whose certificate has the trust domain of its own mesh, one of meshConfig.trustDomainAliases, or one of meshConfig.caCertificates[].trustDomains; PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true of istiod switches the check off. A shared root alone is not enough. The connection ends in the TLS handshake, and callers get 503. The finding MC0216 has the setting to add.",
		},
		{
			CodePodWithoutProxy, "the client sends mutual TLS, and the pod has no proxy to read it",
			"A TrafficPolicy or the Settings ask for ISTIO_MUTUAL, and pods behind the Destination are known to have no proxy. They get a TLS handshake where they expect a request, and callers get 503. Without Settings and without a TLS mode in a policy, proxies choose for each pod: mutual TLS with pods that have a proxy, plaintext with the others.",
		},
		{
			CodeGatewayHidesPods, "gateways do not forward calls to pods without a proxy",
			"East-west gateways know only the pods of a Service that have a proxy, whatever TLS mode is set. None of the pods behind the Destination has one, so that calls from other clusters end in 503. Calls from the Destination's own cluster work.",
		},
		{
			CodeNotAllowed, "no AccessPolicy allows the caller",
			"AccessPolicies select the pods behind the Destination, and none of them allows the identity of the caller.",
		},
		{
			CodeDeniedByDefault, "the VirtualMesh denies by default",
			"No AccessPolicy selects the pods behind the Destination, and the VirtualMesh denies what no AccessPolicy allows (globalAccessPolicy ENABLED).",
		},
		{
			CodeNoIdentity, "the caller would be allowed, but its identity does not arrive",
			"An identity arrives over Istio's mutual TLS only. Without it, rules about principals or namespaces do not match: a TrafficPolicy or the Settings make the client's proxy send plaintext or simple TLS, or the caller has no proxy.",
		},
		{
			CodeOnlyHTTP, "the caller is allowed HTTP requests only, and the port does not speak HTTP",
			"Rules about methods, paths or request principals never match on ports whose protocol is not HTTP. Declare the protocol of the port (its name or appProtocol), or allow the caller without such conditions.",
		},
		{
			CodeSomeRequests, "only some requests are allowed",
			"The call is allowed under conditions: for some paths, methods, ports or request principals, or by some of the pods behind the Destination.",
		},
	}
}

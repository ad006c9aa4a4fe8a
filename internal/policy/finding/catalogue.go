package finding

// Code is the stable identifier of a kind of finding. Codes are never reused.
type Code string

// The findings. MC01xx concern the input, MC02xx virtual meshes and federation,
// MC03xx traffic policies, MC04xx access, MC05xx workloads, MC06xx the
// configuration in clusters, MC07xx certificates.
const (
	CodeUnreadable         Code = "MC0101"
	CodeUnknownKind        Code = "MC0102"
	CodeUnknownField       Code = "MC0103"
	CodeSchemaViolation    Code = "MC0104"
	CodeUnreadableFile     Code = "MC0105"
	CodeServiceTwice       Code = "MC0106"
	CodeUnusableCluster    Code = "MC0107"
	CodeUnlistedKind       Code = "MC0108"
	CodeDiscoveryNote      Code = "MC0109"
	CodeUnusableName       Code = "MC0110"
	CodeIgnoredNamespace   Code = "MC0111"
	CodeProxiesUnknown     Code = "MC0112"
	CodeVisibilityUnknown  Code = "MC0113"
	CodeMeshConfigUnknown  Code = "MC0114"
	CodeMeshNotFound       Code = "MC0201"
	CodeMeshClaimedTwice   Code = "MC0202"
	CodeMeshListedTwice    Code = "MC0203"
	CodeBadFederation      Code = "MC0204"
	CodeNoGateway          Code = "MC0205"
	CodeGatewayNoAddress   Code = "MC0206"
	CodeSuffixNeedsDNS     Code = "MC0207"
	CodeTLSIncoherent      Code = "MC0208"
	CodeLimitedTrust       Code = "MC0209"
	CodeNotIstio           Code = "MC0210"
	CodeBadSuffix          Code = "MC0211"
	CodePassthroughTLS     Code = "MC0212"
	CodeFederatedNobody    Code = "MC0213"
	CodeUnusableAddress    Code = "MC0214"
	CodeSharedAddress      Code = "MC0215"
	CodeTrustDomain        Code = "MC0216"
	CodeExternalName       Code = "MC0217"
	CodeHiddenFromGateway  Code = "MC0218"
	CodeFederatedHeadless  Code = "MC0219"
	CodeJoinedClusters     Code = "MC0220"
	CodeFlatAddresses      Code = "MC0221"
	CodeSharedRoot         Code = "MC0222"
	CodeReferenceNotFound  Code = "MC0301"
	CodeSelectsNothing     Code = "MC0302"
	CodeNoSource           Code = "MC0303"
	CodeWildcard           Code = "MC0304"
	CodeConflict           Code = "MC0305"
	CodeUnrealisable       Code = "MC0306"
	CodeSubsetWithoutPods  Code = "MC0307"
	CodeNoEffect           Code = "MC0308"
	CodeDeprecatedField    Code = "MC0309"
	CodeOutOfReach         Code = "MC0310"
	CodeNotTranslated      Code = "MC0311"
	CodeNeverMatches       Code = "MC0312"
	CodeRetryTooLong       Code = "MC0313"
	CodeRejectedValue      Code = "MC0314"
	CodeRetriesOff         Code = "MC0315"
	CodeNeverReached       Code = "MC0316"
	CodeFaultFirst         Code = "MC0317"
	CodeEjectsGateway      Code = "MC0318"
	CodeWiderConnection    Code = "MC0319"
	CodeTLSModeFails       Code = "MC0320"
	CodeWithoutProxy       Code = "MC0321"
	CodeMutualWithoutProxy Code = "MC0322"
	CodeGatewayHidesPods   Code = "MC0323"
	CodeOnlyGateways       Code = "MC0324"
	CodeUnknownAccounts    Code = "MC0325"
	CodeNoSecureNaming     Code = "MC0326"
	CodeGRPCToHTTP1        Code = "MC0327"
	CodeDeniedByDefault    Code = "MC0401"
	CodeSharedTrustDomain  Code = "MC0402"
	CodeClusterWithoutMesh Code = "MC0403"
	CodeEmptySelector      Code = "MC0404"
	CodeSharedPods         Code = "MC0405"
	CodeContradiction      Code = "MC0406"
	CodeDefaultTrustDomain Code = "MC0407"
	CodePodPort            Code = "MC0408"
	CodeNoSuchPort         Code = "MC0409"
	CodeNeverAllows        Code = "MC0410"
	CodeOnlyHTTP           Code = "MC0411"
	CodeNoIdentity         Code = "MC0420"
	CodeNotEnforced        Code = "MC0421"
	CodeClosesGateway      Code = "MC0422"
	CodeOpenGateway        Code = "MC0423"
	CodeWorkloadNoMesh     Code = "MC0501"
	CodeNotWritten         Code = "MC0601"
	CodeTrustRoot          Code = "MC0701"
	CodeTrustCertificate   Code = "MC0702"
	CodeTrustRotation      Code = "MC0703"
	CodeTrustDistribution  Code = "MC0704"
	CodeRestartNeeded      Code = "MC0705"
	CodeTrustLeft          Code = "MC0706"
)

// Entry is the catalogue entry of one code.
type Entry struct {
	Code     Code
	Severity Severity
	// Title is one line for lists, Explanation a paragraph for the docs.
	Title, Explanation string
	// Hint is the default next step of findings with this code.
	Hint string
}

// Entry returns the catalogue entry of the code; the zero Entry if there is
// none.
func (c Code) Entry() Entry {
	for _, e := range Catalogue() {
		if e.Code == c {
			return e
		}
	}
	return Entry{}
}

// Catalogue returns all findings of meshctl by ascending code. docs/findings.md
// is generated from it.
func Catalogue() []Entry {
	return []Entry{
		{
			CodeUnreadable, SeverityError, "A document cannot be read",
			"The text is not valid YAML or JSON, or it is not a Kubernetes object. The other documents of the file are still used.",
			"fix the syntax at the named line",
		},
		{
			CodeUnknownKind, SeverityError, "A kind or version of the mesh API does not exist",
			"The API group is one that meshctl models, but the kind or its version is not. The object is left out of every answer.",
			"use the kind and apiVersion named in the message",
		},
		{
			CodeUnknownField, SeverityWarning, "A field does not exist",
			"The object carries a field that its kind does not have, usually a misspelling or a field at the wrong level. The field has no effect; the rest of the object is used.",
			"correct or remove the field",
		},
		{
			CodeSchemaViolation, SeverityError, "The schema rejects an object",
			"A value is missing, out of range or conflicts with another one. The object is INVALID and applies nowhere; a discovered object is left out.",
			"correct the named fields; an API server with the CRDs would reject the object as well",
		},
		{
			CodeUnreadableFile, SeverityError, "A file cannot be read",
			"A file of a given directory could not be opened or read. Everything else is answered without it.",
			"check the file and its permissions",
		},
		{
			CodeServiceTwice, SeverityWarning, "Two Destinations exist for one Service",
			"Only the first Destination by namespace and name is used; the others are ignored.",
			"remove the stale Destination",
		},
		{
			CodeUnusableCluster, SeverityError, "A cluster is unreachable",
			"The cluster is unreachable, timed out, or denied access. The answer does not include it.",
			"check that the cluster is running and reachable, and that the credentials are valid",
		},
		{
			CodeUnlistedKind, SeverityWarning, "The objects of a kind could not be listed",
			"The credentials do not allow it, or the cluster does not have the kind. The answer does not include such objects.",
			"ask for permission to list the kind, or install its CustomResourceDefinition",
		},
		{
			CodeDiscoveryNote, SeverityInfo, "Discovery skipped an object or made an assumption",
			"An object in a cluster is ambiguous or unsupported. The message names it and says how it was treated.",
			"check the object; no action is needed if the message describes what you expect",
		},
		{
			CodeUnusableName, SeverityError, "A discovered object has a name that cannot be used",
			"Names in a cluster become principals, certificates and hostnames in other clusters. A trust domain must be a valid SPIFFE trust domain without wildcards, and namespaces, workloads, Services and service accounts must have valid Kubernetes names. The object is ignored, and nothing is rendered for it.",
			"check the cluster, then run 'meshctl discover' again; only its administrators should be able to set these names",
		},
		{
			CodeIgnoredNamespace, SeverityWarning, "A resource is in a namespace whose resources have no effect",
			"Resources on the management cluster govern all clusters. They take effect from meshctl's namespace, and from the namespaces that an administrator listed with `meshctl install --policy-namespaces`; Settings and KubernetesClusters from meshctl's namespace only. A virtual mesh or policy elsewhere is INVALID and touches nothing; other resources are ignored. Manifests given with --filename always count.",
			"create it in meshctl's namespace, or ask an administrator to list its namespace with `meshctl install --policy-namespaces`",
		},
		{
			CodeProxiesUnknown, SeverityInfo, "It is not known which pods have a proxy",
			"Only pods with a proxy enforce access rules and TLS, and only these can be called through gateways. The Destinations do not record which pods have one, because an older version or another tool discovered them. Answers assume that all have one, as in namespaces with injection, and are marked where they depend on it.",
			"run 'meshctl discover' with this version, which records it",
		},
		{
			CodeVisibilityUnknown, SeverityInfo, "It is not known where Services are visible",
			"Gateways forward calls only to Services that are visible in their namespace (annotation networking.istio.io/exportTo, or meshConfig.defaultServiceExportTo). The Destination or its Mesh does not record that, because an older version or another tool discovered it. Answers assume that Services are visible in all namespaces, which is Istio's default.",
			"run 'meshctl discover' with this version, which records it",
		},
		{
			CodeMeshConfigUnknown, SeverityInfo, "It is not known how a mesh is configured",
			"The Mesh does not record settings of Istio that decide about calls, such as automatic mutual TLS (meshConfig.enableAutoMtls) and calls to unknown hosts (meshConfig.outboundTrafficPolicy), because an older version or another tool discovered it. Answers assume Istio's defaults.",
			"run 'meshctl discover' with this version, which records it",
		},
		{
			CodeMeshNotFound, SeverityError, "A VirtualMesh refers to a mesh or Service that does not exist",
			"Every mesh of a VirtualMesh, and every Service that its selectors name, must have been discovered. The VirtualMesh is INVALID for that reference; existing meshes stay grouped, with their trust, TLS enforcement, access default and federation.",
			"list the meshes with `meshctl describe mesh`, and correct the reference or remove it",
		},
		{
			CodeMeshClaimedTwice, SeverityError, "Two VirtualMeshes list the same mesh",
			"A mesh belongs to at most one VirtualMesh. The one accepted earlier keeps it, then the older one, then the first by namespace and name; the other VirtualMesh is INVALID as a whole.",
			"remove the mesh from one of the two VirtualMeshes",
		},
		{
			CodeMeshListedTwice, SeverityWarning, "A VirtualMesh lists a mesh twice",
			"The duplicate has no effect.",
			"remove the duplicate",
		},
		{
			CodeBadFederation, SeverityError, "A federation selector names a mesh outside its VirtualMesh",
			"Destinations can be federated only to meshes of the same VirtualMesh. The VirtualMesh is INVALID and groups nothing.",
			"add the mesh to the VirtualMesh, or remove it from the selector",
		},
		{
			CodeNoGateway, SeverityError, "A mesh exports Destinations but has no east-west gateway",
			"Traffic from other clusters enters through an ingress gateway with a TLS port (named `tls` unless the VirtualMesh says otherwise) on a NodePort or LoadBalancer Service. Without one, none of the mesh's Destinations is federated; trust and access control still apply.",
			"select the Service of a gateway with spec.federation.ingressGatewaySelectors, or install one whose pods have the label istio=ingressgateway and whose Service has a port named tls",
		},
		{
			CodeGatewayNoAddress, SeverityWarning, "An east-west gateway has no external address yet",
			"Other clusters cannot reach the gateway before its Service has an address.",
			"wait for the load balancer, or set spec.federation.ingressGatewaySelectors[].overrideHostInfo",
		},
		{
			CodeSuffixNeedsDNS, SeverityWarning, "Workloads cannot resolve federated hostnames",
			"No DNS server has the hostnames under which Services are federated, whatever their suffix, `global` included. Sidecars answer for them if they capture the DNS requests of their pods, which Istio does not do by default. Calls to federated Services from the named mesh or workloads fail at the name. Ambient mode captures DNS requests since Istio 1.25. If the setting is not known, as in resources of another tool, Istio's default is assumed.",
			"set ISTIO_META_DNS_CAPTURE: \"true\" in meshConfig.defaultConfig.proxyMetadata of Istio in the mesh's cluster, and restart the workloads",
		},
		{
			CodeTLSIncoherent, SeverityError, "TLS enforcement conflicts with the Settings",
			"STRICT needs clients that use ISTIO_MUTUAL, and DISABLE needs clients that do not; the Settings object says which clients use. The VirtualMesh is INVALID and groups nothing.",
			"align spec.federation.tlsEnforcementSettings of the VirtualMesh with spec.mtls.istio.tlsMode of the Settings",
		},
		{
			CodeLimitedTrust, SeverityError, "Limited trust is not available yet",
			"The VirtualMesh asks for limited trust. Its meshes are grouped, but no trust is established between them.",
			"use shared trust",
		},
		{
			CodeNotIstio, SeverityWarning, "A mesh type is not supported",
			"meshctl shows meshes of this type but does not configure them: no policy is enforced and nothing is federated there, even if a VirtualMesh lists the mesh.",
			"use an Istio mesh if policies must apply",
		},
		{
			CodeBadSuffix, SeverityError, "A hostname suffix is not a valid DNS name",
			"Federated hostnames end in spec.federation.hostnameSuffix, which has to be a DNS name: lower-case labels of letters, digits and dashes. The VirtualMesh is INVALID and groups nothing.",
			"choose a DNS name, such as mesh.example",
		},
		{
			CodePassthroughTLS, SeverityWarning, "A TLS mode does not work through gateways",
			"Requests from other clusters go through gateways, which pass on Istio mutual TLS only, and only to pods that clients in their own cluster call with mutual TLS as well. A TrafficPolicy or the Settings set another mode. It is rendered as configured; requests from other clusters to these Destinations fail.",
			"use ISTIO_MUTUAL, exclude the Destinations from the policy, or do not federate them",
		},
		{
			CodeFederatedNobody, SeverityInfo, "A federated Destination has no known pods",
			"The Destination is federated to other clusters, but no pods or workloads behind it were discovered. Requests to it fail.",
			"start workloads behind the Service, or run 'meshctl discover' again if they exist",
		},
		{
			CodeUnusableAddress, SeverityError, "A cluster has an unsafe external address",
			"The external address of a gateway, or the address of a pod, is a loopback, unspecified, link-local or multicast address. Other clusters would call themselves or their own metadata service, so the address is not used.",
			"correct the address in the status of the Service, or set spec.federation.ingressGatewaySelectors[].overrideHostInfo",
		},
		{
			CodeSharedAddress, SeverityWarning, "Two meshes have the same external address",
			"The external address of an east-west gateway is also that of a gateway or pod in another cluster, or, with the same port, that of another mesh's gateway in its cluster. One of them gets the requests for the other; it cannot read or answer them without a certificate of the other's Services.",
			"check which mesh owns the address, and correct the other one's Service or spec.federation.ingressGatewaySelectors[].overrideHostInfo",
		},
		{
			CodeTrustDomain, SeverityWarning, "A mesh does not accept the trust domain of its callers",
			"Services of the mesh are federated to meshes with other trust domains. Its proxies accept clients of its own trust domain, of meshConfig.trustDomainAliases and of meshConfig.caCertificates[].trustDomains only, even if the root certificate is shared, unless istiod runs with PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true. All other calls end in the TLS handshake; callers get 503. An alias works, too, but makes the identities of both trust domains interchangeable in access rules.",
			"add the trust domains of the calling meshes to meshConfig.caCertificates[].trustDomains of Istio in the mesh's cluster",
		},
		{
			CodeExternalName, SeverityWarning, "A Service of type ExternalName is not federated",
			"The Service only stands for a name outside the cluster. It has no pods that a gateway could forward to, so it is never federated, even if a VirtualMesh selects it.",
			"federate a Service that has pods, or let other clusters call the external name themselves",
		},
		{
			CodeHiddenFromGateway, SeverityWarning, "A federated Service is hidden from its gateway",
			"Calls from other clusters enter through an east-west gateway, which forwards to Services only that are visible in its own namespace. The annotation networking.istio.io/exportTo of the Service, or meshConfig.defaultServiceExportTo, hides this one there, so all of these calls fail.",
			"add the namespace of the gateway to the annotation networking.istio.io/exportTo of the Service",
		},
		{
			CodeFederatedHeadless, SeverityInfo, "A headless Service is federated",
			"In its own cluster, the name of a headless Service leads to all of its pods, and each pod of a StatefulSet has a name of its own. Other clusters know one hostname with one address, whose connections are balanced over all pods. Names such as db-0.db.shop.svc.west.global do not exist.",
			"if clients need single pods, such as members of a database cluster, create a Service for each pod and federate these instead",
		},
		{
			CodeJoinedClusters, SeverityInfo, "Istio itself joins a mesh with other clusters",
			"The control plane reads other clusters through remote secrets, so that the names of Services span them, and pods there answer, too. meshctl does not follow such calls: those to Services that these clusters may have as well are UNKNOWN.",
			"let one of them join the clusters: delete the remote secrets, or remove the mesh from the VirtualMesh",
		},
		{
			CodeFlatAddresses, SeverityInfo, "Pod addresses in other clusters are only as fresh as discovery",
			"With spec.federation.flatNetwork, other clusters call the addresses of pods that discovery found. Pods that were started since get no calls from there, and calls to those that are gone fail, until discovery and apply have run again. The controller does both continuously.",
			"run the controller with 'meshctl install --with-controller', or call through gateways, whose configuration does not depend on pods",
		},
		{
			CodeSharedRoot, SeverityWarning, "A VirtualMesh also affects a mesh that it does not list",
			"Two control planes of a cluster share a root namespace, as revisions do during a canary upgrade. TLS enforcement and denial by default are policies in the root namespace, so they apply to the pods of both.",
			"list both meshes in the VirtualMesh, or give one of the control planes another root namespace (meshConfig.rootNamespace)",
		},
		{
			CodeReferenceNotFound, SeverityError, "A policy refers to a Service that does not exist",
			"A policy is INVALID for an unresolved reference, and effective on the Services of its other references.",
			"correct the reference, or discover the cluster that runs the Service",
		},
		{
			CodeSelectsNothing, SeverityWarning, "A policy selects no Destination",
			"The policy is valid, but no known Service matches its destinationSelector, so it has no effect.",
			"compare the selector with the labels, namespaces and clusters of the Services",
		},
		{
			CodeNoSource, SeverityWarning, "A policy selects no workload as source",
			"The policy is valid, but no known workload matches its sourceSelector, so no request is affected.",
			"compare the selector with the pod labels, namespaces, clusters and service accounts of the workloads",
		},
		{
			CodeWildcard, SeverityError, "A selector uses `*`",
			"Selectors have no wildcards: `*` would be compared literally and match nothing. The object is INVALID.",
			"omit the list to select all",
		},
		{
			CodeConflict, SeverityError, "Two policies set the same field to different values",
			"Both policies select the same requests to the same Destination. The policy accepted earlier takes precedence, then the older one, then the first by namespace and name; the other is INVALID on that Destination and none of its settings apply there.",
			"change one of the policies, or give one of them a narrower match: the more specific match takes precedence without a conflict",
		},
		{
			CodeUnrealisable, SeverityError, "A policy cannot be applied to a Destination",
			"The policy uses a field that this mesh does not support, or sends requests to a Service or port that does not exist or is unreachable from the source. It is INVALID on that Destination and none of its settings apply there.",
			"correct the target or federate it to the source's mesh; remove unsupported fields",
		},
		{
			CodeSubsetWithoutPods, SeverityWarning, "A traffic shift targets a subset without pods",
			"No workload behind the target Service has the labels of the subset, so these requests fail.",
			"compare the subset with the pod labels of the workloads behind the Service",
		},
		{
			CodeNoEffect, SeverityWarning, "A policy has no effect",
			"The policy is valid and selects Destinations, but none of its settings applies to any request: it has no settings, its Destinations have no HTTP port, or other policies override it for all of its requests.",
			"remove the policy, or change what it selects",
		},
		{
			CodeDeprecatedField, SeverityInfo, "A deprecated field is used",
			"The field still works, but was renamed.",
			"use the field named in the message",
		},
		{
			CodeOutOfReach, SeverityWarning, "A policy selects calls that cannot happen",
			"The sources and Destinations of the policy exist, but none of the sources can reach any of the Destinations: they are in other clusters and not federated to the meshes of the sources.",
			"federate the Destinations to the meshes of the sources, or correct the selectors",
		},
		{
			CodeNotTranslated, SeverityWarning, "A policy is not translated for some Destinations",
			"The policy selects Destinations of unsupported mesh types, or without a known mesh. Nothing is rendered for them; on other Destinations the policy is effective.",
			"select only Destinations of Istio meshes",
		},
		{
			CodeNeverMatches, SeverityWarning, "A request matcher matches no request",
			"The path of a request starts with a slash and does not include the query, and methods are upper case. A matcher in spec.httpRequestMatchers of a TrafficPolicy with another path or method matches no request, and its settings apply to none.",
			"write the path with a leading slash and without query, such as /api, and the method in upper case",
		},
		{
			CodeRetryTooLong, SeverityWarning, "A try may take as long as the whole request",
			"retries.perTryTimeout is not shorter than requestTimeout of the same requests, which the same policy or another one sets. The request times out before the first try does, so a slow try is never repeated.",
			"set a perTryTimeout that is shorter than requestTimeout, or a longer requestTimeout",
		},
		{
			CodeRejectedValue, SeverityError, "Istio, Envoy or the CA rejects a value",
			"The value matches the schema, but Istio rejects every object that contains it, or Envoy rejects all routes of the port and keeps the previous ones, for every host. Examples are a percent sign in a header value that does not start a variable of Envoy, and a duration that is not a whole number of the unit in which Istio keeps it. The same goes for options of certificates that cannot be issued, such as a key that is too small (rsaKeySizeBytes counts bits). The policy is INVALID and applies nowhere; a virtual mesh groups nothing.",
			"correct the value as the message says",
		},
		{
			CodeRetriesOff, SeverityWarning, "Retries are switched off",
			"spec.policy.retries of a TrafficPolicy sets no attempts, or 0. Istio then makes no retries at all, not even the two that it makes by default when a connection fails.",
			"set attempts to the number of retries, or remove retries to keep the default of the mesh",
		},
		{
			CodeNeverReached, SeverityWarning, "A route is never reached",
			"Istio uses the first route that matches a request. The order is that of the paths: exact ones, then regular expressions, then prefixes, the longest first, and then routes without path; only then do headers and query parameters count. A request matcher of the policy comes behind one that matches all of its requests, such as the prefix / before a header without path, so its settings apply to no request.",
			"add the path of the earlier route to the matcher, such as prefix / together with the header, so that the more specific matcher comes first",
		},
		{
			CodeFaultFirst, SeverityInfo, "A fault comes before timeouts and retries",
			"faultInjection acts on the same requests as requestTimeout or retries, which the same policy or another one sets. A fixed delay comes before the timeout, which does not count it. An abort answers at once, reaches no server, and is not retried.",
			"to test how callers cope with a slow server, choose a delay that is longer than their own timeouts, or delay the answers of the server itself",
		},
		{
			CodeEjectsGateway, SeverityWarning, "Outlier detection ejects a gateway",
			"Callers in other clusters reach the Destination through an east-west gateway, whose address is the only endpoint that they know. Outlier detection ejects that address after a few failures of any pod behind it: until it is used again, every call of that client to the Destination ends in 503, also those that other pods would answer. In the Destination's own cluster it ejects single pods.",
			"federate other Destinations, or set retries instead; if pods of all clusters can reach each other directly, use a flat network (spec.federation.flatNetwork); callers in the own cluster are not affected",
		},
		{
			CodeWiderConnection, SeverityWarning, "A connection setting holds for all callers of a cluster",
			"Istio has mtls, connectionPoolSettings and outlierDetection for all connections from a cluster to a Service. It cannot restrict them to the requests of spec.httpRequestMatchers, or to the labels and namespaces of spec.sourceSelector, so they hold for every caller in the clusters of the sources.",
			"move the setting to a policy without request matchers whose sourceSelector names clusters only, or remove it",
		},
		{
			CodeTLSModeFails, SeverityWarning, "The TLS mode of clients makes their calls fail",
			"A TrafficPolicy or the Settings give clients a TLS mode with which their calls cannot succeed: anything but ISTIO_MUTUAL if the receiver requires mutual TLS, and SIMPLE on ports that declare HTTP. It is rendered as configured.",
			"use ISTIO_MUTUAL if all pods behind the Destinations have a proxy; else restrict the policy to other Destinations or ports, or do not require mutual TLS (spec.federation.tlsEnforcementSettings of the VirtualMesh)",
		},
		{
			CodeWithoutProxy, SeverityWarning, "Pods of a Service have no proxy",
			"Pods behind the Destination have no proxy, so that no policy protects them and no identity arrives. Without Settings and without a TLS mode in a policy, its DestinationRule has no tls block, so that clients choose for each pod: mutual TLS with pods that have a proxy, plaintext with the others.",
			"enable injection for the namespace or the pods, and restart them",
		},
		{
			CodeMutualWithoutProxy, SeverityError, "Clients use mutual TLS with pods that cannot read it",
			"A TrafficPolicy or the Settings ask for ISTIO_MUTUAL, and pods behind the Destination are known to have no proxy. It is rendered as configured; calls to these pods end in 503.",
			"enable injection for the pods and restart them, or remove the TLS mode: without one, clients choose for each pod",
		},
		{
			CodeGatewayHidesPods, SeverityWarning, "Gateways do not forward calls to pods without a proxy",
			"The Destination is federated, and pods behind it have no proxy. East-west gateways know only the pods that have one: calls from other clusters go to those, and end in 503 if there are none.",
			"enable injection for the pods and restart them, or do not federate the Destination",
		},
		{
			CodeOnlyGateways, SeverityWarning, "A TrafficPolicy is only about callers that follow no routes",
			"Settings of requests are rendered as VirtualServices for sidecars. Requests that enter through an ingress gateway follow the VirtualServices that are bound to its Gateway, and pods without a proxy follow none, so the settings affect none of the selected callers. Settings of connections do hold for gateways.",
			"configure requests from outside in the VirtualService that belongs to the Gateway, or select workloads with sidecars",
		},
		{
			CodeUnknownAccounts, SeverityWarning, "The service accounts behind a federated Destination are not known",
			"The VirtualMesh enforces secure naming (annotation meshctl.io/secure-naming: enforce), so that callers of federated hosts accept only the service accounts of the pods behind them. Discovery has not stored those of the Destination: those of its workloads are used, and if there are none, callers accept every workload with a certificate of the shared root.",
			"run 'meshctl discover' again; it stores the service accounts of the pods behind every Service",
		},
		{
			CodeNoSecureNaming, SeverityInfo, "Any workload under the shared root can answer for a federated host",
			"Callers verify that the certificate of a federated host chains to the shared root, but not whose it is: a workload of any mesh of the VirtualMesh that gets at the traffic, for example by the address of a gateway, can answer for every federated host. With the annotation meshctl.io/secure-naming: enforce, callers accept only the service accounts of the pods behind the host, as the last discovery found them.",
			"annotate the VirtualMesh with meshctl.io/secure-naming: enforce, and run 'meshctl discover' before service accounts change",
		},
		{
			CodeGRPCToHTTP1, SeverityWarning, "A shift sends gRPC requests to a port of HTTP/1",
			"The proxy sends requests to a port in the protocol that the port declares. gRPC needs HTTP/2: over HTTP/1 the trailers of the answer are lost, and with them the status of the call.",
			"shift to a port that declares grpc or http2 by its name or appProtocol, or restrict the policy to other ports (spec.destinationPorts)",
		},
		{
			CodeDeniedByDefault, SeverityInfo, "No caller is allowed to call a workload",
			"The VirtualMesh denies calls that no AccessPolicy allows, and no effective AccessPolicy selects a Service of this workload.",
			"to allow calls, create an AccessPolicy that selects its Service",
		},
		{
			CodeSharedTrustDomain, SeverityWarning, "A cluster restriction cannot be enforced",
			"The AccessPolicy restricts callers by cluster, but another mesh uses the same trust domain and therefore the same identities. The policy allows callers of both.",
			"select namespaces or service accounts that exist only in the cluster of the callers; or give each mesh its own trust domain, after you have listed it in meshConfig.caCertificates[].trustDomains of all meshes that it calls, which refuse its workloads otherwise",
		},
		{
			CodeClusterWithoutMesh, SeverityError, "An AccessPolicy names a cluster without an Istio mesh",
			"Callers are identified by the trust domain of their mesh, and no Istio mesh is known in this cluster. The policy is INVALID for it: it allows no caller from there. The rest of the policy is effective.",
			"correct the cluster name, or discover the cluster",
		},
		{
			CodeEmptySelector, SeverityError, "An AccessPolicy selects a Service without pod selector",
			"Access control for a Service without selector would cover its whole namespace, so the policy is INVALID on that Destination.",
			"exclude the Service from the policy; if Kubernetes, and not you, is to manage its endpoints, give it a selector",
		},
		{
			CodeSharedPods, SeverityWarning, "Services with different access rules share pods",
			"Pods enforce the rules of all Services in front of them together: a caller that is allowed on one of the Services can reach the pods through the others as well.",
			"select all of the Services in the same AccessPolicies, or give them separate pods",
		},
		{
			CodeContradiction, SeverityError, "An AccessPolicy source selector matches no identity",
			"All fields of one element of the sourceSelector must match, and no identity matches this one. The policy is INVALID.",
			"write the alternatives as separate elements of spec.sourceSelector",
		},
		{
			CodeDefaultTrustDomain, SeverityWarning, "Identities of the default trust domain are ambiguous",
			"The AccessPolicy selects service accounts of a mesh with trust domain cluster.local, and applies in a mesh with another trust domain. Istio reads cluster.local as the trust domain of the called mesh, so the policy allows the accounts of the same name there instead.",
			"select the callers by namespace; or give their mesh its own trust domain, after you have listed it in meshConfig.caCertificates[].trustDomains of all meshes that it calls, which refuse its workloads otherwise",
		},
		{
			CodePodPort, SeverityInfo, "An allowed port is a pod port, not a Service port",
			"spec.allowedPorts of an AccessPolicy refers to ports of Services, which meshctl translates to pod ports. This number is not a port of the Service but of its pods, and is used as such.",
			"name the port of the Service instead",
		},
		{
			CodeNoSuchPort, SeverityWarning, "An allowed port does not exist",
			"spec.allowedPorts of an AccessPolicy has a number that is neither a port of the Service nor of its pods, or a port with a named target that no known pod has. It allows no call; a policy with only such ports allows no caller.",
			"name a port of the Service; if its pods are new, discover the cluster again",
		},
		{
			CodeNeverAllows, SeverityWarning, "An allowed operation matches no request",
			"A path or method that the AccessPolicy allows is one that no request has, so it allows nothing. Paths start with a slash and do not include the query. They are not regular expressions: `*` is a wildcard only alone, first or last, and {*} stands for one segment. Methods are upper case, and gRPC requests always use POST.",
			"write exact paths such as /api, prefixes such as /api/*, suffixes such as *.html or templates such as /api/{*}/items, and methods in upper case",
		},
		{
			CodeOnlyHTTP, SeverityWarning, "An AccessPolicy about HTTP requests selects ports of other protocols",
			"Methods, paths and request principals match HTTP requests only. On ports that declare another protocol such a policy allows nobody, and because it selects the pods, callers that no other policy allows are denied there.",
			"restrict the policy to the HTTP ports (allowedPorts), and allow the callers of the others by a policy without such conditions; if a port speaks HTTP, declare it by its name or appProtocol",
		},
		{
			CodeNoIdentity, SeverityWarning, "AccessPolicies need an identity that does not arrive",
			"The identity of a caller arrives over Istio's mutual TLS only. A TrafficPolicy or the Settings make clients send plaintext or simple TLS, so that rules about service accounts, namespaces or clusters match nobody, and the calls are denied.",
			"use ISTIO_MUTUAL for these Destinations, if all pods behind them have a proxy",
		},
		{
			CodeNotEnforced, SeverityWarning, "An AccessPolicy is not enforced by pods without a proxy",
			"Access rules are enforced by the proxy of the called pod. Pods behind the Service are known to have none, so they accept every call, whatever AccessPolicies and the default of the VirtualMesh say.",
			"enable injection for the namespace or the pods, and restart them",
		},
		{
			CodeClosesGateway, SeverityWarning, "An AccessPolicy allows nobody from outside through a gateway",
			"The AccessPolicy selects the Service of an ingress gateway and allows callers by service account, namespace or cluster only. Callers from outside of the mesh have no identity, so it allows none of them; unless another AccessPolicy does, the gateway is closed. Calls between clusters that pass through (AUTO_PASSTHROUGH) are not affected: the called pods judge them.",
			"exclude the gateway from the policy, or create an AccessPolicy for it that allows every caller (an empty element in spec.sourceSelector)",
		},
		{
			CodeOpenGateway, SeverityWarning, "An AccessPolicy does not restrict a gateway that stays open",
			"The VirtualMesh denies by default, and leaves its ingress gateways open to all callers, because traffic from outside has no identity. AccessPolicies can only add to what is allowed, so one that selects a gateway restricts nothing.",
			"restrict the pods behind the gateway instead, or exclude the gateway from the policy",
		},
		{
			CodeWorkloadNoMesh, SeverityWarning, "A workload does not belong to a mesh",
			"The workload names no mesh, or one that was not discovered. No policy affects it.",
			"check that its pods have a sidecar and that its mesh's control plane is discovered",
		},
		{
			CodeNotWritten, SeverityError, "Configuration is not applied to all clusters",
			"The last apply could not write or delete all objects of the resource: its status is FAILED. Clusters may still use the previous configuration.",
			"fix the error in the message, then run 'meshctl apply' again",
		},
		{
			CodeTrustRoot, SeverityError, "The root CA certificate of a VirtualMesh is unusable or expires soon",
			"The root CA cannot sign, has expired, or expires soon (a warning). Reported by 'meshctl trust status', 'meshctl check' and describe --trust.",
			"rotate it with 'meshctl trust rotate'",
		},
		{
			CodeTrustCertificate, SeverityError, "A mesh has no valid intermediate CA certificate",
			"The Secret cacerts of the mesh is missing, has another owner, does not chain to the root CA of its VirtualMesh, or is due for renewal; or the certificate expires soon (a warning). Calls to and from other meshes of the VirtualMesh fail or will fail.",
			"run 'meshctl trust issue'",
		},
		{
			CodeTrustRotation, SeverityWarning, "A root CA rotation is in progress or required",
			"A root CA rotation is in progress or failed (an error), or the VirtualMesh specifies another root CA than its meshes have.",
			"run 'meshctl trust rotate'",
		},
		{
			CodeTrustDistribution, SeverityWarning, "A namespace does not have the root CA certificate yet",
			"The ConfigMap istio-ca-root-cert of a namespace with workloads lacks a root that the mesh trusts. The control plane writes it.",
			"restart the control plane with 'meshctl mesh restart'",
		},
		{
			CodeRestartNeeded, SeverityWarning, "A workload uses an outdated certificate",
			"Pods of the workload, gateway or control plane are older than the CA of their mesh, and may use outdated certificates or roots.",
			"restart it with 'meshctl mesh restart'",
		},
		{
			CodeTrustLeft, SeverityWarning, "A mesh that left a VirtualMesh still has its certificates",
			"The meshes of the VirtualMesh still trust the workloads of the mesh, which no longer belongs to it.",
			"add the mesh to the VirtualMesh again, or replace its Secret cacerts and restart it",
		},
	}
}

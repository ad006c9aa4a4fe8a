package discovery

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// The keys of an istiod's ConfigMap.
const (
	meshConfigKey   = "mesh"
	meshNetworksKey = "meshNetworks"
)

// dnsCaptureVariable makes a proxy capture the DNS requests of its pod.
const dnsCaptureVariable = "ISTIO_META_DNS_CAPTURE"

// everyNamespace is Istio's default for whom an object is visible to.
const everyNamespace = "*"

// meshFacts returns what an istiod's environment and its mesh configuration say
// (D46, D47).
func (d *discoverer) meshFacts(deployment *appsv1.Deployment, revision string, config meshConfig) *discoveryv1.MeshFacts {
	istiod := containerOf(deployment.Spec.Template.Spec.Containers, "istio", "pilot")
	fields := configFields{fields: config.fields}
	facts := &discoveryv1.MeshFacts{
		SkipValidateTrustDomain: flag(istiod, "PILOT_SKIP_VALIDATE_TRUST_DOMAIN"),
		MultiRootMesh:           flag(istiod, "ISTIO_MULTIROOT_MESH"),
		ScopeGatewayToNamespace: flag(istiod, "PILOT_SCOPE_GATEWAY_TO_NAMESPACE"),

		TrustDomainAliases:        fields.trustDomainAliases(),
		CACertificateTrustDomains: fields.caCertificateTrustDomains(),
		OutboundTrafficPolicy:     fields.outboundTrafficPolicy(),
		EnableAutoMTLS:            fields.boolean(true, "enableAutoMtls", "enable_auto_mtls"),
		DiscoverySelectors:        fields.discoverySelectors(),
		DefaultHTTPRetryPolicy:    fields.defaultRetryPolicy(),
		DefaultServiceExportTo:    fields.texts([]string{everyNamespace}, "defaultServiceExportTo", "default_service_export_to"),
		DefaultVirtualServiceExportTo: fields.texts([]string{everyNamespace},
			"defaultVirtualServiceExportTo", "default_virtual_service_export_to"),
		DefaultDestinationRuleExportTo: fields.texts([]string{everyNamespace},
			"defaultDestinationRuleExportTo", "default_destination_rule_export_to"),
		DNSCapture: fields.dnsCapture(),
		Networks:   fields.networks(config.networks),

		RemoteClusters: d.remoteClusters(deployment.Namespace),
	}
	if len(revision) <= maxItemLength {
		facts.Revision = revision
	}
	if shared, known := variable(istiod, "SHARED_MESH_CONFIG"); shared != "" || !known {
		forgetUnset(facts, &fields, config.networks)
	}
	for _, wrong := range fields.wrong {
		d.note(Note{
			Object: d.object("ConfigMap", config.source.namespace, config.source.name), Message: wrong,
			Hint: "Correct the mesh configuration: istiod refuses one that it cannot read, and keeps the one before.",
		})
	}
	return facts
}

// forgetUnset removes facts that a second mesh configuration may decide: that of
// SHARED_MESH_CONFIG counts wherever the first one does not say anything, and its
// aliases are added.
func forgetUnset(facts *discoveryv1.MeshFacts, fields *configFields, networks string) {
	unset := func(spellings ...string) bool {
		value, _ := fields.value(spellings...)
		return value == nil
	}
	facts.TrustDomainAliases = nil
	if unset("caCertificates", "ca_certificates") {
		facts.CACertificateTrustDomains = nil
	}
	if unset("outboundTrafficPolicy", "outbound_traffic_policy") {
		facts.OutboundTrafficPolicy = ""
	}
	if unset("enableAutoMtls", "enable_auto_mtls") {
		facts.EnableAutoMTLS = nil
	}
	if unset("discoverySelectors", "discovery_selectors") {
		facts.DiscoverySelectors = nil
	}
	if unset("defaultHttpRetryPolicy", "default_http_retry_policy") {
		facts.DefaultHTTPRetryPolicy = nil
	}
	if unset("defaultServiceExportTo", "default_service_export_to") {
		facts.DefaultServiceExportTo = nil
	}
	if unset("defaultVirtualServiceExportTo", "default_virtual_service_export_to") {
		facts.DefaultVirtualServiceExportTo = nil
	}
	if unset("defaultDestinationRuleExportTo", "default_destination_rule_export_to") {
		facts.DefaultDestinationRuleExportTo = nil
	}
	if facts.DNSCapture != nil && !*facts.DNSCapture {
		facts.DNSCapture = nil
	}
	if networks == "" {
		facts.Networks = nil
	}
}

func (c *configFields) trustDomainAliases() []string {
	value, name := c.value("trustDomainAliases", "trust_domain_aliases")
	aliases, reason := textsOf(value)
	if reason != "" {
		c.ignore(name, reason)
		return nil
	}
	return c.trustDomains(name, aliases)
}

// caCertificateTrustDomains unites the trust domains of all CA certificates.
func (c *configFields) caCertificateTrustDomains() []string {
	value, name := c.value("caCertificates", "ca_certificates")
	certificates, ok := value.([]any)
	if !ok && value != nil {
		c.ignore(name, "it is not a list")
		return nil
	}
	var all []any
	for _, item := range certificates {
		certificate, ok := item.(map[string]any)
		if !ok {
			c.ignore(name, "one of its items holds no fields")
			return nil
		}
		value, _ := valueOf(certificate, "trustDomains", "trust_domains")
		domains, ok := value.([]any)
		if !ok && value != nil {
			c.ignore(name, "the trustDomains of one of its items are not a list")
			return nil
		}
		for _, domain := range domains {
			if domain != "" { // Istio skips these
				all = append(all, domain)
			}
		}
	}
	domains, reason := textsOf(all)
	if reason != "" {
		c.ignore(name, "of the trustDomains together, "+reason)
		return nil
	}
	return c.trustDomains(name, domains)
}

// trustDomains returns those texts that are trust domains, sorted; never nil. The
// others match no certificate that meshctl knows.
func (c *configFields) trustDomains(field string, texts []string) []string {
	domains := []string{}
	var bad []string
	for _, domain := range texts {
		if world.TrustDomainProblem(domain) == "" {
			domains = append(domains, domain)
		} else {
			bad = append(bad, domain)
		}
	}
	slices.Sort(domains)
	if len(bad) > 0 {
		more := ""
		if len(bad) > 1 {
			more = fmt.Sprintf(", and so are %d more", len(bad)-1)
		}
		c.wrong = append(c.wrong, fmt.Sprintf("%s: %q is ignored%s: %s", field, bad[0], more, world.TrustDomainProblem(bad[0])))
	}
	return domains
}

func (c *configFields) outboundTrafficPolicy() discoveryv1.OutboundTrafficPolicy {
	value, name := c.value("outboundTrafficPolicy", "outbound_traffic_policy")
	if value == nil {
		return discoveryv1.OutboundAllowAny
	}
	policy, ok := value.(map[string]any)
	if !ok {
		c.ignore(name, "it holds no fields")
		return ""
	}
	switch policy["mode"] {
	case nil, "REGISTRY_ONLY", 0.0: // the zero value, of a policy without a mode
		return discoveryv1.OutboundRegistryOnly
	case "ALLOW_ANY", 1.0:
		return discoveryv1.OutboundAllowAny
	default:
		c.ignore(name, "its mode is neither ALLOW_ANY nor REGISTRY_ONLY")
		return ""
	}
}

func (c *configFields) discoverySelectors() []metav1.LabelSelector {
	value, name := c.value("discoverySelectors", "discovery_selectors")
	list, ok := value.([]any)
	switch {
	case !ok && value != nil:
		c.ignore(name, "it is not a list")
		return nil
	case len(list) > maxSelectors:
		c.ignore(name, fmt.Sprintf("it has more than %d items", maxSelectors))
		return nil
	}
	selectors := []metav1.LabelSelector{}
	for _, item := range list {
		selector, reason := labelSelector(item)
		if reason != "" {
			c.ignore(name, reason)
			return nil
		}
		selectors = append(selectors, selector)
	}
	return selectors
}

func (c *configFields) defaultRetryPolicy() *discoveryv1.DefaultRetryPolicy {
	value, name := c.value("defaultHttpRetryPolicy", "default_http_retry_policy")
	if value == nil {
		return &discoveryv1.DefaultRetryPolicy{}
	}
	fields, ok := value.(map[string]any)
	if !ok {
		c.ignore(name, "it holds no fields")
		return nil
	}
	attempts, ok := wholeNumber(fields["attempts"])
	if !ok {
		c.ignore(name, "its attempts are not a whole number")
		return nil
	}
	policy := &discoveryv1.DefaultRetryPolicy{Attempts: &attempts}
	retryOn, _ := valueOf(fields, "retryOn", "retry_on")
	if policy.RetryOn, ok = retryOn.(string); (!ok && retryOn != nil) || len(policy.RetryOn) > maxRetryOn {
		c.ignore(name, fmt.Sprintf("its retryOn is not a string of at most %d characters", maxRetryOn))
		return nil
	}
	if timeout, _ := valueOf(fields, "perTryTimeout", "per_try_timeout"); timeout != nil {
		written, _ := timeout.(string)
		duration, err := time.ParseDuration(written)
		if err != nil || duration < 0 {
			c.ignore(name, "its perTryTimeout is not a duration")
			return nil
		}
		if duration >= time.Millisecond { // 0 means none
			policy.PerTryTimeout = core.NewDuration(duration)
		}
	}
	return policy
}

// maxRetryOn is the API's limit for the conditions of a retry policy.
const maxRetryOn = 4096

// dnsCapture returns whether proxies capture DNS requests unless they say
// otherwise. Unlike other fields, Istio merges defaultConfig in this spelling only.
func (c *configFields) dnsCapture() *bool {
	value, name := c.value("defaultConfig")
	captures, stated, reason := dnsCaptureOf(value)
	if reason != "" {
		c.ignore(name, reason)
		return nil
	}
	captures = captures && stated
	return &captures
}

// dnsCaptureOf reads what a ProxyConfig says about the capture of DNS requests.
func dnsCaptureOf(proxyConfig any) (captures, stated bool, reason string) {
	if proxyConfig == nil {
		return false, false, ""
	}
	fields, ok := proxyConfig.(map[string]any)
	if !ok {
		return false, false, "it holds no fields"
	}
	value, name := valueOf(fields, "proxyMetadata", "proxy_metadata")
	metadata, ok := value.(map[string]any)
	if !ok && value != nil {
		return false, false, name + " holds no fields"
	}
	capture := metadata[dnsCaptureVariable]
	written, ok := capture.(string)
	switch {
	case capture == nil:
		return false, false, ""
	case !ok:
		return false, false, dnsCaptureVariable + " is not a string"
	default:
		return isTrue(written), true, ""
	}
}

// networks returns the names of the networks of meshNetworks, sorted.
func (c *configFields) networks(written string) []string {
	fields, err := parseFields(written)
	if err != nil {
		c.ignore(meshNetworksKey, err.Error())
		return nil
	}
	networks, ok := fields["networks"].(map[string]any)
	switch {
	case !ok && fields["networks"] != nil:
		c.ignore(meshNetworksKey, "networks holds no fields")
		return nil
	case len(networks) > maxListed:
		c.ignore(meshNetworksKey, fmt.Sprintf("it has more than %d networks", maxListed))
		return nil
	}
	names := []string{}
	for name := range networks {
		if len(name) > maxItemLength {
			c.ignore(meshNetworksKey, fmt.Sprintf("one of its names has more than %d characters", maxItemLength))
			return nil
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// remoteClusters returns the clusters that the remote secrets in a namespace are
// for, by name; nil if that is not known. The names are those that istioctl writes:
// the keys, which count for istiod, belong to the content.
func (d *discoverer) remoteClusters(namespace string) []string {
	if d.remoteSecrets == nil {
		return nil
	}
	names := []string{}
	for i := range d.remoteSecrets {
		secret := &d.remoteSecrets[i]
		if secret.Namespace != namespace {
			continue
		}
		name := cmp.Or(secret.Annotations[remoteClusterKey], strings.TrimPrefix(secret.Name, "istio-remote-secret-"))
		if len(name) <= maxItemLength {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > maxListed {
		return nil
	}
	return names
}

// flag returns a boolean variable of istiod, false if it is not set or not a
// boolean, as Istio reads it; nil if it is not known.
func flag(c *corev1.Container, name string) *bool {
	value, known := variable(c, name)
	if !known {
		return nil
	}
	set := isTrue(value)
	return &set
}

// isTrue reads a boolean the way Istio does.
func isTrue(written string) bool {
	value, err := strconv.ParseBool(written)
	return err == nil && value
}

// variable returns the value of an environment variable of a container. It is not
// known if it comes from another object, or refers to other variables.
func variable(c *corev1.Container, name string) (value string, known bool) {
	if c == nil {
		return "", false
	}
	v, set := lookup(c, name)
	if !set {
		return "", len(c.EnvFrom) == 0
	}
	return v.Value, v.ValueFrom == nil && !strings.Contains(v.Value, "$(")
}

// lookup finds an environment variable of a container. Of several, the last one
// counts.
func lookup(c *corev1.Container, name string) (variable corev1.EnvVar, set bool) {
	for _, v := range slices.Backward(c.Env) {
		if v.Name == name {
			return v, true
		}
	}
	return corev1.EnvVar{}, false
}

package world

import (
	"slices"
	"strconv"
	"strings"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// The methods about facts return what a standard installation of Istio has, and
// false for known, if discovery does not know (D46). Callers say so in
// their answers: an assumption never counts as good in silence.

// orStandard returns a fact, or the standard if it is not known.
func orStandard[T any](fact *T, standard T) (value T, known bool) {
	if fact == nil {
		return standard, false
	}
	return *fact, true
}

// facts are never nil; those that are absent are not known.
func (m *Mesh) facts() *discoveryv1.MeshFacts {
	if m.Facts == nil {
		return &discoveryv1.MeshFacts{}
	}
	return m.Facts
}

// AcceptsTrustDomain reports whether proxies of the mesh accept clients of a trust
// domain (D47). Without facts, they accept those of their own only.
func (m *Mesh) AcceptsTrustDomain(domain string) (accepts, known bool) {
	f := m.facts()
	skips, knowsSkip := m.SkipsTrustDomainValidation()
	if m.Type != MeshIstio {
		return domain == m.TrustDomain, false
	}
	if domain == m.TrustDomain || slices.Contains(f.TrustDomainAliases, domain) || slices.Contains(f.CACertificateTrustDomains, domain) || skips {
		return true, true
	}
	return false, knowsSkip && f.TrustDomainAliases != nil && f.CACertificateTrustDomains != nil
}

// SkipsTrustDomainValidation reports whether proxies accept clients of every trust
// domain; by default they do not.
func (m *Mesh) SkipsTrustDomainValidation() (skips, known bool) {
	return orStandard(m.facts().SkipValidateTrustDomain, false)
}

// TrustDomainAliases returns the trust domains that stand for the mesh's own in
// principals (D48); by default there are none.
func (m *Mesh) TrustDomainAliases() (aliases []string, known bool) {
	aliases = m.facts().TrustDomainAliases
	return aliases, aliases != nil
}

// ReloadsRootCertificate reports whether the control plane accepts a changed root
// certificate without a restart; by default it does not.
func (m *Mesh) ReloadsRootCertificate() (reloads, known bool) {
	return orStandard(m.facts().MultiRootMesh, false)
}

// ScopesGatewaysToNamespace reports whether Gateways select pods of their own
// namespace only; by default they select those of all.
func (m *Mesh) ScopesGatewaysToNamespace() (scopes, known bool) {
	return orStandard(m.facts().ScopeGatewayToNamespace, false)
}

// UsesAutoMTLS reports whether proxies use mutual TLS with pods that support it
// where no DestinationRule says otherwise; by default they do.
func (m *Mesh) UsesAutoMTLS() (uses, known bool) { return orStandard(m.facts().EnableAutoMTLS, true) }

// OutboundTrafficPolicy returns where calls to unknown hosts go; by default there.
func (m *Mesh) OutboundTrafficPolicy() (policy discoveryv1.OutboundTrafficPolicy, known bool) {
	if policy = m.facts().OutboundTrafficPolicy; policy == "" {
		return discoveryv1.OutboundAllowAny, false
	}
	return policy, true
}

// RemoteClusters returns the clusters that the control plane reads, too: names of
// the mesh may span them. By default there are none.
func (m *Mesh) RemoteClusters() (clusters []string, known bool) {
	clusters = m.facts().RemoteClusters
	return clusters, clusters != nil
}

// DefaultRetryPolicy returns the retries of routes without any; nil means Istio's
// own default.
func (m *Mesh) DefaultRetryPolicy() (policy *discoveryv1.DefaultRetryPolicy, known bool) {
	policy = m.facts().DefaultHTTPRetryPolicy
	if policy == nil || policy.Attempts == nil {
		return nil, policy != nil
	}
	return policy, true
}

// CapturesDNS reports whether the proxies capture the DNS requests of their pods,
// unless a workload says otherwise; by default they do not.
func (m *Mesh) CapturesDNS() (captures, known bool) {
	capture := m.facts().DNSCapture
	if capture == nil && m.Type == MeshIstio && m.Resource.Spec.Istio.SmartDNSProxyingEnabled {
		return true, true // the older field, whose false may mean that it is not known
	}
	return orStandard(capture, false)
}

// defaultExports returns an exportTo of the mesh: by default, every namespace.
func defaultExports(namespaces []string) (exportTo []string, known bool) {
	if namespaces == nil {
		return []string{"*"}, false
	}
	return namespaces, true
}

// VirtualServiceExports returns where VirtualServices without exportTo are visible.
func (m *Mesh) VirtualServiceExports() (exportTo []string, known bool) {
	return defaultExports(m.facts().DefaultVirtualServiceExportTo)
}

// DestinationRuleExports returns where DestinationRules without exportTo are
// visible.
func (m *Mesh) DestinationRuleExports() (exportTo []string, known bool) {
	return defaultExports(m.facts().DefaultDestinationRuleExportTo)
}

func (w *Workload) facts() *discoveryv1.WorkloadFacts {
	if w.Facts == nil {
		return &discoveryv1.WorkloadFacts{}
	}
	return w.Facts
}

// HasProxy returns how many of the pods have a proxy; by default all of them.
func (w *Workload) HasProxy() (presence discoveryv1.Presence, known bool) {
	if presence = w.facts().Proxy; presence == "" {
		return discoveryv1.PresenceAll, false
	}
	return presence, true
}

// IsGateway reports whether the proxies are gateways; by default they are sidecars.
func (w *Workload) IsGateway() (gateway, known bool) {
	kind := w.facts().ProxyType
	return kind == discoveryv1.ProxyGateway, kind != ""
}

// CapturesDNS reports whether the proxies capture the DNS requests of the pods; by
// default as those of the mesh.
func (w *Workload) CapturesDNS() (captures, known bool) {
	if own := w.facts().DNSCapture; own != nil {
		return *own, true
	}
	if w.Mesh == nil {
		return false, false
	}
	captures, known = w.Mesh.CapturesDNS()
	return captures, known && w.Facts != nil
}

// ResolvesFederatedNames reports whether the pods can look up federated hostnames,
// which no DNS server has: their proxies answer for them if they capture DNS
// requests (D62). Gateways choose hosts by routes and need no names.
func (w *Workload) ResolvesFederatedNames() (resolves, known bool) {
	if gateway, _ := w.IsGateway(); gateway {
		return true, true
	}
	if ambient, _ := w.InAmbient(); ambient && w.Mesh != nil && capturesInAmbient(w.Mesh.Version) {
		return true, true
	}
	if presence, _ := w.HasProxy(); presence == discoveryv1.PresenceNone {
		return false, true
	}
	return w.CapturesDNS()
}

// capturesInAmbient reports whether ambient mode captures DNS requests by default,
// as since Istio 1.25.
func capturesInAmbient(version string) bool {
	const since = 25
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	number, err := strconv.Atoi(minor)
	return err == nil && (major != "1" || number >= since)
}

// InAmbient reports whether any of the pods is in ambient mode; by default none is.
func (w *Workload) InAmbient() (ambient, known bool) { return orStandard(w.facts().Ambient, false) }

func (d *Destination) facts() *discoveryv1.DestinationFacts {
	if d.Facts == nil {
		return &discoveryv1.DestinationFacts{}
	}
	return d.Facts
}

// HasProxy returns how many of the pods behind the Service have a proxy; by default
// all of them.
func (d *Destination) HasProxy() (presence discoveryv1.Presence, known bool) {
	if presence = d.facts().Proxy; presence == "" {
		return discoveryv1.PresenceAll, false
	}
	return presence, true
}

// IsHeadless reports whether the name of the Service leads to pods; by default it
// leads to an address of the Service.
func (d *Destination) IsHeadless() (headless, known bool) {
	return orStandard(d.facts().Headless, false)
}

// IsExternalName reports whether the name of the Service only stands for another
// name, so that nothing is behind it in its cluster (D62).
func (d *Destination) IsExternalName() bool {
	return d.IsService() && d.Resource.Spec.KubeService.ServiceType == discoveryv1.ServiceTypeExternalName
}

// HasEndpoints reports whether anything is behind the Service; by default there is.
// It is known to have none if discovery found no pod for its selector.
func (d *Destination) HasEndpoints() (has, known bool) {
	for _, group := range d.Resource.Spec.KubeService.EndpointSubsets {
		if len(group.Endpoints) > 0 {
			return true, true
		}
	}
	f := d.facts()
	if f.Headless != nil && f.Proxy == "" && len(d.Selector) > 0 {
		return false, true
	}
	return true, false
}

// PodPort returns the port on which the pods of a workload listen for a port of the
// Service. It is known only if named targets differ between the workloads.
func (d *Destination) PodPort(port uint32, workload *Workload) (number uint32, known bool) {
	for _, p := range d.facts().Ports {
		if p.Port != port {
			continue
		}
		for _, pods := range p.PodPorts {
			if pods.Workload == workload.Resource.Name {
				return pods.Port, true
			}
		}
	}
	return 0, false
}

// IsVisibleIn reports whether the Service is visible in a namespace of its cluster:
// as it says itself, else as its mesh says, else in every one (D62).
func (d *Destination) IsVisibleIn(namespace string) (visible, known bool) {
	exportTo, known := d.visibility()
	visible = slices.ContainsFunc(exportTo, func(e string) bool {
		return e == "*" || e == namespace || e == "." && namespace == d.Ref.Namespace
	})
	return visible, known
}

// VisibleNamespaces returns the namespaces in which the Service is visible; all is
// true if it is visible in every one.
func (d *Destination) VisibleNamespaces() (namespaces []string, all bool) {
	exportTo, _ := d.visibility()
	for _, e := range exportTo {
		switch e {
		case "*":
			return nil, true
		case "~":
		case ".":
			namespaces = append(namespaces, d.Ref.Namespace)
		default:
			namespaces = append(namespaces, e)
		}
	}
	return namespaces, false
}

// visibility returns the exportTo that holds for the Service.
func (d *Destination) visibility() (exportTo []string, known bool) {
	exportTo, known = d.facts().ExportTo, d.facts().ExportTo != nil
	if len(exportTo) == 0 {
		exportTo = nil
		if d.Mesh != nil {
			exportTo = d.Mesh.facts().DefaultServiceExportTo
		}
		var knowsDefault bool
		exportTo, knowsDefault = defaultExports(exportTo)
		known = known && knowsDefault
	}
	return exportTo, known
}

// ServiceAccountsBehind returns the service accounts of the pods behind a Service,
// by name (D51); without facts, those of its workloads.
func (w *World) ServiceAccountsBehind(d *Destination) (names []string, known bool) {
	if names = d.facts().ServiceAccounts; names != nil {
		return names, true
	}
	for _, id := range d.Backing {
		if account := w.Workloads[id].ServiceAccount; account != "" {
			names = append(names, account)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), false
}

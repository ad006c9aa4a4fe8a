package describe

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/output/view"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// writeFacts writes the facts of an Istio mesh. Without any, it says so in one line.
func (m *MeshDescription) writeFacts(w *view.Text) {
	if m.SmartDNS == nil {
		return // not an Istio mesh
	}
	if m.Facts == nil {
		w.Line("Facts:  " + view.Unknown)
		return
	}
	f := m.Facts
	w.Section("Facts", false, func() {
		w.Fields([]view.Field{
			{Key: "Revision", Value: view.OrUnknown(f.Revision)},
			listFact("Trust Domain Aliases", f.TrustDomainAliases),
			listFact("CA Trust Domains", f.CACertificateTrustDomains),
			{Key: "Trust Domain Validation", Value: switchText(f.SkipValidateTrustDomain, "disabled", "enabled")},
			{Key: "Multi-Root Mesh", Value: switchText(f.MultiRootMesh, "enabled", "disabled")},
			{Key: "Gateways Select Pods", Value: switchText(f.ScopeGatewayToNamespace, "in their own namespace", "in all namespaces")},
			{Key: "Outbound Traffic Policy", Value: view.OrUnknown(string(f.OutboundTrafficPolicy))},
			{Key: "Auto mTLS", Value: switchText(f.EnableAutoMTLS, "enabled", "disabled")},
			selectorsFact(f.DiscoverySelectors),
			listFact("Networks", f.Networks),
			listFact("Remote Clusters", f.RemoteClusters),
			{Key: "Default Retries", Value: retriesText(f.DefaultHTTPRetryPolicy)},
			exportFact("Service Exports", f.DefaultServiceExportTo),
			exportFact("VirtualService Exports", f.DefaultVirtualServiceExportTo),
			exportFact("DestinationRule Exports", f.DefaultDestinationRuleExportTo),
			{Key: "DNS Capture", Value: switchText(f.DNSCapture, "enabled", "disabled")},
		})
	})
}

// listFact shows a list, of which an absent one is not known and an empty one is
// empty.
func listFact(key string, list []string) view.Field {
	if list == nil {
		return view.Field{Key: key, Value: view.Unknown}
	}
	return view.Field{Key: key, Items: list}
}

// exportFact shows in how many namespaces objects are visible by default.
func exportFact(key string, exportTo []string) view.Field {
	texts := make([]string, 0, len(exportTo))
	for _, namespace := range exportTo {
		switch namespace {
		case "*":
			namespace = "all namespaces"
		case ".":
			namespace = "own namespace"
		case "~":
			namespace = "no namespace"
		}
		texts = append(texts, namespace)
	}
	return view.Field{Key: key, Value: view.OrUnknown(strings.Join(texts, ", "))}
}

func selectorsFact(selectors []metav1.LabelSelector) view.Field {
	if selectors == nil {
		return listFact("Discovery Selectors", nil)
	}
	texts := make([]string, 0, len(selectors))
	for i := range selectors {
		texts = append(texts, metav1.FormatLabelSelector(&selectors[i]))
	}
	return listFact("Discovery Selectors", texts)
}

// switchText shows a fact that is on or off.
func switchText(fact *bool, on, off string) string {
	switch {
	case fact == nil:
		return view.Unknown
	case *fact:
		return on
	default:
		return off
	}
}

func retriesText(policy *discoveryv1.DefaultRetryPolicy) string {
	switch {
	case policy == nil:
		return view.Unknown
	case policy.Attempts == nil:
		return "Istio's default"
	case *policy.Attempts <= 0:
		return "disabled"
	}
	shown := fmt.Sprintf("attempts: %d", *policy.Attempts)
	if policy.RetryOn != "" {
		shown += ", retryOn: " + policy.RetryOn
	}
	if policy.PerTryTimeout != nil {
		shown += ", perTryTimeout: " + policy.PerTryTimeout.String()
	}
	return shown
}

// proxyFacts shows what is known of the proxies of a workload; nothing without facts.
func proxyFacts(facts *discoveryv1.WorkloadFacts) []view.Field {
	if facts == nil {
		return nil
	}
	proxies := presenceText(facts.Proxy)
	if facts.ProxyType != "" {
		proxies += ", " + strings.ToLower(string(facts.ProxyType))
	}
	fields := []view.Field{{Key: "Proxy", Value: proxies}}
	if facts.DNSCapture != nil {
		fields = append(fields, view.Field{Key: "DNS Capture", Value: switchText(facts.DNSCapture, "enabled", "disabled")})
	}
	if facts.Ambient != nil && *facts.Ambient {
		fields = append(fields, view.Field{Key: "Ambient", Value: "some pods"})
	}
	return fields
}

func presenceText(presence discoveryv1.Presence) string {
	switch presence {
	case discoveryv1.PresenceAll:
		return "all pods"
	case discoveryv1.PresenceSome:
		return "some pods"
	case discoveryv1.PresenceNone:
		return "no pod"
	default:
		return view.Unknown
	}
}

// serviceFacts shows what is known of a Service and the pods behind it, and differs
// from what most Services are; nothing without facts.
func serviceFacts(facts *discoveryv1.DestinationFacts) []view.Field {
	if facts == nil {
		return nil
	}
	fields := []view.Field{
		{Key: "Proxy", Value: presenceText(facts.Proxy)},
		{Key: "Service Accounts", Items: facts.ServiceAccounts},
	}
	if facts.Headless != nil && *facts.Headless {
		fields = append(fields, view.Field{Key: "Headless", Value: "yes"})
	}
	if facts.ExternalName != "" {
		fields = append(fields, view.Field{Key: "External Name", Value: facts.ExternalName})
	}
	if len(facts.ExportTo) > 0 {
		fields = append(fields, exportFact("Visible In", facts.ExportTo))
	}
	return fields
}

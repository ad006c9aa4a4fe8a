package describe

import (
	"maps"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/selector"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// The words for selectors that select everything.
const (
	everyDestination = "every destination"
	everyWorkload    = "every workload"
)

// destinationSelectorTexts describes a destinationSelector list, one text per
// alternative.
func destinationSelectorTexts(selectors []core.DestinationSelector) []string {
	if len(selectors) == 0 {
		return []string{everyDestination}
	}
	var texts []string
	for _, s := range selectors {
		if m := s.KubeServiceMatcher; m != nil {
			texts = append(texts, matcherText(everyDestination, "destinations", m.Labels, m.Namespaces, m.Clusters))
		}
		if r := s.KubeServiceRefs; r != nil {
			for _, ref := range r.Services {
				texts = append(texts, ServiceRef{ref.Name, ref.Namespace, ref.ClusterName}.String())
			}
		}
		if s.ExternalServiceMatcher != nil || s.ExternalServiceRefs != nil {
			texts = append(texts, "external services (not supported)")
		}
		if s.VirtualDestinationMatcher != nil || s.VirtualDestinationRefs != nil {
			texts = append(texts, "virtual destinations (not supported)")
		}
		if s == (core.DestinationSelector{}) {
			texts = append(texts, "nothing (an element without matcher and references)")
		}
	}
	return texts
}

// workloadSelectorTexts describes the sourceSelector list of a TrafficPolicy, one
// text per alternative.
func workloadSelectorTexts(selectors []core.WorkloadSelector) []string {
	if len(selectors) == 0 {
		return []string{everyWorkload}
	}
	var texts []string
	for _, s := range selectors {
		if m := s.KubeWorkloadMatcher; m != nil {
			texts = append(texts, matcherText(everyWorkload, "workloads", m.Labels, m.Namespaces, m.Clusters))
		} else {
			texts = append(texts, everyWorkload)
		}
	}
	return texts
}

// IdentitySelectorTexts describes the sourceSelector list of an AccessPolicy, one
// text per alternative.
func IdentitySelectorTexts(selectors []core.IdentitySelector) []string {
	if len(selectors) == 0 {
		return []string{"workloads of the destination's own mesh"}
	}
	var texts []string
	for _, s := range selectors {
		within, request := identityLimits(s), identityRequest(s)
		if s.KubeServiceAccountRefs == nil || len(s.KubeServiceAccountRefs.ServiceAccounts) == 0 {
			who := "anyone"
			if within != "" {
				who = "workloads" + within
			}
			texts = append(texts, who+request)
			continue
		}
		for _, ref := range s.KubeServiceAccountRefs.ServiceAccounts {
			texts = append(texts, accountText(ref)+within+request)
		}
	}
	return texts
}

func identityLimits(s core.IdentitySelector) string {
	m := s.KubeIdentityMatcher
	if m == nil {
		return ""
	}
	return placeText(m.Namespaces, m.Clusters)
}

func identityRequest(s core.IdentitySelector) string {
	text := ""
	for _, part := range RequestCondition(selector.RequestConditionOf(s)).text() {
		text += " with " + part
	}
	return text
}

func accountText(ref core.ClusterObjectRef) string {
	if ref.Name != "" && ref.Namespace != "" && ref.ClusterName != "" {
		return "service account " + ServiceRef{ref.Name, ref.Namespace, ref.ClusterName}.String()
	}
	text := "any service account"
	if ref.Name != "" {
		text = "service account " + ref.Name
	}
	var namespaces, clusters []string
	if ref.Namespace != "" {
		namespaces = []string{ref.Namespace}
	}
	if ref.ClusterName != "" {
		clusters = []string{ref.ClusterName}
	}
	return text + placeText(namespaces, clusters)
}

// matcherText describes a matcher; all is the text for one that matches
// everything.
func matcherText(all, noun string, labels map[string]string, namespaces, clusters []string) string {
	if len(labels)+len(namespaces)+len(clusters) == 0 {
		return all
	}
	text := noun
	pairs := make([]string, 0, len(labels))
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, k+"="+labels[k])
	}
	if len(pairs) > 0 {
		text += " labelled " + strings.Join(pairs, ",")
	}
	return text + placeText(namespaces, clusters)
}

func placeText(namespaces, clusters []string) string {
	return oneOf(" in namespace ", namespaces) + oneOf(" of cluster ", clusters)
}

func oneOf(before string, values []string) string {
	if len(values) == 0 {
		return ""
	}
	return before + strings.Join(slices.Sorted(slices.Values(values)), " or ")
}

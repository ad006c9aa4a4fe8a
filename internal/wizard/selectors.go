package wizard

import (
	"cmp"
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// selected is how destinations are chosen.
type selected string

const (
	everyService  selected = "every"
	namedServices selected = "named"
	someServices  selected = "some"
	someExternals selected = "external"
)

// destinations asks which Services something is about. An empty list that is
// not nil means all of them.
func (f *flow) destinations(text, help string, current []core.DestinationSelector) ([]core.DestinationSelector, error) {
	if len(current) == 0 {
		return f.oneDestination(text, help, true)
	}
	return editList(f, "destinations", current, everyDestination(), destinationText, func() ([]core.DestinationSelector, error) {
		return f.oneDestination(text, help, false)
	})
}

// oneDestination asks for selectors of one sort; with every, none means every
// Service.
func (f *flow) oneDestination(text, help string, every bool) ([]core.DestinationSelector, error) {
	var ways []choice[selected]
	if every || len(f.known.Services) == 0 {
		ways = append(ways, choice[selected]{everyService, everyDestination().Label, everyDestination().Detail})
	}
	if len(f.known.Services) > 0 {
		ways = append(ways, choice[selected]{namedServices, "Services by name", "choose from a list"})
	}
	if len(f.kubeServices()) > 0 {
		ways = append(ways, choice[selected]{someServices, "Services by namespace, cluster or label", "including future ones"})
	}
	if len(f.externalServices()) > 0 {
		ways = append(ways, choice[selected]{someExternals, "External services by namespace or label", "including future ones"})
	}
	way, err := pick(f, Question{Text: text, Help: help}, ways, namedServices)
	if err != nil {
		return nil, err
	}
	switch way {
	case namedServices:
		return f.destinationsByName(f.known.Services)
	case someServices:
		m := &core.KubeServiceMatcher{}
		err := f.narrow("the services", f.known.ServiceLabels, &m.Namespaces, &m.Clusters, &m.Labels)
		return []core.DestinationSelector{{KubeServiceMatcher: m}}, err
	case someExternals:
		m, err := f.externalMatcher()
		return []core.DestinationSelector{{ExternalServiceMatcher: m}}, err
	default:
		if !every { // one of several selectors must say it
			return []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{}}}, nil
		}
		return []core.DestinationSelector{}, nil
	}
}

// everyDestination is what no selector means.
func everyDestination() Option {
	return Option{Label: "Every service", Detail: "of all meshes, including future ones"}
}

// destinationsByName asks for Services of a list. Kubernetes Services share one
// selector, external services another.
func (f *flow) destinationsByName(offered []ServiceChoice) ([]core.DestinationSelector, error) {
	chosen, err := f.services(Question{
		Text: "Which services?", AtLeastOne: true,
		Help: "Type to filter by name, namespace or cluster.",
	}, offered, nil)
	if err != nil {
		return nil, err
	}
	var kube []core.ClusterObjectRef
	var external []core.ObjectRef
	for _, ref := range chosen {
		if f.find(ref).External {
			external = append(external, core.ObjectRef{Name: ref.Name, Namespace: ref.Namespace})
		} else {
			kube = append(kube, ref)
		}
	}
	var selectors []core.DestinationSelector
	if len(kube) > 0 {
		selectors = append(selectors, core.DestinationSelector{KubeServiceRefs: &core.KubeServiceRefs{Services: kube}})
	}
	if len(external) > 0 {
		selectors = append(selectors, core.DestinationSelector{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: external}})
	}
	return selectors, nil
}

// externalMatcher asks for external services by what those that exist have.
func (f *flow) externalMatcher() (*core.ObjectMatcher, error) {
	view := *f
	view.known.Namespaces = nil
	counts := map[LabelChoice]int{}
	for _, s := range f.externalServices() {
		if !slices.Contains(view.known.Namespaces, s.Ref.Namespace) {
			view.known.Namespaces = append(view.known.Namespaces, s.Ref.Namespace)
		}
		for key, value := range s.Labels {
			counts[LabelChoice{Key: key, Value: value}]++
		}
	}
	slices.Sort(view.known.Namespaces)
	var labels []LabelChoice
	for label, n := range counts {
		label.Workloads = n
		labels = append(labels, label)
	}
	slices.SortFunc(labels, func(a, b LabelChoice) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Value, b.Value))
	})
	m := &core.ObjectMatcher{}
	return m, view.narrow("the external services", labels, &m.Namespaces, nil, &m.Labels)
}

// workloads asks for the workloads that something is about, by what they have
// in common.
func (f *flow) workloads() ([]core.KubeWorkloadMatcher, error) {
	m := core.KubeWorkloadMatcher{}
	err := f.narrow("the workloads", f.known.WorkloadLabels, &m.Namespaces, &m.Clusters, &m.Labels)
	return []core.KubeWorkloadMatcher{m}, err
}

func workloadText(m core.KubeWorkloadMatcher) string {
	return cmp.Or(matcherText(m.Namespaces, m.Clusters, m.Labels), "every workload")
}

func matcherText(namespaces, clusters []string, labels map[string]string) string {
	var parts []string
	if len(namespaces) > 0 {
		parts = append(parts, "namespace "+strings.Join(namespaces, "|"))
	}
	if len(clusters) > 0 {
		parts = append(parts, "cluster "+strings.Join(clusters, "|"))
	}
	if len(labels) > 0 {
		parts = append(parts, labelsText(labels))
	}
	return strings.Join(parts, ", ")
}

func destinationText(d core.DestinationSelector) string {
	var parts []string
	if m := d.KubeServiceMatcher; m != nil {
		parts = append(parts, cmp.Or(matcherText(m.Namespaces, m.Clusters, m.Labels), "every service"))
	}
	if r := d.KubeServiceRefs; r != nil {
		parts = append(parts, listText(r.Services, refText))
	}
	if m := d.ExternalServiceMatcher; m != nil {
		parts = append(parts, "external "+cmp.Or(matcherText(m.Namespaces, nil, m.Labels), "services"))
	}
	if r := d.ExternalServiceRefs; r != nil {
		parts = append(parts, "external "+listText(r.ExternalServices, objectText))
	}
	if d.VirtualDestinationMatcher != nil || d.VirtualDestinationRefs != nil {
		parts = append(parts, "virtual destinations")
	}
	return cmp.Or(strings.Join(parts, " or "), "nothing")
}

func destinationsText(list []core.DestinationSelector) string {
	if len(list) == 0 {
		return "every service"
	}
	return listText(list, destinationText)
}

// shownElements is how many elements of a list fit into a menu.
const shownElements = 3

// listText names the first elements of a list, and how many there are if that
// is not all.
func listText[T any](list []T, name func(T) string) string {
	var parts []string
	for i, element := range list {
		if i == shownElements {
			parts = append(parts, text.More(len(list)-i))
			break
		}
		parts = append(parts, name(element))
	}
	return strings.Join(parts, "; ")
}

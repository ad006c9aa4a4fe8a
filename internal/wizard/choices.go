package wizard

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// selectorTerm is one way to narrow a selector down.
type selectorTerm string

const (
	byNamespace selectorTerm = "Namespace"
	byCluster   selectorTerm = "Cluster"
	byLabel     selectorTerm = "Label"
)

// narrows says whether anything is known to narrow a selector of workloads down.
func (f *flow) narrows() bool {
	return len(f.known.Namespaces)+len(f.known.Clusters)+len(f.known.WorkloadLabels) > 0
}

// narrow asks for some of the namespaces, clusters and labels of a selector. A
// nil argument is not offered, and nor is what the world has none of.
func (f *flow) narrow(what string, known []LabelChoice, namespaces, clusters *[]string, labels *map[string]string) error {
	var ways []choice[selectorTerm]
	if namespaces != nil && len(f.known.Namespaces) > 0 {
		ways = append(ways, choice[selectorTerm]{byNamespace, string(byNamespace), "all in selected namespaces"})
	}
	if clusters != nil && len(f.known.Clusters) > 0 {
		ways = append(ways, choice[selectorTerm]{byCluster, string(byCluster), "all on selected clusters"})
	}
	if labels != nil && len(known) > 0 {
		ways = append(ways, choice[selectorTerm]{byLabel, string(byLabel), "all with selected labels"})
	}
	if len(ways) == 0 {
		return fmt.Errorf("no namespaces, clusters or labels of %s found: read manifests with -f, or set the selector with flags", what)
	}
	chosen, err := pickMany(f, Question{
		Text: fmt.Sprintf("Match %s by:", what), AtLeastOne: true,
		Help: "If you select several, all of them must match.",
	}, ways, nil)
	if err != nil {
		return err
	}
	for _, way := range chosen {
		switch way {
		case byNamespace:
			*namespaces, err = f.strings("Which namespaces?", "Matches anything in these namespaces.", f.known.Namespaces, *namespaces)
		case byCluster:
			*clusters, err = f.strings("Which clusters?", "Matches anything on these clusters.", f.known.Clusters, *clusters)
		case byLabel:
			*labels, err = f.labels("Which labels?", known)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// strings asks for some of the known values, at least one.
func (f *flow) strings(text, help string, known, current []string) ([]string, error) {
	choices := make([]choice[string], len(known))
	for i, value := range known {
		choices[i] = choice[string]{value: value, label: value}
	}
	return pickMany(f, Question{Text: text, Help: help, AtLeastOne: true}, choices, current)
}

// labels asks for labels until no key has two values.
func (f *flow) labels(text string, known []LabelChoice) (map[string]string, error) {
	choices := make([]choice[LabelChoice], len(known))
	for i, l := range known {
		choices[i] = choice[LabelChoice]{l, l.Key + "=" + l.Value, fmt.Sprintf("on %d", l.Workloads)}
	}
	q := Question{Text: text, Help: "All selected labels must match, so select one value per key.", AtLeastOne: true}
	for {
		chosen, err := pickMany(f, q, choices, nil)
		if err != nil {
			return nil, err
		}
		labels := map[string]string{}
		for _, l := range chosen {
			labels[l.Key] = l.Value
		}
		if len(labels) == len(chosen) {
			return labels, nil
		}
		q.Text = "Select one value per label. " + text
	}
}

// services asks for Services by name.
func (f *flow) services(q Question, offered []ServiceChoice, current []core.ClusterObjectRef) ([]core.ClusterObjectRef, error) {
	choices := make([]choice[core.ClusterObjectRef], len(offered))
	for i, s := range offered {
		choices[i] = choice[core.ClusterObjectRef]{s.Ref, refText(s.Ref), serviceDetail(s)}
	}
	return pickMany(f, q, choices, current)
}

// service asks for one Service by name.
func (f *flow) service(q Question, current core.ClusterObjectRef) (ServiceChoice, error) {
	var choices []choice[core.ClusterObjectRef]
	for _, s := range f.kubeServices() {
		choices = append(choices, choice[core.ClusterObjectRef]{s.Ref, refText(s.Ref), serviceDetail(s)})
	}
	chosen, err := pick(f, q, withCurrent(choices, current, refText), current)
	return f.find(chosen), err
}

// kubeServices are the Services that requests can be sent to by name.
func (f *flow) kubeServices() []ServiceChoice {
	return slices.DeleteFunc(slices.Clone(f.known.Services), func(s ServiceChoice) bool { return s.External })
}

func (f *flow) externalServices() []ServiceChoice {
	return slices.DeleteFunc(slices.Clone(f.known.Services), func(s ServiceChoice) bool { return !s.External })
}

// find returns what is known about a Service, no ports and subsets if nothing.
func (f *flow) find(ref core.ClusterObjectRef) ServiceChoice {
	for _, s := range f.known.Services {
		if s.Ref == ref {
			return s
		}
	}
	return ServiceChoice{Ref: ref}
}

func refText(ref core.ClusterObjectRef) string {
	var parts []string
	for _, part := range []string{ref.Name, ref.Namespace, ref.ClusterName} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ".")
}

func objectText(ref core.ObjectRef) string { return ref.Name + "." + ref.Namespace }

// serviceDetail tells a Service from others of its name.
func serviceDetail(s ServiceChoice) string {
	var parts []string
	if s.External {
		parts = append(parts, "external")
	}
	if s.Gateway {
		parts = append(parts, "gateway")
	}
	var ports []string
	for _, p := range s.Ports {
		ports = append(ports, portText(p))
	}
	if len(ports) > 0 {
		parts = append(parts, "port "+strings.Join(ports, " "))
	}
	for _, key := range slices.Sorted(maps.Keys(s.Subsets)) {
		parts = append(parts, key+" "+strings.Join(s.Subsets[key], "|"))
	}
	return strings.Join(parts, ", ")
}

func portText(p PortChoice) string {
	if p.Name == "" {
		return strconv.FormatUint(uint64(p.Number), 10)
	}
	return fmt.Sprintf("%d/%s", p.Number, p.Name)
}

// portOf asks for a port of a Service that has several.
func (f *flow) portOf(s ServiceChoice, current uint32) (uint32, error) {
	switch len(s.Ports) {
	case 0:
		return current, nil
	case 1:
		if current == s.Ports[0].Number {
			return current, nil
		}
		return 0, nil // the only one is meant (D22)
	}
	choices := make([]choice[uint32], len(s.Ports))
	for i, p := range s.Ports {
		choices[i] = choice[uint32]{p.Number, portText(p), ""}
	}
	return pick(f, Question{
		Text: fmt.Sprintf("Which port of %s?", refText(s.Ref)),
		Help: "The Service has several ports; choose one.",
	}, withCurrent(choices, current, func(port uint32) string { return fmt.Sprint(port) }), current)
}

// ports asks for some of the ports of the Services that are named, of all
// Services if none is. Unless one is required, none means every port.
func (f *flow) ports(destinations []core.DestinationSelector, current []uint32, required bool) ([]uint32, error) {
	names := map[uint32][]string{}
	for _, s := range f.mentioned(destinations) {
		for _, p := range s.Ports {
			if p.Name != "" && !slices.Contains(names[p.Number], p.Name) {
				names[p.Number] = append(names[p.Number], p.Name)
			} else if names[p.Number] == nil {
				names[p.Number] = []string{}
			}
		}
	}
	var choices []choice[uint32]
	for _, number := range slices.Sorted(maps.Keys(names)) {
		slices.Sort(names[number])
		choices = append(choices, choice[uint32]{number, fmt.Sprint(number), strings.Join(names[number], ", ")})
	}
	q := Question{Text: "Which ports of the destinations?", Help: "Select the ports. Without a selection, all ports match.", AtLeastOne: required}
	if required {
		q.Help = "Select the ports."
	}
	if len(choices) > 0 {
		return pickSome(f, "ports", q, choices, current, Option{Label: "Every port"})
	}
	q = Question{Text: "Ports of the destinations:", Help: "Numbers separated by commas."}
	check, preset := checkEach(checkPort), ""
	if !required {
		q.Help = "Numbers separated by commas, or '" + noValue + "' for all ports."
		check, preset = orNone(check), noValue
	}
	if len(current) > 0 {
		preset = joinNumbers(current)
	}
	text, err := f.Input(q, preset, check)
	if err != nil || text == noValue {
		return []uint32{}, err
	}
	var ports []uint32
	for _, part := range splitList(text) {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return nil, err
		}
		ports = append(ports, uint32(n))
	}
	return ports, nil
}

// mentioned are the Services that selectors name, all if they name none.
func (f *flow) mentioned(destinations []core.DestinationSelector) []ServiceChoice {
	var services []ServiceChoice
	for _, d := range destinations {
		if d.KubeServiceRefs == nil {
			return f.known.Services
		}
		for _, ref := range d.KubeServiceRefs.Services {
			services = append(services, f.find(ref))
		}
	}
	if len(services) == 0 {
		return f.known.Services
	}
	return services
}

func joinNumbers(numbers []uint32) string {
	var parts []string
	for _, n := range numbers {
		parts = append(parts, fmt.Sprint(n))
	}
	return strings.Join(parts, ", ")
}

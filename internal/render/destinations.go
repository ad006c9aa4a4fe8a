package render

import (
	"reflect"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// destinationTerms collects the terms that select Destinations.
type destinationTerms struct {
	// everything: no selector at all.
	everything bool
	selector   core.DestinationSelector
	first      piece
}

// destinationKeys are the keys that select Destinations, for flags that collect
// them in a T.
func destinationKeys[T any](at func(*T) *destinationTerms) []termKey[T] {
	key := func(k termKey[T], set func(d *destinationTerms, t term, names Names) error) termKey[T] {
		k.set = func(into *T, t term, names Names) error {
			d := at(into)
			if d.first.source == "" {
				d.first = t.key
			}
			return set(d, t, names)
		}
		return k
	}
	return []termKey[T]{
		key(termKey[T]{key: "all"}, func(d *destinationTerms, _ term, _ Names) error {
			d.matcher()
			return nil
		}),
		key(termKey[T]{key: "service", value: "REF", repeatable: true}, setService),
		key(termKey[T]{key: "namespace", value: "NAME", repeatable: true}, func(d *destinationTerms, t term, _ Names) error {
			return appendChecked(&d.matcher().Namespaces, t.value, "namespace", checkLabel)
		}),
		key(termKey[T]{key: "cluster", value: "NAME", repeatable: true}, func(d *destinationTerms, t term, _ Names) error {
			return appendChecked(&d.matcher().Clusters, t.value, "cluster", checkSubdomain)
		}),
		key(termKey[T]{key: "label", argument: "KEY", value: "VALUE"}, func(d *destinationTerms, t term, _ Names) error {
			return addLabel(&d.matcher().Labels, t.argument, t.value)
		}),
		key(termKey[T]{
			key: "external", argument: "TERM", value: "VALUE", optional: true, repeatable: true,
			forms: []string{"external:all", "external:service=REF", "external:namespace=NAME", "external:label:KEY=VALUE"},
		}, setExternal),
	}
}

func (d *destinationTerms) matcher() *core.KubeServiceMatcher {
	if d.selector.KubeServiceMatcher == nil {
		d.selector.KubeServiceMatcher = &core.KubeServiceMatcher{}
	}
	return d.selector.KubeServiceMatcher
}

func (d *destinationTerms) externalMatcher() *core.ObjectMatcher {
	if d.selector.ExternalServiceMatcher == nil {
		d.selector.ExternalServiceMatcher = &core.ObjectMatcher{}
	}
	return d.selector.ExternalServiceMatcher
}

func setService(d *destinationTerms, t term, names Names) error {
	ref, err := readService(t.value, names)
	if err != nil {
		return err
	}
	if d.selector.KubeServiceRefs == nil {
		d.selector.KubeServiceRefs = &core.KubeServiceRefs{}
	}
	d.selector.KubeServiceRefs.Services = append(d.selector.KubeServiceRefs.Services, ref)
	return nil
}

// setExternal reads the terms about external services, which have the others'
// keys behind `external:`.
func setExternal(d *destinationTerms, t term, names Names) error {
	key, argument, _ := t.argument.cut(":")
	switch {
	case t.argument.text == "all" && t.operator == 0:
		d.externalMatcher()
		return nil
	case t.operator == 0:
		return t.value.errorf("external:%s needs a value", key.text)
	case key.text == "service" && argument.text == "":
		ref, err := readObject("external service")(t.value, names)
		if err != nil {
			return err
		}
		if d.selector.ExternalServiceRefs == nil {
			d.selector.ExternalServiceRefs = &core.ExternalServiceRefs{}
		}
		d.selector.ExternalServiceRefs.ExternalServices = append(d.selector.ExternalServiceRefs.ExternalServices, ref)
		return nil
	case key.text == "namespace" && argument.text == "":
		return appendChecked(&d.externalMatcher().Namespaces, t.value, "namespace", checkLabel)
	case key.text == "label":
		return addLabel(&d.externalMatcher().Labels, argument, t.value)
	default:
		return t.argument.errorf("%q is not known of external services; known are service, namespace, label:KEY and all", t.argument.text)
	}
}

// finish returns the selectors: none for everything, else one.
func (d *destinationTerms) finish() ([]core.DestinationSelector, error) {
	ways := selectorWays(d.selector)
	if len(ways) == 0 {
		return nil, nil
	}
	if d.everything {
		return nil, d.first.errorf("everything excludes terms that select Services")
	}
	if len(ways) > 1 {
		return nil, d.first.errorf("these terms are alternatives; give Services by name, Services by namespace, cluster and label, and external services in one flag each")
	}
	return []core.DestinationSelector{d.selector}, nil
}

// selectorWays splits a selector into one for each of its alternatives.
func selectorWays(s core.DestinationSelector) []core.DestinationSelector {
	var ways []core.DestinationSelector
	if s.KubeServiceRefs != nil {
		ways = append(ways, core.DestinationSelector{KubeServiceRefs: s.KubeServiceRefs})
	}
	if s.KubeServiceMatcher != nil {
		ways = append(ways, core.DestinationSelector{KubeServiceMatcher: s.KubeServiceMatcher})
	}
	if s.ExternalServiceRefs != nil {
		ways = append(ways, core.DestinationSelector{ExternalServiceRefs: s.ExternalServiceRefs})
	}
	if s.ExternalServiceMatcher != nil {
		ways = append(ways, core.DestinationSelector{ExternalServiceMatcher: s.ExternalServiceMatcher})
	}
	return ways
}

// writeDestinations writes the terms of a selector with one alternative.
func writeDestinations(w *termWriter, s core.DestinationSelector) {
	switch {
	case s.KubeServiceRefs != nil:
		for _, ref := range s.KubeServiceRefs.Services {
			w.pair("service", writeService(ref))
		}
	case s.KubeServiceMatcher != nil:
		m := s.KubeServiceMatcher
		writeMatcher(w, "", m.Namespaces, m.Clusters, m.Labels)
	case s.ExternalServiceRefs != nil:
		for _, ref := range s.ExternalServiceRefs.ExternalServices {
			w.add("external", "service", "=", writeObject(ref))
		}
	case s.ExternalServiceMatcher != nil:
		m := s.ExternalServiceMatcher
		writeMatcher(w, "external:", m.Namespaces, nil, m.Labels)
	}
}

func writeMatcher(w *termWriter, prefix string, namespaces, clusters []string, labels map[string]string) {
	if len(namespaces)+len(clusters)+len(labels) == 0 {
		w.bare(prefix + "all")
	}
	w.pairs(prefix+"namespace", namespaces)
	w.pairs(prefix+"cluster", clusters)
	w.arguments(prefix+"label", labels)
}

func selectorKeys() []termKey[destinationTerms] {
	return destinationKeys(func(d *destinationTerms) *destinationTerms { return d })
}

// readSelector reads the terms of one DestinationSelector.
func readSelector(p piece, names Names) (core.DestinationSelector, error) {
	d, err := parseTerms(p, names, selectorKeys())
	if err != nil {
		return core.DestinationSelector{}, err
	}
	selectors, err := d.finish()
	if err != nil || len(selectors) == 0 {
		return core.DestinationSelector{}, err
	}
	return selectors[0], nil
}

func writeSelector(s core.DestinationSelector) []string {
	var texts []string
	for _, way := range selectorWays(s) {
		var w termWriter
		writeDestinations(&w, way)
		texts = append(texts, w.String())
	}
	return texts
}

// destinationFields are --destination, whose Services share the first selector,
// and --destination-selector, which each add a selector.
func destinationFields[I any](group string, at func(*I) *[]core.DestinationSelector) []Field[I] {
	services := Field[I]{
		Name: "destination", Value: serviceForm, Group: group, Repeatable: true, Names: ServiceNames,
		Usage: "a Service that the policy applies to; all Services if no destination is given",
		set: func(in *I, text string, names Names) error {
			ref, err := readService(whole(text), names)
			if err != nil {
				return err
			}
			list := at(in)
			if !startsWithServices(*list) {
				*list = append([]core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{}}}, *list...)
			}
			refs := (*list)[0].KubeServiceRefs
			refs.Services = append(refs.Services, ref)
			return nil
		},
		get: func(in *I) []string {
			var texts []string
			if startsWithServices(*at(in)) {
				for _, ref := range (*at(in))[0].KubeServiceRefs.Services {
					texts = append(texts, writeService(ref))
				}
			}
			return texts
		},
	}
	selectors := Field[I]{
		Name: "destination-selector", Value: "TERMS", Group: group, Names: NamespaceNames, Keys: usages(selectorKeys()),
		Usage: "Services that the policy applies to: `all`, or namespace=NAME, cluster=NAME, label:KEY=VALUE",
	}
	selectors = spread(selectors, at, readSelector, writeSelector)
	selectors.get = func(in *I) []string {
		list := *at(in)
		if startsWithServices(list) {
			list = list[1:]
			if len(list) == 0 {
				return nil
			}
		} else if list == nil {
			return nil
		}
		texts := make([]string, 0, len(list))
		for _, s := range list {
			texts = append(texts, writeSelector(s)...)
		}
		return texts
	}
	return []Field[I]{services, selectors}
}

// startsWithServices reports whether the first selector is one that
// --destination makes.
func startsWithServices(list []core.DestinationSelector) bool {
	return len(list) > 0 && list[0].KubeServiceRefs != nil &&
		reflect.DeepEqual(list[0], core.DestinationSelector{KubeServiceRefs: list[0].KubeServiceRefs})
}

func appendChecked(list *[]string, p piece, what string, check func(piece, string) error) error {
	if err := check(p, what); err != nil {
		return err
	}
	*list = append(*list, p.text)
	return nil
}

func addLabel(labels *map[string]string, key, value piece) error {
	if err := checkLabelKey(key); err != nil {
		return err
	}
	if err := checkLabelValue(value); err != nil {
		return err
	}
	if *labels == nil {
		*labels = map[string]string{}
	}
	if _, taken := (*labels)[key.text]; taken {
		return key.errorf("label %s is given twice", strings.TrimSpace(key.text))
	}
	(*labels)[key.text] = value.text
	return nil
}

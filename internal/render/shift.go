package render

import (
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// longShift is how the long form of a shift starts.
const longShift = "service="

// readShift reads a destination of shifted requests, either in the compact form
// REF[:PORT][@KEY=VALUE,...][=WEIGHT] or as terms.
func readShift(p piece, names Names) (networkingv1.WeightedDestination, error) {
	if strings.HasPrefix(p.text, longShift) {
		return readLongShift(p, names)
	}
	target, subset, hasSubset := p.cut("@")
	var weight piece
	hasWeight := false
	if !hasSubset {
		target, weight, hasWeight = p.cut("=")
	}
	d := networkingv1.WeightedDestination{KubeService: &networkingv1.KubeDestination{}}
	if err := readTarget(d.KubeService, target, names); err != nil {
		return d, err
	}
	if hasSubset {
		pairs := subset.split(",")
		for i, pair := range pairs {
			key, value, found := pair.cut("=")
			if !found {
				return d, pair.errorAt(len(pair.text), "a label of the subset needs a value; write KEY=VALUE")
			}
			if i == len(pairs)-1 {
				value, weight, hasWeight = value.cut("=")
			}
			if err := addLabel(&d.KubeService.Subset, key, value); err != nil {
				return d, err
			}
		}
	}
	if !hasWeight {
		return d, nil
	}
	return d, readWeight(&d, weight, names)
}

// readTarget reads REF[:PORT].
func readTarget(to *networkingv1.KubeDestination, p piece, names Names) error {
	service, port, err := readServicePort(p, names)
	to.Name, to.Namespace, to.ClusterName, to.Port = service.Name, service.Namespace, service.ClusterName, port
	return err
}

// readServicePort reads REF[:PORT]; the port is 0 without one.
func readServicePort(p piece, names Names) (core.ClusterObjectRef, uint32, error) {
	name, number, hasPort := p.cut(":")
	service, err := readService(name, names)
	if err != nil || !hasPort {
		return service, 0, err
	}
	port, err := readPort(number, names)
	return service, port, err
}

func readWeight(d *networkingv1.WeightedDestination, p piece, names Names) error {
	weight, err := readNumber[uint32](0, 100)(p, names)
	if err == nil {
		d.Weight = &weight
	}
	return err
}

// readLongShift reads the form that can also give headers.
func readLongShift(p piece, names Names) (networkingv1.WeightedDestination, error) {
	return parseTerms(p, names, shiftKeys())
}

func shiftKeys() []termKey[networkingv1.WeightedDestination] {
	type destination = networkingv1.WeightedDestination
	return []termKey[destination]{
		{key: "service", value: "REF", set: func(d *destination, t term, names Names) error {
			ref, err := readService(t.value, names)
			to := kubeService(d)
			to.Name, to.Namespace, to.ClusterName = ref.Name, ref.Namespace, ref.ClusterName
			return err
		}},
		{key: "port", value: "PORT", set: func(d *destination, t term, names Names) (err error) {
			kubeService(d).Port, err = readPort(t.value, names)
			return err
		}},
		{key: "subset", argument: "KEY", value: "VALUE", set: func(d *destination, t term, _ Names) error {
			return addLabel(&kubeService(d).Subset, t.argument, t.value)
		}},
		{key: "weight", value: "PERCENT", set: func(d *destination, t term, names Names) error {
			return readWeight(d, t.value, names)
		}},
		{key: "add-request-header", argument: "NAME", value: "VALUE", set: func(d *destination, t term, _ Names) error {
			return addHeaderTerm(&shiftHeaders(d).AppendRequestHeaders, t)
		}},
		{key: "add-response-header", argument: "NAME", value: "VALUE", set: func(d *destination, t term, _ Names) error {
			return addHeaderTerm(&shiftHeaders(d).AppendResponseHeaders, t)
		}},
		{key: "remove-request-header", value: "NAME", repeatable: true, set: func(d *destination, t term, _ Names) error {
			return appendChecked(&shiftHeaders(d).RemoveRequestHeaders, t.value, "header name", checkToken)
		}},
		{key: "remove-response-header", value: "NAME", repeatable: true, set: func(d *destination, t term, _ Names) error {
			return appendChecked(&shiftHeaders(d).RemoveResponseHeaders, t.value, "header name", checkToken)
		}},
	}
}

func kubeService(d *networkingv1.WeightedDestination) *networkingv1.KubeDestination {
	if d.KubeService == nil {
		d.KubeService = &networkingv1.KubeDestination{}
	}
	return d.KubeService
}

func shiftHeaders(d *networkingv1.WeightedDestination) *networkingv1.HeaderManipulation {
	if d.Options == nil {
		d.Options = &networkingv1.DestinationOptions{HeaderManipulation: &networkingv1.HeaderManipulation{}}
	}
	return d.Options.HeaderManipulation
}

func addHeaderTerm(headers *map[string]string, t term) error {
	if err := checkHeader(t.argument, t.value); err != nil {
		return err
	}
	if *headers == nil {
		*headers = map[string]string{}
	}
	return addHeader(*headers, t.argument, t.value)
}

// writeShift writes a destination in the compact form, or as terms if it has
// headers. Destinations of other kinds than Services have no form.
func writeShift(d networkingv1.WeightedDestination) []string {
	if d.KubeService == nil {
		return nil
	}
	service := feature.ShiftTarget(d.KubeService)
	if d.Options != nil && d.Options.HeaderManipulation != nil {
		return []string{writeLongShift(d, service)}
	}
	text := writeServicePort(service, d.KubeService.Port)
	if subset := d.KubeService.Subset; len(subset) > 0 {
		var pairs []string
		for _, key := range sortedNames(subset) {
			pairs = append(pairs, key+"="+subset[key])
		}
		text += "@" + strings.Join(pairs, ",")
	}
	if d.Weight != nil {
		text += "=" + writeNumber(*d.Weight)
	}
	return []string{text}
}

func writeServicePort(service core.ClusterObjectRef, port uint32) string {
	if port == 0 {
		return writeService(service)
	}
	return writeService(service) + ":" + writeNumber(port)
}

func writeLongShift(d networkingv1.WeightedDestination, service core.ClusterObjectRef) string {
	var w termWriter
	w.pair("service", writeService(service))
	if d.KubeService.Port > 0 {
		w.pair("port", writeNumber(d.KubeService.Port))
	}
	w.arguments("subset", d.KubeService.Subset)
	if d.Weight != nil {
		w.pair("weight", writeNumber(*d.Weight))
	}
	h := d.Options.HeaderManipulation
	w.arguments("add-request-header", h.AppendRequestHeaders)
	w.arguments("add-response-header", h.AppendResponseHeaders)
	w.pairs("remove-request-header", h.RemoveRequestHeaders)
	w.pairs("remove-response-header", h.RemoveResponseHeaders)
	return w.String()
}

package render

import (
	"net/netip"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// The words for all and nothing in what is federated.
const (
	federateEverything = "everything"
	federateNothing    = "nothing"
)

// federateField is --federate. It differs from other lists in that an empty one
// can be given.
func federateField() Field[VirtualMeshInput] {
	field := Field[VirtualMeshInput]{
		Name: "federate", Value: "TERMS", Keys: usages(federationKeys()), Group: groupFederation, Names: ServiceNames,
		Usage: "what other meshes may call: `everything`, `nothing`, or service=REF or namespace=NAME and others, with to=MESH for some meshes only",
	}
	at := func(in *VirtualMeshInput) *[]networkingv1.FederationSelector { return &in.Federate }
	field = spread(field, at, readFederation, writeFederation)
	set, get := field.set, field.get
	field.set = func(in *VirtualMeshInput, text string, names Names) error {
		isNothing := text == federateNothing
		switch {
		case in.Federate != nil && (isNothing || len(in.Federate) == 0):
			return whole(text).errorf("`nothing` excludes every other --federate")
		case isNothing:
			in.Federate = []networkingv1.FederationSelector{}
			return nil
		default:
			return set(in, text, names)
		}
	}
	field.get = func(in *VirtualMeshInput) []string {
		if in.Federate != nil && len(in.Federate) == 0 {
			return []string{federateNothing}
		}
		return get(in)
	}
	return field
}

// federationTerms collects the terms of one federation selector.
type federationTerms struct {
	destinationTerms
	to []core.ObjectRef
}

func readFederation(p piece, names Names) (networkingv1.FederationSelector, error) {
	f, err := parseTerms(p, names, federationKeys())
	if err != nil {
		return networkingv1.FederationSelector{}, err
	}
	selectors, err := f.finish()
	return networkingv1.FederationSelector{DestinationSelectors: selectors, Meshes: f.to}, err
}

func federationKeys() []termKey[federationTerms] {
	keys := []termKey[federationTerms]{
		{key: federateEverything, set: func(f *federationTerms, t term, _ Names) error {
			f.everything, f.first = true, t.key
			return nil
		}},
		{key: federateNothing, set: func(_ *federationTerms, t term, _ Names) error {
			return t.key.errorf("nothing excludes other terms")
		}},
		{key: "to", value: "MESH", repeatable: true, set: func(f *federationTerms, t term, names Names) error {
			ref, err := readMesh(t.value, names)
			f.to = append(f.to, ref)
			return err
		}},
	}
	return append(keys, destinationKeys(func(f *federationTerms) *destinationTerms { return &f.destinationTerms })...)
}

// writeFederation writes one text for every alternative among the destinations.
func writeFederation(s networkingv1.FederationSelector) []string {
	return writeAlternatives(s.DestinationSelectors, func(w *termWriter) {
		for _, mesh := range s.Meshes {
			w.pair("to", writeObject(mesh))
		}
	})
}

// writeAlternatives writes one text for every alternative of a list of
// selectors, each with the same terms behind it.
func writeAlternatives(selectors []core.DestinationSelector, rest func(w *termWriter)) []string {
	if len(selectors) == 0 {
		var w termWriter
		w.bare(federateEverything)
		rest(&w)
		return []string{w.String()}
	}
	var texts []string
	for _, s := range selectors {
		for _, way := range selectorWays(s) {
			var w termWriter
			writeDestinations(&w, way)
			rest(&w)
			texts = append(texts, w.String())
		}
	}
	return texts
}

// gatewayTerms collects the terms of one gateway selector.
type gatewayTerms struct {
	destinationTerms
	gateway networkingv1.IngressGatewaySelector
}

func readGateway(p piece, names Names) (networkingv1.IngressGatewaySelector, error) {
	g, err := parseTerms(p, names, gatewayKeys())
	if err != nil {
		return networkingv1.IngressGatewaySelector{}, err
	}
	if g.gateway.PortName != nil && g.gateway.OverrideHostInfo != nil {
		return g.gateway, p.errorf("port-name and address cannot be combined")
	}
	g.gateway.DestinationSelectors, err = g.finish()
	return g.gateway, err
}

func gatewayKeys() []termKey[gatewayTerms] {
	keys := []termKey[gatewayTerms]{
		{key: federateEverything, set: func(g *gatewayTerms, t term, _ Names) error {
			g.everything, g.first = true, t.key
			return nil
		}},
		{key: "port-name", value: "NAME", set: func(g *gatewayTerms, t term, _ Names) error {
			g.gateway.PortName = pointer(t.text())
			return checkPortName(t.value)
		}},
		{key: "address", value: "HOST:PORT", set: func(g *gatewayTerms, t term, names Names) error {
			address, err := readAddress(t.value, names)
			g.gateway.OverrideHostInfo = &address
			return err
		}},
	}
	return append(keys, destinationKeys(func(g *gatewayTerms) *destinationTerms { return &g.destinationTerms })...)
}

func writeGateway(s networkingv1.IngressGatewaySelector) []string {
	return writeAlternatives(s.DestinationSelectors, func(w *termWriter) {
		if s.PortName != nil {
			w.pair("port-name", *s.PortName)
		}
		if a := s.OverrideHostInfo; a != nil {
			w.pair("address", writeAddress(*a))
		}
	})
}

// readAddress reads HOST:PORT, the host being a DNS name or an IP address; one
// of IPv6 stands in brackets.
func readAddress(p piece, names Names) (networkingv1.HostInfo, error) {
	host, number, found := p.cutLast(":")
	if !found || strings.HasSuffix(p.text, "]") {
		return networkingv1.HostInfo{}, p.errorAt(len(p.text), "the port is missing; write HOST:PORT")
	}
	if strings.HasPrefix(host.text, "[") {
		if !strings.HasSuffix(host.text, "]") {
			return networkingv1.HostInfo{}, host.errorAt(len(host.text), "the closing bracket is missing")
		}
		host = host.slice(1, len(host.text)-1)
		if ip, err := netip.ParseAddr(host.text); err != nil || !ip.Is6() || ip.Zone() != "" {
			return networkingv1.HostInfo{}, host.errorf("%q is not an IPv6 address", host.text)
		}
	} else if colon := strings.Index(host.text, ":"); colon >= 0 {
		return networkingv1.HostInfo{}, host.errorAt(colon, "put an IPv6 address in brackets: [%s]:PORT", host.text)
	} else if err := checkSubdomain(host, "host"); err != nil {
		return networkingv1.HostInfo{}, err
	}
	port, err := readPort(number, names)
	return networkingv1.HostInfo{Addr: host.text, Port: port}, err
}

func writeAddress(a networkingv1.HostInfo) string {
	host := a.Addr
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host + ":" + writeNumber(a.Port)
}

// checkPortName accepts the name of a Service's port.
func checkPortName(p piece) error {
	if err := checkLabel(p, "port"); err != nil {
		return err
	}
	return nil
}

package wizard

import (
	"cmp"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// exposure is how much of the meshes is federated.
type exposure string

const (
	exposeEverything exposure = "Everything"
	exposeNothing    exposure = "Nothing"
	exposeSome       exposure = "Selected services"
)

// exposed returns what the input says.
func (v *virtualMesh) exposed() exposure {
	switch {
	case v.in.Federate == nil:
		return exposeEverything
	case len(v.in.Federate) == 0:
		return exposeNothing
	case len(v.in.Federate) == 1 && len(v.in.Federate[0].DestinationSelectors)+len(v.in.Federate[0].Meshes) == 0:
		return exposeEverything
	default:
		return exposeSome
	}
}

func (v *virtualMesh) askFederation() error {
	chosen, err := pick(v.flow, Question{
		Text: "Which services do you want to federate?",
		Help: "A federated service can be called from the other meshes of the virtual mesh under its own hostname. Access policies still decide who may call it.",
	}, []choice[exposure]{
		{exposeEverything, string(exposeEverything), "every service, from every mesh"},
		{exposeNothing, string(exposeNothing), "share trust only"},
		{exposeSome, string(exposeSome), "selected services, optionally to selected meshes"},
	}, v.exposed())
	if err != nil {
		return err
	}
	switch chosen {
	case exposeEverything:
		v.in.Federate = []networkingv1.FederationSelector{{}}
	case exposeNothing:
		v.in.Federate = []networkingv1.FederationSelector{}
	default:
		var current []networkingv1.FederationSelector
		if v.exposed() == exposeSome {
			current = v.in.Federate
		}
		v.in.Federate, err = editList(v.flow, "federated services", current, Option{Label: "Federate nothing", Detail: "share trust only"}, federatedText, v.oneFederation)
	}
	return err
}

func (v *virtualMesh) oneFederation() ([]networkingv1.FederationSelector, error) {
	destinations, err := v.oneDestination("Which services do you want to federate?", "Only services of meshes in this virtual mesh are federated.", true)
	if err != nil {
		return nil, err
	}
	var to []core.ObjectRef
	if len(v.in.Meshes) > 1 {
		if to, err = v.importers(); err != nil {
			return nil, err
		}
	}
	// One selector each says the same as one with all, and flags can say it.
	var list []networkingv1.FederationSelector
	for _, d := range destinations {
		list = append(list, networkingv1.FederationSelector{DestinationSelectors: []core.DestinationSelector{d}, Meshes: to})
	}
	if len(list) == 0 {
		list = append(list, networkingv1.FederationSelector{Meshes: to})
	}
	return list, nil
}

// importers asks which meshes can call what is federated; nil means all, also
// those that join later.
func (v *virtualMesh) importers() ([]core.ObjectRef, error) {
	choices := make([]choice[core.ObjectRef], len(v.in.Meshes))
	for i, ref := range v.in.Meshes {
		choices[i] = choice[core.ObjectRef]{value: ref, label: objectText(ref)}
	}
	meshes, err := pickMany(v.flow, Question{
		Text: "Which meshes can call them?", AtLeastOne: true,
		Help: "The services are federated to the selected meshes. Select all to include meshes that join later.",
	}, choices, v.in.Meshes)
	if err != nil || len(meshes) == len(choices) {
		return nil, err
	}
	return meshes, nil
}

// federatesOutside says whether a mesh is named that is not a member.
func (v *virtualMesh) federatesOutside() bool {
	return slices.ContainsFunc(v.in.Federate, func(s networkingv1.FederationSelector) bool {
		return slices.ContainsFunc(s.Meshes, func(ref core.ObjectRef) bool { return !slices.Contains(v.in.Meshes, ref) })
	})
}

// federatedInside returns what is federated to members. A selector that loses its
// last mesh goes: without meshes, it would federate to all of them.
func (v *virtualMesh) federatedInside() []networkingv1.FederationSelector {
	inside := []networkingv1.FederationSelector{}
	for _, s := range v.in.Federate {
		to := slices.DeleteFunc(slices.Clone(s.Meshes), func(ref core.ObjectRef) bool { return !slices.Contains(v.in.Meshes, ref) })
		if len(to) > 0 || len(s.Meshes) == 0 {
			s.Meshes = to
			inside = append(inside, s)
		}
	}
	return inside
}

func federatedText(s networkingv1.FederationSelector) string {
	text := destinationsText(s.DestinationSelectors)
	if len(s.Meshes) > 0 {
		text += " to " + listText(s.Meshes, objectText)
	}
	return text
}

func (v *virtualMesh) federationText() string {
	switch v.exposed() {
	case exposeEverything:
		return "every service, from every mesh"
	case exposeNothing:
		return "no service"
	default:
		return listText(v.in.Federate, federatedText)
	}
}

func (v *virtualMesh) federationDetails() []setting {
	return []setting{
		textSetting(v.flow, "Hostname suffix", "suffix of federated hostnames; default global", "Suffix of federated hostnames:", render.CheckName, &v.in.HostnameSuffix),
		toggle("Flat network", "calls go directly to pods of other clusters, without gateways", &v.in.FlatNetwork),
		keepalive(v.flow, "probes of idle connections between clusters", &v.in.Keepalive),
	}
}

func (v *virtualMesh) askFederationDetails() error {
	return v.settings(Question{
		Text: "Which federation settings do you want to change?",
		Help: "Select the settings to change; the defaults allow calls between clusters through gateways.",
	}, v.federationDetails())
}

func (v *virtualMesh) federationDetailsText() string { return settingsText(v.federationDetails()) }

// settingsText names the settings that are set.
func settingsText(list []setting) string {
	var parts []string
	for _, s := range list {
		if now := s.now(); now != "" {
			parts = append(parts, strings.ToLower(s.label[:1])+s.label[1:]+" "+now)
		}
	}
	return cmp.Or(strings.Join(parts, ", "), "defaults")
}

// gatewayAddress is how the address of a gateway is found.
type gatewayAddress string

const (
	usualPort   gatewayAddress = "usual"
	namedPort   gatewayAddress = "port"
	fixedTarget gatewayAddress = "address"
)

// defaultGateways are the gateways of a VirtualMesh that names none.
const defaultGateways = "the Services labelled istio=ingressgateway"

func (v *virtualMesh) askGateways() error {
	if len(v.in.Gateways) == 0 {
		chosen, err := pick(v.flow, Question{
			Text: "Which gateways do you want to use?",
			Help: "Calls from other clusters enter a mesh through its gateways.",
		}, []choice[scope]{
			{scopeAll, "The default gateways", defaultGateways},
			{scopeSome, "Selected gateways", "by Service, port or address"},
		}, scopeAll)
		if err != nil || chosen == scopeAll {
			return err
		}
	}
	gateways, err := editList(v.flow, "gateways", v.in.Gateways, Option{Label: "The default gateways", Detail: defaultGateways}, gatewayText, v.oneGateway)
	if err == nil {
		v.in.Gateways = gateways
	}
	return err
}

func (v *virtualMesh) oneGateway() ([]networkingv1.IngressGatewaySelector, error) {
	destinations, err := v.gatewayServices()
	if err != nil {
		return nil, err
	}
	g := networkingv1.IngressGatewaySelector{}
	way, err := pick(v.flow, Question{
		Text: "Which gateway address do other clusters use?",
		Help: "Usually the port named tls on the external address of the gateway Service.",
	}, []choice[gatewayAddress]{
		{usualPort, "The port named tls", "the default"},
		{namedPort, "A port with another name", ""},
		{fixedTarget, "A fixed address", "a host and port in front of the gateway"},
	}, usualPort)
	if err != nil {
		return nil, err
	}
	switch way {
	case namedPort:
		name, err := v.portName(destinations)
		if err != nil {
			return nil, err
		}
		g.PortName = &name
	case fixedTarget:
		if g.OverrideHostInfo, err = v.hostInfo(); err != nil {
			return nil, err
		}
	default:
	}
	if len(destinations) == 0 {
		return []networkingv1.IngressGatewaySelector{g}, nil
	}
	var list []networkingv1.IngressGatewaySelector
	for _, d := range destinations {
		one := *g.DeepCopy()
		one.DestinationSelectors = []core.DestinationSelector{d}
		list = append(list, one)
	}
	return list, nil
}

func (v *virtualMesh) gatewayServices() ([]core.DestinationSelector, error) {
	view := *v.flow
	view.known.Services = slices.DeleteFunc(slices.Clone(v.known.Services), func(s ServiceChoice) bool { return !s.Gateway })
	if len(view.known.Services) == 0 {
		view.known.Services = v.kubeServices()
	}
	return view.oneDestination("Which Services are gateways?", "Calls from other clusters enter a mesh through its gateways.", true)
}

// portName asks for one of the names that the gateways' ports have.
func (v *virtualMesh) portName(gateways []core.DestinationSelector) (string, error) {
	var choices []choice[string]
	for _, s := range v.mentioned(gateways) {
		for _, p := range s.Ports {
			if p.Name != "" && !slices.ContainsFunc(choices, func(c choice[string]) bool { return c.value == p.Name }) {
				choices = append(choices, choice[string]{p.Name, p.Name, "port " + strconv.FormatUint(uint64(p.Number), 10)})
			}
		}
	}
	if len(choices) == 0 {
		return v.Input(Question{Text: "Name of the port:", Help: "The name of the port that accepts TLS."}, "tls", render.CheckNamespace)
	}
	slices.SortFunc(choices, func(a, b choice[string]) int { return strings.Compare(a.value, b.value) })
	return pick(v.flow, Question{Text: "Which port accepts TLS?", Help: "The names of the ports of the gateways you chose."}, choices, "tls")
}

func (v *virtualMesh) hostInfo() (*networkingv1.HostInfo, error) {
	host, err := v.Input(Question{Text: "Host of the gateway:", Help: "An IP address or a DNS name that the other clusters can reach."}, "", checkHost)
	if err != nil {
		return nil, err
	}
	port, err := v.Input(Question{Text: "Port of the gateway:", Help: "From 1 to 65535."}, "15443", checkPort)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return &networkingv1.HostInfo{Addr: host, Port: uint32(number)}, err
}

func gatewayText(g networkingv1.IngressGatewaySelector) string {
	text := destinationsText(g.DestinationSelectors)
	switch {
	case g.PortName != nil:
		text += ", port " + *g.PortName
	case g.OverrideHostInfo != nil:
		text += ", at " + net.JoinHostPort(g.OverrideHostInfo.Addr, strconv.FormatUint(uint64(g.OverrideHostInfo.Port), 10))
	}
	return text
}

func (v *virtualMesh) gatewaysText() string {
	if len(v.in.Gateways) == 0 {
		return defaultGateways
	}
	return listText(v.in.Gateways, gatewayText)
}

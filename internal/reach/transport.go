package reach

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Connection is how callers connect to the pods of one mesh behind a Destination. Each port of the Service is in exactly one of the lists,
// or concerned by an obstacle.
type Connection struct {
	// Mutual are the ports that are called with Istio's mutual TLS, so that the
	// caller's identity arrives; Open are those and the ports on which no identity
	// arrives. Both are ascending.
	Mutual, Open []uint32
	// HTTP are the open ports on which rules about HTTP requests can match.
	HTTP []uint32
	// Whole is true if Open are all ports of the Service.
	Whole bool
	// Obstacles make calls to the other ports fail. They are in the order of stages.
	Obstacles []Obstacle
	// Unknown is what decides before any obstacle, and meshctl cannot follow; nil if
	// there is nothing. No port is open then.
	Unknown *Obstacle
	// Assumed are facts that nobody knows and that these answers depend on (D46).
	Assumed []string
	// setter says who sets a TLS mode with which no identity arrives on some port, as
	// the beginning of a sentence.
	setter string
	// passing says why the caller's proxy passes calls on that it knows nothing about;
	// "" if it knows the host.
	passing string
	// unrouted is true if it passes on calls to all ports.
	unrouted bool
	// beyond is the connection without what precedes it; nil if that is the same.
	beyond *Connection
}

// connectionKey identifies equal questions about connections.
type connectionKey struct {
	cluster, strange  string
	destination, mesh int
	// from and to are only set where they matter otherwise.
	from Caller
	to   world.Pods
}

// Connect returns how callers connect to pods behind a Destination, which must be a
// Service. All callers, or none, must have a proxy (see Parts).
func (c *Calls) Connect(from Caller, d *world.Destination, to Receiver) *Connection {
	key := connectionKey{cluster: from.Cluster, destination: d.ID, mesh: -1}
	if to.Mesh != nil {
		key.mesh = to.Mesh.ID
	}
	switch {
	case from.bare() || c.hasBare(d):
		key.from, key.to = from, to.Pods
	case !c.setsTLS(d):
		// The usual case does not depend on the caller's cluster.
		key.cluster = ""
	}
	if !accepts(from, to.Mesh) {
		key.strange = from.trustDomain()
	}
	before := c.approach(from, d)
	if before != nil {
		key.from = from
	}
	connection, known := c.connections[key]
	if !known {
		connection = c.connect(from, d, to, before)
		if before != nil {
			before.meet(connection)
		}
		c.connections[key] = connection
	}
	return connection
}

// Vary reports whether calls to a Destination may use anything but Istio's mutual
// TLS, whoever calls.
func (c *Calls) Vary(d *world.Destination) bool {
	return c.bareCallers || c.setsTLS(d) || c.hasBare(d)
}

// hasBare reports whether any pod behind a Destination has no proxy, or probably none.
func (c *Calls) hasBare(d *world.Destination) bool {
	return slices.ContainsFunc(c.Receivers(d), func(r Receiver) bool { return r.Bare || r.Unowned })
}

// setsTLS reports whether anything sets another mode than Istio's mutual TLS for
// calls to a Destination.
func (c *Calls) setsTLS(d *world.Destination) bool {
	if d.Mesh == nil || d.Mesh.Type != world.MeshIstio { // nothing is rendered for it
		return false
	}
	return c.result.DefaultTLSMode() != networkingv1.TLSModeIstioMutual ||
		slices.ContainsFunc(c.result.Destinations[d.ID].Traffic, func(i int) bool { return c.result.TrafficPolicies[i].SetsTLSMode() })
}

// portMode is the TLS mode of calls to a port, and which object sets it.
type portMode struct {
	mode   networkingv1.TLSMode
	object world.ObjectID
	// because says why there is a mode that no object sets, as the beginning of a
	// sentence.
	because string
}

// modeAuto stands for no mode: proxies choose one for each pod.
const modeAuto networkingv1.TLSMode = "auto"

// isMutual reports whether a gateway with this mode forwards calls: it does so to
// pods with a proxy if the mode is chosen for each pod.
func (m portMode) isMutual() bool {
	return m.mode == networkingv1.TLSModeIstioMutual || m.mode == modeAuto
}

// modesFrom returns the TLS mode with which clients of a cluster call each port of
// a Destination.
func (c *Calls) modesFrom(cluster string, d *world.Destination) func(port uint32) portMode {
	standard := c.standardMode(cluster, d)
	if !c.setsTLS(d) {
		return func(uint32) portMode { return standard }
	}
	var settings []policy.ConnectionSetting
	for _, s := range c.result.ConnectionFrom(cluster, d.ID) {
		if s.Field == feature.MTLS && s.Policy >= 0 {
			settings = append(settings, s)
		}
	}
	return func(port uint32) portMode {
		for _, s := range settings {
			if mtls, ok := s.Value.(*networkingv1.MTLS); ok && mtls.Istio != nil && (len(s.Ports) == 0 || slices.Contains(s.Ports, port)) {
				return portMode{mode: mtls.Istio.TLSMode.OrDefault(), object: c.result.TrafficPolicies[s.Policy].ID()}
			}
		}
		return standard
	}
}

// standardMode returns the TLS mode with which clients of a cluster call a
// Destination that no policy sets a mode for. Without Settings, Destinations with
// pods that have no proxy get none, but gateways need one (D50).
func (c *Calls) standardMode(cluster string, d *world.Destination) portMode {
	isIstio := d.Mesh != nil && d.Mesh.Type == world.MeshIstio
	if !c.throughGateways(Caller{Cluster: cluster}, d) && (c.result.LeavesTLSMode(d) || !isIstio && slices.ContainsFunc(c.Receivers(d), func(r Receiver) bool { return r.Bare })) {
		return portMode{mode: modeAuto}
	}
	if !isIstio { // nothing is rendered for it
		return portMode{mode: networkingv1.TLSModeIstioMutual}
	}
	standard := portMode{mode: c.result.DefaultTLSMode()}
	if settings := c.result.World.Settings; settings != nil {
		standard.object = world.ObjectID{Kind: "Settings", Namespace: settings.Namespace, Name: settings.Name}
	}
	return standard
}

// throughGateways reports whether callers reach a Destination through gateways.
func (c *Calls) throughGateways(from Caller, d *world.Destination) bool {
	return isRemote(from, d) && !c.isFlat(d)
}

// resolve returns the mode that the callers' proxies use with the pods. An assumed
// fact may decide.
func (c *Calls) resolve(mode portMode, from Caller, d *world.Destination, to Receiver) (resolved portMode, assumed string) {
	switch {
	case from.bare():
		return portMode{mode: networkingv1.TLSModeDisable, because: "the caller has no proxy"}, ""
	case mode.mode != modeAuto:
		return mode, ""
	case to.Bare:
		return portMode{mode: networkingv1.TLSModeDisable, because: nameBare(d, to) + " have no proxy"}, ""
	case from.Cluster != d.Ref.ClusterName && !d.HasLabelledPods():
		return portMode{mode: networkingv1.TLSModeDisable, because: "no pod of " + d.Key() + " is known to accept mutual TLS (label " + world.LabelTLSMode + ")"}, ""
	case from.Mesh == nil:
		return portMode{mode: networkingv1.TLSModeIstioMutual}, ""
	}
	auto, known := from.Mesh.UsesAutoMTLS()
	name := "mesh " + from.Mesh.Ref.Name + "." + from.Mesh.Ref.Namespace
	switch {
	case !auto:
		return portMode{mode: networkingv1.TLSModeDisable, because: name + " has no automatic mutual TLS (meshConfig.enableAutoMtls)"}, ""
	case !known:
		assumed = name + " has automatic mutual TLS (meshConfig.enableAutoMtls)"
	}
	return portMode{mode: networkingv1.TLSModeIstioMutual}, assumed
}

// Equal reports whether two connections are alike in everything that decides about
// calls.
func (n *Connection) Equal(other *Connection) bool {
	return slices.Equal(n.Mutual, other.Mutual) && slices.Equal(n.Open, other.Open) && slices.Equal(n.HTTP, other.HTTP) &&
		n.Whole == other.Whole && (n.Unknown == nil) == (other.Unknown == nil)
}

// accepts reports whether receivers accept the trust domain of callers (D47).
func accepts(from Caller, receiver *world.Mesh) bool {
	domain := from.trustDomain()
	if domain == "" || receiver == nil || receiver.Type != world.MeshIstio {
		return true
	}
	accepted, _ := receiver.AcceptsTrustDomain(domain)
	return accepted
}

// connect implements Connect.
func (c *Calls) connect(from Caller, d *world.Destination, to Receiver, before *approach) *Connection {
	connection := &Connection{}
	cluster, receiver := from.Cluster, to.Mesh
	all := serviceport.All(d)
	http := serviceport.HTTP(d)
	if len(d.Resource.Spec.KubeService.Ports) == 0 { // nothing is known about them
		http = all
	}
	here, there := c.modesFrom(cluster, d), c.modesFrom(d.Ref.ClusterName, d)
	if before != nil && before.passing != nil {
		known := here
		here = func(port uint32) portMode {
			if slices.Contains(before.revealed, port) {
				return known(port)
			}
			return *before.passing
		}
		connection.passing, connection.unrouted = before.passing.because, len(before.revealed) == 0
	}
	concerned := map[cause][]uint32{}
	var causes []cause
	for _, port := range all {
		mode, assumed := c.resolve(here(port), from, d, to)
		if assumed != "" && !slices.Contains(connection.Assumed, assumed) {
			connection.Assumed = append(connection.Assumed, assumed)
		}
		speaksHTTP := slices.Contains(http, port)
		obstacle, found := c.obstacleTo(from, d, to, hop{mode, there(port), speaksHTTP})
		if connection.passing != "" && speaksHTTP && !slices.Contains(before.revealed, port) && c.routesUnknownHost(from, d, port) {
			obstacle, found = misrouted(d), true
		}
		if found {
			if concerned[obstacle] == nil {
				causes = append(causes, obstacle)
			}
			concerned[obstacle] = append(concerned[obstacle], port)
			continue
		}
		connection.Open = append(connection.Open, port)
		if speaksHTTP {
			connection.HTTP = append(connection.HTTP, port)
		}
		if mode.mode == networkingv1.TLSModeIstioMutual {
			connection.Mutual = append(connection.Mutual, port)
		} else {
			connection.setter = mode.setter()
		}
	}
	connection.Whole = len(connection.Open) == len(all)
	if !to.Bare && !accepts(from, receiver) {
		if _, known := receiver.AcceptsTrustDomain(from.trustDomain()); !known {
			connection.Assumed = append(connection.Assumed, fmt.Sprintf("mesh %s.%s accepts no trust domain but its own, %s", receiver.Ref.Name, receiver.Ref.Namespace, receiver.TrustDomain))
		}
	}
	if to.Unowned && slices.ContainsFunc(causes, func(o cause) bool { return o.code == CodePodWithoutProxy }) {
		connection.Assumed = append(connection.Assumed, "the pods behind "+d.Key()+" have no proxy")
	}
	for _, o := range causes {
		obstacle := Obstacle{Code: o.code, Reason: o.reason, Object: o.object, Ports: concerned[o]}
		if len(obstacle.Ports) == len(all) {
			obstacle.Ports = nil
		}
		connection.Obstacles = append(connection.Obstacles, obstacle)
	}
	return connection
}

// cause is an obstacle without its ports.
type cause struct {
	code   Code
	reason string
	object world.ObjectID
}

func (c *Calls) isFlat(d *world.Destination) bool {
	federation := c.result.Destinations[d.ID].Federation
	return federation != nil && federation.Flat
}

// hop is the last part of the way to a port.
type hop struct {
	// mode is the TLS mode of the callers, exporter that in the Destination's own
	// cluster.
	mode, exporter portMode
	speaksHTTP     bool
}

// obstacleTo returns what makes calls to a port fail (D49, D50, D60).
func (c *Calls) obstacleTo(from Caller, d *world.Destination, to Receiver, hop hop) (cause, bool) {
	mode, exporter, receiver := hop.mode, hop.exporter, to.Mesh
	mutual := mode.mode == networkingv1.TLSModeIstioMutual
	remote := c.throughGateways(from, d)
	switch {
	case remote && from.bare(): // it has no name for the host
	case remote && !mutual:
		return cause{CodeGatewayNeedsMutual, mode.setter() + ", and gateways forward Istio's mutual TLS only", mode.object}, true
	case remote && !exporter.isMutual():
		return cause{CodeExporterNotMutual, exporter.setter() + " in the Destination's own cluster, whose gateway then has no endpoint to forward to", exporter.object}, true
	case remote && to.Bare:
		return cause{CodeGatewayHidesPods, nameBare(d, to) + " have no proxy, and gateways forward calls to pods with a proxy only", world.DestinationID(d)}, true
	case to.Bare && mutual:
		return cause{CodePodWithoutProxy, fmt.Sprintf("%s, but %s have no proxy", mode.setter(), nameBare(d, to)), mode.object}, true
	case to.Unowned && mutual && mode.object.Kind != "":
		return cause{CodePodWithoutProxy, fmt.Sprintf("%s, but the pods behind %s belong to no known workload of a mesh, so that they have no proxy", mode.setter(), d.Key()), mode.object}, true
	case to.Bare: // whatever its mesh requires
	case !mutual && c.requiresMutualTLS(receiver):
		return cause{
			CodePlaintextToStrict,
			fmt.Sprintf("%s, but VirtualMesh %s requires mutual TLS (enforcementMode STRICT)", mode.setter(), nameOf(c.result.RequiringMutualTLS(receiver))), mode.object,
		}, true
	case mutual && !accepts(from, receiver):
		return cause{CodeTrustDomain, fmt.Sprintf("mesh %s.%s does not accept the trust domain %s of the caller", receiver.Ref.Name, receiver.Ref.Namespace, from.trustDomain()), world.MeshID(receiver)}, true
	}
	if mode.mode == networkingv1.TLSModeSimple && hop.speaksHTTP {
		return cause{CodeTLSToHTTP, mode.setter() + ", which the receiver of an HTTP port cannot read", mode.object}, true
	}
	return cause{}, false
}

func (c *Calls) requiresMutualTLS(receiver *world.Mesh) bool {
	return c.result.RequiringMutualTLS(receiver) != nil
}

func nameOf(vm *policy.VirtualMesh) string { return vm.Resource.Name + "." + vm.Resource.Namespace }

// setter says who sets the TLS mode.
func (m portMode) setter() string {
	if m.because != "" {
		return m.because
	}
	who := "the default"
	if m.object.Kind != "" {
		who = m.object.Kind + " " + m.object.Name + "." + m.object.Namespace
	}
	return fmt.Sprintf("%s sets tlsMode %s", who, m.mode)
}

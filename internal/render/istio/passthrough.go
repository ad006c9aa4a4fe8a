package istio

import (
	"fmt"
	"slices"
	"strings"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// autoPassthrough is the TLS mode of servers that forward encrypted connections
// to the target of the SNI.
const autoPassthrough = "AUTO_PASSTHROUGH"

// ForeignGateway is a Gateway object that meshctl does not own, reduced to its
// AUTO_PASSTHROUGH servers.
type ForeignGateway struct {
	Namespace, Name string
	// Selector are the labels of its pods; all pods if empty.
	Selector map[string]string
	Servers  []ForeignServer
}

// ForeignServer is a server of a ForeignGateway.
type ForeignServer struct {
	Port uint32
	// Hosts may start with a wildcard.
	Hosts []string
}

// ReadForeignGateway returns the AUTO_PASSTHROUGH servers of a Gateway; false if
// there are none. The spec is in plain values and may be malformed.
func ReadForeignGateway(namespace, name string, spec map[string]any) (ForeignGateway, bool) {
	gateway := ForeignGateway{Namespace: namespace, Name: name, Selector: map[string]string{}}
	selector, _ := spec["selector"].(map[string]any)
	for key, value := range selector {
		gateway.Selector[key], _ = value.(string)
	}
	for _, server := range objectsIn(spec["servers"]) {
		tls, _ := server["tls"].(map[string]any)
		// A server with a bind address has a listener of its own.
		if bind, _ := server["bind"].(string); tls["mode"] != autoPassthrough || bind != "" {
			continue
		}
		port, _ := server["port"].(map[string]any)
		found := ForeignServer{Port: portNumber(port["number"])}
		hosts, _ := server["hosts"].([]any)
		for _, host := range hosts {
			text, _ := host.(string)
			if _, inside, qualified := strings.Cut(text, "/"); qualified {
				text = inside // Istio ignores the namespace here
			}
			found.Hosts = append(found.Hosts, text)
		}
		gateway.Servers = append(gateway.Servers, found)
	}
	return gateway, len(gateway.Servers) > 0
}

func portNumber(value any) uint32 {
	switch number := value.(type) {
	case int64:
		if number > 0 && number <= maxPort {
			return uint32(number)
		}
	case float64:
		if number > 0 && number <= maxPort {
			return uint32(number)
		}
	}
	return 0
}

const maxPort = 65535

// addGateways adds the Gateways for requests from other clusters: servers that
// forward connections to the exported Services by SNI, and to nothing else
// (D60).
func (b *builder) addGateways() {
	for i := range b.world.Meshes {
		m, decided := &b.world.Meshes[i], &b.result.Meshes[i]
		if decided.VirtualMesh == nil || !isIstio(m) || m.Namespace == "" {
			continue
		}
		exported := b.passedOn(m)
		if len(exported) == 0 {
			continue
		}
		for _, gateway := range decided.Gateways {
			d := &b.world.Destinations[gateway.Destination]
			if d.Ref.ClusterName != b.cluster || len(d.Selector) == 0 {
				continue
			}
			hosts := b.withoutCovered(m, d, gateway.ServerPort, exported)
			if len(hosts) == 0 {
				continue
			}
			name := naming.Sanitise(d.Resource.Name + "-" + d.Resource.Namespace)
			b.add(KindGateway, m.Namespace, name, d.Key(), &networking.Gateway{
				Selector: d.Selector,
				Servers: []*networking.Server{{
					Port:  &networking.Port{Number: gateway.ServerPort, Protocol: "TLS", Name: "tls"},
					Hosts: hosts,
					Tls:   &networking.ServerTLSSettings{Mode: networking.ServerTLSSettings_AUTO_PASSTHROUGH},
				}},
			}, []world.ObjectID{parentOf(kindVirtualMesh, &decided.VirtualMesh.Resource.ObjectMeta)})
		}
	}
}

// passedOn returns the Destinations of a mesh that other clusters reach through
// gateways, by hostname.
func (r *Renderer) passedOn(m *world.Mesh) map[string]*world.Destination {
	found := map[string]*world.Destination{}
	for _, e := range r.exports {
		if e != nil && !e.federation.Flat && e.destination.Mesh == m {
			found[e.destination.Hostname] = e.destination
		}
	}
	return found
}

// withoutCovered returns the hosts, sorted, that no foreign Gateway already
// forwards at the port of the same pods. Proxies reject a listener with two equal
// filter chains as a whole.
func (b *builder) withoutCovered(m *world.Mesh, gateway *world.Destination, port uint32, exported map[string]*world.Destination) []string {
	var hosts []string
	covered := map[string][]string{}
	for _, host := range sortedKeys(exported) {
		if other := b.foreignFor(gateway, port, host); other != nil {
			by := other.Name + "." + other.Namespace
			covered[by] = append(covered[by], exported[host].Key())
		} else {
			hosts = append(hosts, host)
		}
	}
	for _, by := range sortedKeys(covered) {
		slices.Sort(covered[by])
		b.omissions = append(b.omissions, Omission{
			Object: world.MeshID(m), Cluster: b.cluster, Targets: covered[by],
			Reason: fmt.Sprintf("Gateway %s of another owner already passes requests to them through port %d of %s; if you delete it, run 'meshctl apply' again",
				by, port, gateway.Key()),
		})
	}
	return hosts
}

// foreignFor returns the foreign Gateway that forwards a host at a port of a
// gateway's pods; nil if there is none.
func (b *builder) foreignFor(gateway *world.Destination, port uint32, host string) *ForeignGateway {
	all := b.foreign[b.cluster]
	for i := range all {
		if !b.selectsPodsOf(&all[i], gateway) {
			continue
		}
		for _, server := range all[i].Servers {
			if listensOn(gateway, server.Port) == listensOn(gateway, port) && slices.ContainsFunc(server.Hosts, func(h string) bool { return covers(h, host) }) {
				return &all[i]
			}
		}
	}
	return nil
}

// selectsPodsOf reports whether a foreign Gateway selects pods of a gateway's Service.
func (b *builder) selectsPodsOf(foreign *ForeignGateway, gateway *world.Destination) bool {
	return world.HasLabels(gateway.Selector, foreign.Selector) || slices.ContainsFunc(gateway.Backing, func(id int) bool {
		return world.HasLabels(b.world.Workloads[id].Labels, foreign.Selector)
	})
}

// listensOn identifies the listener of a server: a Gateway names a port of the
// pods or of their Service, and Istio looks for the latter first.
func listensOn(gateway *world.Destination, number uint32) string {
	ports := gateway.Resource.Spec.KubeService.Ports
	k := slices.IndexFunc(ports, func(p discoveryv1.KubeServicePort) bool { return p.Port == number })
	switch {
	case k >= 0 && ports[k].TargetPortName != nil && *ports[k].TargetPortName != "":
		return *ports[k].TargetPortName
	case k >= 0 && ports[k].TargetPortNumber != nil && *ports[k].TargetPortNumber != 0:
		return fmt.Sprint(*ports[k].TargetPortNumber)
	default:
		return fmt.Sprint(number)
	}
}

// covers reports whether a host pattern, which may start with a wildcard, matches
// a host.
func covers(pattern, host string) bool {
	if suffix, wild := strings.CutPrefix(pattern, "*"); wild {
		return strings.HasSuffix(host, suffix)
	}
	return pattern == host
}

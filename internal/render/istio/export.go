package istio

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// export is what makes a Destination known to other clusters (semantics 5.5).
type export struct {
	destination *world.Destination
	federation  *policy.Federation
	// parents is the VirtualMesh.
	parents  []world.ObjectID
	hostname string
	// name is that of the objects which go by no hostname.
	name string
	// address is what the hostname resolves to, unless something else does.
	address string
	ports   []*networking.ServicePort
	// clusters are those of the meshes it is exposed to, in the order of the
	// meshes.
	clusters []string

	// entry is what other clusters are told, made when first needed.
	entry *networking.ServiceEntry
}

// collectExports decides the names and addresses of everything that other
// clusters get to know. They do not depend on the cluster that is rendered.
func (r *Renderer) collectExports() {
	var all []*export
	for i := range r.result.Destinations {
		federation := r.result.Destinations[i].Federation
		if federation == nil {
			continue
		}
		d := &r.world.Destinations[i]
		e := &export{
			destination: d, federation: federation, hostname: federation.FederatedHostname(d),
			name:    objectName(d.Ref.Name + "-" + d.Ref.Namespace + "-" + d.Ref.ClusterName),
			parents: []world.ObjectID{parentOf(kindVirtualMesh, &federation.VirtualMesh.Resource.ObjectMeta)},
			ports:   entryPorts(d), clusters: r.importers(federation, d.Ref.ClusterName),
		}
		if len(e.clusters) == 0 {
			continue
		}
		if reason := e.obstacle(); reason != "" {
			r.omit(Omission{Object: world.DestinationID(d), Cluster: d.Ref.ClusterName, Reason: reason})
			continue
		}
		r.exports[i] = e
		all = append(all, e)
	}
	giveAddresses(all)
}

// importers returns the clusters, other than the own one, of the meshes that a
// Destination is federated to.
func (r *Renderer) importers(federation *policy.Federation, own string) []string {
	var clusters []string
	seen := map[string]bool{own: true}
	for _, id := range federation.Meshes {
		if m := &r.world.Meshes[id]; canHold(m) && !seen[m.Cluster] {
			seen[m.Cluster] = true
			clusters = append(clusters, m.Cluster)
		}
	}
	return clusters
}

// obstacle returns why the Destination cannot be made known to others; "" if
// it can.
func (e *export) obstacle() string {
	switch {
	case !isDNSName(e.hostname):
		return fmt.Sprintf("its federated hostname %q is not a valid DNS name; it is not exported to other clusters", e.hostname)
	case !isDNSName(e.destination.Hostname):
		return fmt.Sprintf("its hostname %q is not a valid DNS name; it is not exported to other clusters", e.destination.Hostname)
	case len(e.ports) == 0:
		return "it has no port that a ServiceEntry supports; it is not exported to other clusters"
	default:
		return ""
	}
}

// giveAddresses gives every export an address of its own in 240.0.0.0/4 that
// depends on its name. Where two come out equal, or one is reserved, the later by
// key is computed anew with a counter (semantics 5.5, D36).
func giveAddresses(exports []*export) {
	inOrder := slices.Clone(exports)
	slices.SortFunc(inOrder, func(a, b *export) int { return strings.Compare(a.destination.Key(), b.destination.Key()) })
	taken := make(map[uint32]bool, len(inOrder))
	for _, e := range inOrder {
		ref := e.destination.Ref
		text := ref.Name + ref.Namespace + ref.ClusterName + "kube-service"
		sum := addressOf(text)
		for n := 1; taken[sum] || isReserved(sum); n++ {
			sum = addressOf(text + strconv.Itoa(n))
		}
		taken[sum] = true
		var octets [4]byte
		binary.BigEndian.PutUint32(octets[:], sum)
		e.address = netip.AddrFrom4(octets).String()
	}
}

// isReserved reports whether an address is not to be given: the one that reaches
// everybody, and those that Istio itself gives to hosts, 240.240.0.0/16
// (semantics D63).
func isReserved(address uint32) bool {
	const istioOwn = 240<<8 | 240
	return address == math.MaxUint32 || address>>16 == istioOwn
}

// addressOf returns the address for a text: its 32 bit FNV-1 hash, the bytes in
// reverse, in the upper sixteenth of all addresses.
func addressOf(text string) uint32 {
	hash := fnv.New32()
	_, _ = hash.Write([]byte(text)) // never fails
	var octets [4]byte
	binary.LittleEndian.PutUint32(octets[:], hash.Sum32())
	octets[0] |= 240
	return binary.BigEndian.Uint32(octets[:])
}

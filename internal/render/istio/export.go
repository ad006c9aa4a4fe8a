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

// export holds how a Destination is announced to other clusters.
type export struct {
	destination *world.Destination
	federation  *policy.Federation
	// parents is the VirtualMesh.
	parents  []world.ObjectID
	hostname string
	// name is the name of objects that are not named after a hostname.
	name string
	// address is the address to which the hostname resolves, unless another
	// object resolves it.
	address string
	ports   []*networking.ServicePort
	// clusters are the clusters of the meshes to which it is exposed, in the
	// order of the meshes.
	clusters []string

	// entry is the ServiceEntry for other clusters, rendered on first use.
	entry *networking.ServiceEntry
}

// collectExports assigns the names and addresses of all exports, which are the
// same in every cluster.
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
		if reason := e.problem(); reason != "" {
			r.omit(Omission{Object: world.DestinationID(d), Cluster: d.Ref.ClusterName, Reason: reason})
			continue
		}
		r.exports[i] = e
		all = append(all, e)
	}
	assignAddresses(all)
}

// importers returns the clusters of the meshes to which a Destination is
// federated, without its own.
func (r *Renderer) importers(federation *policy.Federation, own string) []string {
	var clusters []string
	seen := map[string]bool{own: true}
	for _, id := range federation.Meshes {
		if m := &r.world.Meshes[id]; hasConfigNamespace(m) && !seen[m.Cluster] {
			seen[m.Cluster] = true
			clusters = append(clusters, m.Cluster)
		}
	}
	return clusters
}

// problem returns why the Destination cannot be announced to other clusters; ""
// if it can.
func (e *export) problem() string {
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

// assignAddresses gives every export an address in 240.0.0.0/4 that depends on its
// name. If two are equal, or one is reserved, the later one by key is hashed
// again with a counter (D36).
func assignAddresses(exports []*export) {
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

// isReserved reports whether an address must not be assigned: the broadcast
// address, and those that Istio itself assigns to hosts, 240.240.0.0/16
// (D63).
func isReserved(address uint32) bool {
	const istioOwn = 240<<8 | 240
	return address == math.MaxUint32 || address>>16 == istioOwn
}

// addressOf returns the address for a text: its 32-bit FNV-1 hash with reversed
// bytes, mapped into 240.0.0.0/4.
func addressOf(text string) uint32 {
	hash := fnv.New32()
	_, _ = hash.Write([]byte(text)) // never fails
	var octets [4]byte
	binary.LittleEndian.PutUint32(octets[:], hash.Sum32())
	octets[0] |= 240
	return binary.BigEndian.Uint32(octets[:])
}

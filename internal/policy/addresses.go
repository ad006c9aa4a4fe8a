package policy

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// reportAddresses checks the addresses that clusters announce to other clusters
// (D73).
func (e *evaluator) reportAddresses() {
	between, within := addressOwners{}, addressOwners{}
	for i := range e.result.Meshes {
		for _, g := range e.result.Meshes[i].Gateways {
			d := &e.world.Destinations[g.Destination]
			e.reportUnusable(d, externalAddresses(d))
			for _, address := range g.Addresses {
				plain, name := plainAddress(address), "the gateway "+d.Key()
				between.add(sharedAddress{address: plain}, addressOwner{place: d.Ref.ClusterName, name: name, gateway: d})
				// Two meshes of one cluster may share an address if the ports
				// differ.
				within.add(sharedAddress{plain, d.Ref.ClusterName, g.ExternalPort}, addressOwner{place: strconv.Itoa(i), name: name, gateway: d})
			}
		}
	}
	for i := range e.result.Destinations {
		d := &e.world.Destinations[i]
		if !d.IsService() {
			continue
		}
		pods := podAddresses(d)
		if f := e.result.Destinations[i].Federation; f != nil && f.Flat {
			e.reportUnusable(d, pods)
		}
		for _, address := range pods {
			if at := (sharedAddress{address: plainAddress(address)}); len(between[at]) > 0 {
				between.add(at, addressOwner{place: d.Ref.ClusterName, name: "a pod of " + d.Key()})
			}
		}
	}
	e.reportShared(between)
	e.reportShared(within)
}

// reportUnusable reports addresses that are not announced to other clusters.
func (e *evaluator) reportUnusable(d *world.Destination, addresses []string) {
	for _, address := range addresses {
		if reason := world.AddressProblem(address); reason != "" {
			e.report(finding.New(finding.CodeUnusableAddress, world.DestinationID(d), fmt.Sprintf("other clusters are not told about its address %q: %s", address, reason)))
		}
	}
}

// sharedAddress is an address with possibly several owners; cluster and port are
// only set if owners are compared within one cluster.
type sharedAddress struct {
	address, cluster string
	port             uint32
}

// addressOwner is an owner of an address. Owners in the same place do not
// conflict.
type addressOwner struct {
	place, name string
	// gateway is nil for pods.
	gateway *world.Destination
}

type addressOwners map[sharedAddress][]addressOwner

func (o addressOwners) add(at sharedAddress, owner addressOwner) { o[at] = append(o[at], owner) }

// reportShared reports gateways whose address has an owner in another place.
func (e *evaluator) reportShared(owners addressOwners) {
	for at, all := range owners {
		slices.SortFunc(all, func(a, b addressOwner) int {
			return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.place, b.place))
		})
		all = slices.Compact(all)
		count := map[string]int{}
		// A few owners of each place suffice to name one of another place.
		var few []addressOwner
		for _, owner := range all {
			if count[owner.place]++; count[owner.place] <= listedNames {
				few = append(few, owner)
			}
		}
		for _, owner := range all {
			others := len(all) - count[owner.place]
			if owner.gateway == nil || others == 0 {
				continue
			}
			var names []string
			for _, other := range few {
				if len(names) == listedNames {
					break
				}
				if other.place != owner.place {
					names = append(names, other.name)
				}
			}
			e.report(finding.New(finding.CodeSharedAddress, world.DestinationID(owner.gateway), fmt.Sprintf(
				"its address %s is also that of %s", at.address, text.BoundedOf(names, others, listedNames))))
		}
	}
}

// plainAddress normalises the spelling of an address.
func plainAddress(written string) string {
	if address, err := netip.ParseAddr(written); err == nil {
		return address.Unmap().String()
	}
	return written
}

func externalAddresses(d *world.Destination) []string {
	var addresses []string
	for _, a := range d.Resource.Spec.KubeService.ExternalAddresses {
		for _, v := range []*string{a.DNSName, a.IP} {
			if v != nil && *v != "" {
				addresses = append(addresses, *v)
				break
			}
		}
	}
	return addresses
}

func podAddresses(d *world.Destination) []string {
	var addresses []string
	for _, group := range d.Resource.Spec.KubeService.EndpointSubsets {
		for _, endpoint := range group.Endpoints {
			addresses = append(addresses, endpoint.IPAddress)
		}
	}
	return addresses
}

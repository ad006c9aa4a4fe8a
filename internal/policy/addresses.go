package policy

import (
	"fmt"
	"net/netip"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// reportAddresses judges the addresses that clusters give as theirs, as far as
// other clusters are told about them (semantics D73).
func (e *evaluator) reportAddresses() {
	owners := map[string][]*world.Destination{}
	for i := range e.result.Meshes {
		for _, g := range e.result.Meshes[i].Gateways {
			d := &e.world.Destinations[g.Destination]
			e.reportUnusable(d, externalAddresses(d))
			for _, address := range g.Addresses {
				owners[plainAddress(address)] = append(owners[plainAddress(address)], d)
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
			e.reportShared(owners[plainAddress(address)], d, address, "a pod of "+d.Key())
		}
	}
	for address, gateways := range owners {
		for _, d := range gateways {
			e.reportShared(gateways, d, address, "the gateway "+d.Key())
		}
	}
}

// reportUnusable notes addresses that nobody is told about.
func (e *evaluator) reportUnusable(d *world.Destination, addresses []string) {
	for _, address := range addresses {
		if reason := world.AddressProblem(address); reason != "" {
			e.report(finding.New(finding.CodeUnusableAddress, world.DestinationID(d), fmt.Sprintf("other clusters are not told about its address %q: %s", address, reason)))
		}
	}
}

// reportShared notes gateways whose address something in another cluster has.
func (e *evaluator) reportShared(gateways []*world.Destination, other *world.Destination, address, what string) {
	for _, gateway := range gateways {
		if gateway.Ref.ClusterName != other.Ref.ClusterName {
			e.report(finding.New(finding.CodeSharedAddress, world.DestinationID(gateway), fmt.Sprintf("its address %s is that of %s, too", address, what)))
		}
	}
}

// plainAddress gives an address one spelling.
func plainAddress(text string) string {
	if address, err := netip.ParseAddr(text); err == nil {
		return address.Unmap().String()
	}
	return text
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

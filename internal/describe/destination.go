package describe

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// typeExternal is the type of a Destination that is not a Kubernetes Service.
const typeExternal = "EXTERNAL"

// Destinations describes the given Destinations, in their order.
func Destinations(result *policy.Result, destinations []*world.Destination, opts Options) DestinationDescriptionList {
	v := newViewer(result)
	return newList(v, "DestinationDescriptionList", destinations, opts,
		func(d *world.Destination) (*DestinationDescription, []int) { return v.destination(d, opts) })
}

func (v viewer) destination(d *world.Destination, opts Options) (*DestinationDescription, []int) {
	item := &DestinationDescription{
		Name: d.Ref.Name, Namespace: d.Ref.Namespace, Cluster: d.Ref.ClusterName,
		Type: typeExternal, Labels: d.Labels, Selector: d.Selector, Hostname: d.Hostname,
		Mesh: viewMesh(d.Mesh), VirtualMesh: v.virtualMesh(d.Mesh), Facts: d.Facts,
	}
	switch spec := d.Resource.Spec; {
	case spec.KubeService != nil:
		item.Type = string(spec.KubeService.ServiceType.OrDefault())
		item.Ports = servicePorts(spec.KubeService)
		item.ExternalAddresses = externalAddresses(spec.KubeService)
	case spec.ExternalService != nil:
		item.Hosts, item.ExternalAddresses = spec.ExternalService.Hosts, spec.ExternalService.Addresses
		item.Ports = externalPorts(spec.ExternalService)
	}
	v.addFederation(item, d)
	v.addPolicies(item, d.ID)
	if opts.Details {
		item.Workloads = WorkloadKeys(v.world, d.Backing)
		v.addCallers(item, d)
		item.Rejected = v.rejected(v.result.RejectedOn(d.ID))
	} else {
		count := len(d.Backing)
		item.WorkloadCount = &count
	}
	findings := v.result.FindingsOn(v.objectsOf(d)...)
	item.findings = len(findings)
	return item, findings
}

// objectsOf returns all objects whose findings concern a Destination.
func (v viewer) objectsOf(d *world.Destination) []world.ObjectID {
	objects := append(v.meshObjects(d.Mesh), world.DestinationID(d))
	for _, id := range d.Backing {
		objects = append(objects, world.WorkloadID(&v.world.Workloads[id]))
	}
	decided := &v.result.Destinations[d.ID]
	for _, i := range decided.Traffic {
		objects = append(objects, v.policyID(policy.PolicyRef{Kind: policy.KindTrafficPolicy, Index: i}))
	}
	for _, i := range decided.Access {
		objects = append(objects, v.policyID(policy.PolicyRef{Kind: policy.KindAccessPolicy, Index: i}))
	}
	for _, ref := range v.result.InvalidOn(d.ID) {
		objects = append(objects, v.policyID(ref))
	}
	return objects
}

func servicePorts(service *discoveryv1.KubeService) []PortDescription {
	ports := make([]PortDescription, 0, len(service.Ports))
	for _, p := range service.Ports {
		protocol, routes := policy.RoutedProtocol(p)
		view := PortDescription{Port: p.Port, Name: p.Name, NodePort: p.NodePort, Protocol: string(protocol), Routes: routes}
		switch {
		case p.TargetPortName != nil && *p.TargetPortName != "":
			view.TargetPort = *p.TargetPortName
		case p.TargetPortNumber != nil && *p.TargetPortNumber != 0 && *p.TargetPortNumber != p.Port:
			view.TargetPort = strconv.FormatUint(uint64(*p.TargetPortNumber), 10)
		}
		ports = append(ports, view)
	}
	slices.SortFunc(ports, func(a, b PortDescription) int { return int(a.Port) - int(b.Port) })
	return ports
}

func externalPorts(service *discoveryv1.ExternalService) []PortDescription {
	ports := make([]PortDescription, 0, len(service.Ports))
	for _, p := range service.Ports {
		ports = append(ports, PortDescription{Port: p.Number, Name: p.Name, Protocol: p.Protocol})
	}
	slices.SortFunc(ports, func(a, b PortDescription) int { return int(a.Port) - int(b.Port) })
	return ports
}

func externalAddresses(service *discoveryv1.KubeService) []string {
	var addresses []string
	for _, a := range service.ExternalAddresses {
		for _, address := range []*string{a.IP, a.DNSName} {
			if address != nil && *address != "" {
				addresses = append(addresses, *address)
			}
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

func (v viewer) addFederation(item *DestinationDescription, d *world.Destination) {
	if f := v.result.Destinations[d.ID].Federation; f != nil {
		item.FederatedHostname, item.FederatedTo, item.FederatedVia = f.FederatedHostname(d), MeshRefs(v.world, f.Meshes), policy.ViaGateway
		if f.Flat {
			item.FederatedVia = policy.ViaFlat
		}
	}
	if g := v.result.GatewayOf(d); g != nil {
		gateway := v.gateway(*g)
		item.Gateway = &gateway
	}
}

func (v viewer) gateway(g policy.Gateway) GatewayDescription {
	return GatewayDescription{
		Service: viewService(&v.world.Destinations[g.Destination]), Addresses: g.Addresses,
		ExternalPort: g.ExternalPort, ContainerPort: g.ContainerPort,
	}
}

func (v viewer) addPolicies(item *DestinationDescription, destination int) {
	decided := &v.result.Destinations[destination]
	add := func(ref policy.PolicyRef) {
		view := v.policyOn(ref, destination)
		if ref.Kind == policy.KindTrafficPolicy {
			item.TrafficPolicies = append(item.TrafficPolicies, view)
		} else {
			item.AccessPolicies = append(item.AccessPolicies, view)
		}
	}
	for _, i := range decided.Traffic {
		add(policy.PolicyRef{Kind: policy.KindTrafficPolicy, Index: i})
	}
	for _, i := range decided.Access {
		add(policy.PolicyRef{Kind: policy.KindAccessPolicy, Index: i})
	}
	for _, ref := range v.result.InvalidOn(destination) {
		add(ref)
	}
}

func (v viewer) policyOn(ref policy.PolicyRef, destination int) PolicyOnDestination {
	meta, app := v.result.Meta(ref), v.result.ApplicationOf(ref)
	view := PolicyOnDestination{Namespace: meta.Namespace, Name: meta.Name, State: policy.StateApplied, Fields: app.Fields}
	if errors, rejected := app.Rejected[destination]; rejected {
		view.State, view.Errors = policy.StateInvalid, errors
	}
	if !app.Valid() {
		view.State, view.Errors = policy.StateInvalid, app.AllErrors()
	}
	return view
}

// addCallers adds who may call the Destination and the routes and settings of
// requests to it.
func (v viewer) addCallers(item *DestinationDescription, d *world.Destination) {
	if !d.IsService() {
		return
	}
	all := v.result.AccessTo(d.ID)
	for _, pods := range all {
		access := DestinationAccess{OpenGateway: pods.Open, InboundAccess: InboundAccess{Default: "ALLOW"}}
		if pods.DeniesOthers {
			access.Default = "DENY"
		}
		if len(all) > 1 {
			access.Workloads = WorkloadKeys(v.world, pods.Workloads)
		}
		for _, rule := range pods.Rules {
			access.Rules = append(access.Rules, v.accessRules(d.ID, rule)...)
		}
		item.Access = append(item.Access, access)
	}
	for _, origin := range v.result.Origins(d.ID) {
		view := OriginRequests{
			FromCluster: origin.Cluster, Hostname: origin.Hostname, Via: origin.Via,
			Connection: v.connection(v.result.ConnectionFrom(origin.Cluster, d.ID)),
		}
		if origin.Mesh >= 0 {
			ref := ObjectOf(v.world.Meshes[origin.Mesh].Ref)
			view.FromMesh = &ref
		}
		for _, route := range v.result.ReachedRoutes(origin.Cluster, d.ID) {
			view.Routes = append(view.Routes, CallerRoute{Callers: viewCallers(route.Source), Route: v.route(route)})
		}
		item.Requests = append(item.Requests, view)
	}
}

func viewCallers(source selector.SourceMatch) *CallerSet {
	if source.Namespace == "" && len(source.Labels) == 0 {
		return nil
	}
	return &CallerSet{Namespace: source.Namespace, Labels: source.Labels}
}

func (d *DestinationDescription) reference() string {
	return "destination/" + ServiceRef{d.Name, d.Namespace, d.Cluster}.String()
}

// address returns the address that other clusters connect to.
func (g GatewayDescription) address() string {
	if len(g.Addresses) == 0 {
		return fmt.Sprintf("no address, port %d", g.ExternalPort)
	}
	text := ""
	for i, a := range g.Addresses {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s:%d", a, g.ExternalPort)
	}
	return text
}

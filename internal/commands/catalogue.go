package commands

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/snapshot"
	"github.com/meshctl/meshctl/internal/wizard"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// catalogueOf lists what questions about a world offer. Taken are the names of
// the resources of the kind that exist already.
func catalogueOf(result *policy.Result, taken []snapshot.Names) wizard.Catalogue {
	world := result.World
	c := wizard.Catalogue{
		Meshes: meshChoices(result), Services: serviceChoices(world), Clusters: world.Clusters(),
		ServiceAccounts: accountsOf(world), Namespaces: namespacesOf(world),
	}
	for _, n := range taken {
		c.Taken = append(c.Taken, n.Full())
	}
	var workloads, services []map[string]string
	for i := range world.Workloads {
		workloads = append(workloads, world.Workloads[i].Labels)
	}
	for i := range world.Destinations {
		if world.Destinations[i].IsService() {
			services = append(services, world.Destinations[i].Labels)
		}
	}
	c.WorkloadLabels, c.ServiceLabels = labelChoices(workloads), labelChoices(services)
	return c
}

func meshChoices(result *policy.Result) []wizard.MeshChoice {
	var choices []wizard.MeshChoice
	for _, m := range result.World.MeshPointers() {
		choice := wizard.MeshChoice{
			Ref: m.Ref, Cluster: strings.Join(m.Clusters, ","), Type: string(m.Type), Version: m.Version, TrustDomain: m.TrustDomain,
		}
		if vm := result.Meshes[m.ID].VirtualMesh; vm != nil {
			choice.VirtualMesh = vm.Resource.Name + "." + vm.Resource.Namespace
		}
		choices = append(choices, choice)
	}
	return choices
}

func serviceChoices(world *snapshot.World) []wizard.ServiceChoice {
	var choices []wizard.ServiceChoice
	for _, d := range world.DestinationPointers() {
		choice := wizard.ServiceChoice{Ref: d.Ref, Labels: d.Labels, External: !d.IsService(), Gateway: policy.IsIngressGateway(d)}
		if service := d.Resource.Spec.KubeService; service != nil {
			for _, port := range service.Ports {
				choice.Ports = append(choice.Ports, wizard.PortChoice{Number: port.Port, Name: port.Name})
			}
			choice.Subsets = map[string][]string{}
			for key, subset := range service.Subsets {
				choice.Subsets[key] = subset.Values
			}
		}
		choices = append(choices, choice)
	}
	return choices
}

// accountsOf returns the service accounts that workloads run as, sorted.
func accountsOf(world *snapshot.World) []core.ClusterObjectRef {
	var accounts []core.ClusterObjectRef
	for i := range world.Workloads {
		if w := &world.Workloads[i]; w.ServiceAccount != "" {
			accounts = append(accounts, core.ClusterObjectRef{Name: w.ServiceAccount, Namespace: w.Namespace, ClusterName: w.Cluster})
		}
	}
	slices.SortFunc(accounts, func(a, b core.ClusterObjectRef) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ClusterName, b.ClusterName))
	})
	return slices.Compact(accounts)
}

// namespacesOf returns the namespaces of workloads and Services, sorted.
func namespacesOf(world *snapshot.World) []string {
	var namespaces []string
	for i := range world.Workloads {
		namespaces = append(namespaces, world.Workloads[i].Namespace)
	}
	for i := range world.Destinations {
		if world.Destinations[i].IsService() {
			namespaces = append(namespaces, world.Destinations[i].Ref.Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// labelChoices counts how often each label occurs, sorted by key and value.
func labelChoices(all []map[string]string) []wizard.LabelChoice {
	counts := map[wizard.LabelChoice]int{}
	for _, labels := range all {
		for key, value := range labels {
			counts[wizard.LabelChoice{Key: key, Value: value}]++
		}
	}
	var choices []wizard.LabelChoice
	for label, count := range counts {
		label.Workloads = count
		choices = append(choices, label)
	}
	slices.SortFunc(choices, func(a, b wizard.LabelChoice) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	return choices
}

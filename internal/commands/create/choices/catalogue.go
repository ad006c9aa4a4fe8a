// Package choices holds what create offers: the completion of its flags, and the
// catalogue that its questions choose from.
package choices

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Catalogue returns the choices that questions offer. The names of existing
// resources of the kind are taken.
func Catalogue(result *policy.Result, taken []world.Names) wizard.Catalogue {
	w := result.World
	c := wizard.Catalogue{
		Meshes: meshChoices(result), Services: serviceChoices(w), Clusters: w.Clusters(),
		ServiceAccounts: accountsOf(w), Namespaces: namespacesOf(w),
	}
	for _, n := range taken {
		c.Taken = append(c.Taken, n.Full())
	}
	var workloads, services []map[string]string
	for i := range w.Workloads {
		workloads = append(workloads, w.Workloads[i].Labels)
	}
	for i := range w.Destinations {
		if w.Destinations[i].IsService() {
			services = append(services, w.Destinations[i].Labels)
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

func serviceChoices(w *world.World) []wizard.ServiceChoice {
	var choices []wizard.ServiceChoice
	for _, d := range w.DestinationPointers() {
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
func accountsOf(all *world.World) []core.ClusterObjectRef {
	var accounts []core.ClusterObjectRef
	for i := range all.Workloads {
		if w := &all.Workloads[i]; w.ServiceAccount != "" {
			accounts = append(accounts, core.ClusterObjectRef{Name: w.ServiceAccount, Namespace: w.Namespace, ClusterName: w.Cluster})
		}
	}
	slices.SortFunc(accounts, func(a, b core.ClusterObjectRef) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ClusterName, b.ClusterName))
	})
	return slices.Compact(accounts)
}

// namespacesOf returns the namespaces of workloads and Services, sorted.
func namespacesOf(w *world.World) []string {
	var namespaces []string
	for i := range w.Workloads {
		namespaces = append(namespaces, w.Workloads[i].Namespace)
	}
	for i := range w.Destinations {
		if w.Destinations[i].IsService() {
			namespaces = append(namespaces, w.Destinations[i].Ref.Namespace)
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

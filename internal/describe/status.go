package describe

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/status"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// StatusList is the result of `describe ... --status`: the objects with the
// status that they would get.
type StatusList struct {
	metav1.TypeMeta `json:",inline"`
	Items           []StatusItem `json:"items"`
}

// StatusItem is one object and its status.
type StatusItem struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        StatusMetadata `json:"metadata"`
	Status          any            `json:"status"`
}

// StatusMetadata identifies the object.
type StatusMetadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// StatusKind is a kind of object that has a status.
type StatusKind string

// The kinds whose status the engine computes.
const (
	StatusVirtualMesh   StatusKind = "VirtualMesh"
	StatusTrafficPolicy StatusKind = "TrafficPolicy"
	StatusAccessPolicy  StatusKind = "AccessPolicy"
	StatusMesh          StatusKind = "Mesh"
	StatusWorkload      StatusKind = "Workload"
	StatusDestination   StatusKind = "Destination"
)

// Statuses returns the objects of a kind at the given positions in the world
// with the status they would get.
func Statuses(result *policy.Result, kind StatusKind, positions []int) StatusList {
	list := StatusList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "List"}, Items: make([]StatusItem, 0, len(positions))}
	statuses := status.Of(result)
	for _, i := range positions {
		list.Items = append(list.Items, statusItem(result, statuses, kind, i))
	}
	return list
}

func statusItem(result *policy.Result, statuses *status.Statuses, kind StatusKind, i int) StatusItem {
	world := result.World
	networking, discovery := networkingv1.GroupVersion().String(), discoveryv1.GroupVersion().String()
	switch kind {
	case StatusVirtualMesh:
		return newStatusItem(networking, kind, &result.VirtualMeshes[i].Resource.ObjectMeta, statuses.VirtualMesh(i))
	case StatusTrafficPolicy:
		return newStatusItem(networking, kind, &result.TrafficPolicies[i].Resource.ObjectMeta, statuses.TrafficPolicy(i))
	case StatusAccessPolicy:
		return newStatusItem(networking, kind, &result.AccessPolicies[i].Resource.ObjectMeta, statuses.AccessPolicy(i))
	case StatusMesh:
		return newStatusItem(discovery, kind, &world.Meshes[i].Resource.ObjectMeta, statuses.Mesh(i))
	case StatusWorkload:
		return newStatusItem(discovery, kind, &world.Workloads[i].Resource.ObjectMeta, statuses.Workload(i))
	case StatusDestination:
		return newStatusItem(discovery, kind, &world.Destinations[i].Resource.ObjectMeta, statuses.Destination(i))
	default:
		panic(fmt.Sprintf("no status for kind %q", kind)) // never happens: kinds are constants
	}
}

func newStatusItem(apiVersion string, kind StatusKind, meta *metav1.ObjectMeta, status any) StatusItem {
	return StatusItem{
		TypeMeta: metav1.TypeMeta{APIVersion: apiVersion, Kind: string(kind)},
		Metadata: StatusMetadata{Name: meta.Name, Namespace: meta.Namespace}, Status: status,
	}
}

// View returns the list in all forms. The table only has the states, as a full
// status is meant for machines.
func (l StatusList) View() view.View {
	name := func(item *StatusItem) string { return item.Metadata.Name + "." + item.Metadata.Namespace }
	return view.View{
		Document: view.Value(newDocument(l.APIVersion, l.Kind, view.Each(l.Items), nil)),
		Table: func(bool) (view.Table, error) {
			table := view.Table{Columns: []view.Column{{Name: "KIND"}, {Name: "NAME"}, {Name: "STATE", Tone: toneOf}}}
			for i := range l.Items {
				item := &l.Items[i]
				table.Add(item.Kind, name(item), view.OrNone(stateOf(item.Status)))
			}
			return table, nil
		},
		Names: view.NameEach(l.Items, func(item *StatusItem) string { return item.Kind + "/" + name(item) }),
	}
}

func stateOf(status any) string {
	switch s := status.(type) {
	case networkingv1.VirtualMeshStatus:
		return string(s.State)
	case networkingv1.TrafficPolicyStatus:
		return string(s.State)
	case networkingv1.AccessPolicyStatus:
		return string(s.State)
	default:
		return ""
	}
}

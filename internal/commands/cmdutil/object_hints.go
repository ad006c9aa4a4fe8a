package cmdutil

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
)

// hintWorkload describes a workload in a few words.
func hintWorkload(result *policy.Result, i int) string {
	w := &result.World.Workloads[i]
	if w.Mesh == nil {
		return w.Kind + " in no mesh"
	}
	return w.Kind + " in mesh " + w.Mesh.Ref.Name
}

// HintDestination describes a destination in a few words.
func HintDestination(result *policy.Result, i int) string {
	d := &result.World.Destinations[i]
	if !d.IsService() {
		return "external service"
	}
	var ports []string
	for _, port := range d.Resource.Spec.KubeService.Ports {
		ports = append(ports, fmt.Sprint(port.Port))
	}
	switch len(ports) {
	case 0:
		return "Service without ports"
	case 1:
		return "Service on port " + ports[0]
	default:
		return "Service on ports " + strings.Join(ports, ", ")
	}
}

// HintMesh describes a mesh and its virtual mesh in a few words.
func HintMesh(result *policy.Result, i int) string {
	m := &result.World.Meshes[i]
	text := string(m.Type)
	if m.Version != "" {
		text += " " + m.Version
	}
	if len(m.Clusters) > 0 {
		text += " on " + strings.Join(m.Clusters, ", ")
	}
	if vm := result.Meshes[i].VirtualMesh; vm != nil {
		return text + ", in virtual mesh " + vm.Resource.Name + "." + vm.Resource.Namespace
	}
	return text + ", in no virtual mesh"
}

// HintVirtualMesh returns the state of a virtual mesh and the number of its meshes.
func HintVirtualMesh(result *policy.Result, i int) string {
	vm := &result.VirtualMeshes[i]
	return fmt.Sprintf("%s, lists %s", vm.State, counted(len(vm.Resource.Spec.Meshes), MeshKind()))
}

// hintPolicy returns a function that returns the state of a policy of the kind.
func hintPolicy(kind policy.PolicyKind) func(result *policy.Result, i int) string {
	return func(result *policy.Result, i int) string {
		app := result.ApplicationOf(policy.PolicyRef{Kind: kind, Index: i})
		effect := "effective on " + counted(len(app.EffectiveDestinations()), DestinationKind())
		if state := app.State(); state != policy.StateApplied { // nothing is known here about what is written
			return string(state) + ", " + effect
		}
		return effect
	}
}

// hintCluster says whether a cluster is registered.
func hintCluster(result *policy.Result, i int) string {
	if result.World.Registered(result.World.Clusters()[i]) {
		return "registered"
	}
	return "not registered"
}

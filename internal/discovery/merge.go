package discovery

import (
	"slices"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Merge unites the results of several clusters. It does not modify its arguments,
// and their order does not matter. An App Mesh that several clusters share
// becomes one. Names that would collide (`a-b` in `c`, and `a` in
// `b-c`) are made unique.
func Merge(outputs ...Output) Output {
	outputs = slices.Clone(outputs)
	slices.SortStableFunc(outputs, func(a, b Output) int { return strings.Compare(a.Cluster, b.Cluster) })
	var merged Output
	appMeshes := map[string]int{} // positions in merged.Meshes, keyed by ARN
	meshNames, workloadNames, destinationNames := namer{}, namer{}, namer{}
	for _, out := range outputs {
		renamed := map[core.ObjectRef]string{}
		for _, mesh := range out.Meshes {
			if app := mesh.Spec.AWSAppMesh; app != nil {
				at, known := appMeshes[app.ARN]
				if known {
					shareAppMesh(&merged.Meshes[at], app.Clusters)
					renamed[core.ObjectRef{Name: mesh.Name, Namespace: mesh.Namespace}] = merged.Meshes[at].Name
					continue
				}
				appMeshes[app.ARN] = len(merged.Meshes)
			}
			ref := core.ObjectRef{Name: mesh.Name, Namespace: mesh.Namespace}
			mesh.Name, _ = meshNames.assign(mesh.Name, key(mesh.Name, mesh.Namespace, out.Cluster))
			renamed[ref] = mesh.Name
			merged.Meshes = append(merged.Meshes, mesh)
		}
		for _, workload := range out.Workloads {
			workload.Name, _ = workloadNames.assign(workload.Name, key(workload.Name, workload.Namespace, out.Cluster))
			workload.Spec.Mesh = renamedRef(workload.Spec.Mesh, renamed)
			merged.Workloads = append(merged.Workloads, workload)
		}
		for _, destination := range out.Destinations {
			destination.Name, _ = destinationNames.assign(destination.Name, key(destination.Name, destination.Namespace, out.Cluster))
			destination.Spec.Mesh = renamedRef(destination.Spec.Mesh, renamed)
			merged.Destinations = append(merged.Destinations, destination)
		}
		merged.Notes = append(merged.Notes, out.Notes...)
	}
	merged.sort()
	return merged
}

// shareAppMesh adds clusters to the list of an App Mesh.
func shareAppMesh(mesh *discoveryv1.Mesh, clusters []string) {
	shared := *mesh.Spec.AWSAppMesh
	shared.Clusters = slices.Concat(shared.Clusters, clusters)
	slices.Sort(shared.Clusters)
	shared.Clusters = slices.Compact(shared.Clusters)
	mesh.Spec.AWSAppMesh = &shared
}

func renamedRef(ref *core.ObjectRef, renamed map[core.ObjectRef]string) *core.ObjectRef {
	if ref == nil || renamed[*ref] == "" {
		return ref
	}
	return &core.ObjectRef{Name: renamed[*ref], Namespace: ref.Namespace}
}

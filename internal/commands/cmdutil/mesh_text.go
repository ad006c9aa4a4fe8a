package cmdutil

import (
	"fmt"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// MeshText describes a mesh by its type, version and namespace.
func MeshText(spec discoveryv1.MeshSpec) string {
	name, installation := "mesh", (*discoveryv1.MeshInstallation)(nil)
	switch {
	case spec.Istio != nil:
		name, installation = "istio", spec.Istio.Installation
	case spec.OSM != nil:
		name, installation = "osm", spec.OSM.Installation
	case spec.Linkerd != nil:
		name, installation = "linkerd", spec.Linkerd.Installation
	}
	if installation == nil {
		return name
	}
	return fmt.Sprintf("%s %s (%s)", name, installation.Version, installation.Namespace)
}

package discovery

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

const (
	osmControllerName = "osm-controller"
	linkerdName       = "linkerd-destination"
)

// hintUnmanaged is the hint for meshes that meshctl does not configure.
const hintUnmanaged = "It is shown, but policies take effect on Istio meshes only."

func osmImage(deployment *appsv1.Deployment) string {
	if deployment.Name != osmControllerName {
		return ""
	}
	return imageOf(deployment.Spec.Template.Spec.Containers, osmControllerName)
}

// linkerdImage returns the controller image that makes a Deployment a Linkerd
// control plane. The proxy in the same pod has a version of its own.
func linkerdImage(deployment *appsv1.Deployment) string {
	if deployment.Name != linkerdName {
		return ""
	}
	return imageOf(deployment.Spec.Template.Spec.Containers, "linkerd", "controller")
}

// discoverOtherMeshes finds the control planes of Open Service Mesh and Linkerd.
func (d *discoverer) discoverOtherMeshes() {
	for _, deployment := range d.deployments {
		if image := osmImage(deployment); image != "" {
			if mesh := d.otherMesh(deployment, image, "Open Service Mesh"); mesh != nil {
				mesh.Spec.OSM = &discoveryv1.OSM{Installation: mesh.installation}
				d.osm = addMesh(d.osm, &foundMesh{resource: mesh.Mesh, deployment: deployment})
			}
		}
		if image := linkerdImage(deployment); image != "" {
			if mesh := d.otherMesh(deployment, image, "Linkerd"); mesh != nil {
				mesh.Spec.Linkerd = &discoveryv1.LinkerdMesh{
					Installation: mesh.installation, ClusterDomain: d.linkerdClusterDomain(deployment.Namespace),
				}
				d.linkerd = addMesh(d.linkerd, &foundMesh{resource: mesh.Mesh, deployment: deployment})
			}
		}
	}
}

// installedMesh is a mesh whose type is not filled in yet.
type installedMesh struct {
	*discoveryv1.Mesh
	installation *discoveryv1.MeshInstallation
}

func (d *discoverer) otherMesh(deployment *appsv1.Deployment, image, product string) *installedMesh {
	object := d.object("Deployment", deployment.Namespace, deployment.Name)
	installation, err := d.installation(deployment, image)
	if err != nil {
		d.note(Note{
			Object: object, Message: fmt.Sprintf("this control plane of %s is left out: %s", product, err),
			Hint: "Repair the image, then discover again.", Skipped: true,
		})
		return nil
	}
	d.note(Note{Object: object, Message: "is a control plane of " + product, Hint: hintUnmanaged})
	mesh := &discoveryv1.Mesh{
		TypeMeta:   meshType(),
		ObjectMeta: d.metadata(d.nameFor(d.meshNames, "Deployment", deployment.Namespace, deployment.Name, "")),
	}
	return &installedMesh{mesh, installation}
}

// linkerdClusterDomain reads the cluster domain that Linkerd was installed with;
// empty if it is not known.
func (d *discoverer) linkerdClusterDomain(namespace string) string {
	configMap := d.configMaps[namespaced{namespace, "linkerd-config"}]
	if configMap == nil {
		return ""
	}
	values, err := parseFields(configMap.Data["values"])
	if err != nil {
		return ""
	}
	domain, err := textField(values, "clusterDomain")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(domain)
}

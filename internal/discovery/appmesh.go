package discovery

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// discoverAppMeshes finds one mesh per ARN among the AWS App Mesh resources and
// ignores resources without an ARN. Merge unites meshes that
// several clusters share.
func (d *discoverer) discoverAppMeshes() {
	sources := map[string]*unstructured.Unstructured{}
	var arns []string
	for _, resource := range d.appMeshes {
		arn, _, err := unstructured.NestedString(resource.Object, "status", "meshARN")
		if err != nil {
			d.noteAppMesh(resource, errors.New("status.meshARN is not a string"))
			continue
		}
		if arn != "" && sources[arn] == nil {
			sources[arn] = resource
			arns = append(arns, arn)
		}
	}
	slices.Sort(arns)
	for _, arn := range arns {
		spec, err := parseMeshARN(arn)
		if err != nil {
			d.noteAppMesh(sources[arn], err)
			continue
		}
		spec.Clusters = []string{d.cluster}
		meta := d.metadata("")
		meta.Name, _ = d.meshNames.assign(naming.Sanitise(spec.AWSName+"-"+spec.Region+"-"+spec.AWSAccountID), arn)
		delete(meta.Labels, ClusterLabel)
		d.appMesh = addMesh(d.appMesh, &foundMesh{resource: &discoveryv1.Mesh{
			TypeMeta: meshType(), ObjectMeta: meta, Spec: discoveryv1.MeshSpec{AWSAppMesh: spec},
		}})
		d.note(Note{
			Object:  d.object("Mesh", "", sources[arn].GetName()),
			Message: "is a mesh of AWS App Mesh", Hint: hintUnmanaged,
		})
	}
}

func (d *discoverer) noteAppMesh(resource *unstructured.Unstructured, err error) {
	d.note(Note{
		Object:  d.object("Mesh", "", resource.GetName()),
		Message: fmt.Sprintf("this App Mesh is left out: %s", err),
		Hint:    "Check the logs of the App Mesh controller, which writes the status of the resource.",
		Skipped: true,
	})
}

// parseMeshARN reads arn:PARTITION:appmesh:REGION:ACCOUNT:mesh/NAME.
func parseMeshARN(arn string) (*discoveryv1.AWSAppMesh, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return nil, fmt.Errorf("%q is not an Amazon resource name", arn)
	}
	name := strings.TrimPrefix(parts[5], "mesh/")
	if name == "" || parts[3] == "" || parts[4] == "" {
		return nil, fmt.Errorf("%q names no mesh with a region and an account", arn)
	}
	return &discoveryv1.AWSAppMesh{AWSName: name, Region: parts[3], AWSAccountID: parts[4], ARN: arn}, nil
}

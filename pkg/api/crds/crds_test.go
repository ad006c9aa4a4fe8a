package crds_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	crdvalidation "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"

	"github.com/meshctl/meshctl/pkg/api/crds"
)

func TestAllDefinesEveryKind(t *testing.T) {
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, crd := range all {
		names := crd.Spec.Names
		row := crd.Name + " " + names.Kind + " " + string(crd.Spec.Scope)
		for _, short := range names.ShortNames {
			row += " " + short
		}
		for _, version := range crd.Spec.Versions {
			row += " " + version.Name
			if version.Subresources != nil && version.Subresources.Status != nil {
				row += "+status"
			}
		}
		got = append(got, row)
	}
	want := []string{
		"accesspolicies.networking.mesh.gloo.solo.io AccessPolicy Namespaced ap v1+status",
		"destinations.discovery.mesh.gloo.solo.io Destination Namespaced v1+status",
		"kubernetesclusters.multicluster.solo.io KubernetesCluster Namespaced v1alpha1+status",
		"meshes.discovery.mesh.gloo.solo.io Mesh Namespaced v1+status",
		"settings.settings.mesh.gloo.solo.io Settings Namespaced v1+status",
		"trafficpolicies.networking.mesh.gloo.solo.io TrafficPolicy Namespaced tp v1+status",
		"virtualmeshes.networking.mesh.gloo.solo.io VirtualMesh Namespaced vmesh v1+status",
		"workloads.discovery.mesh.gloo.solo.io Workload Namespaced v1+status",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("CRDs (-want +got):\n%s", diff)
	}
}

// An API server admits a CRD only if its schema is structural and its CEL rules
// compile and stay within the cost limits.
func TestAPIServerAdmitsEveryCRD(t *testing.T) {
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range all {
		t.Run(crd.Name, func(t *testing.T) {
			apiextensionsv1.SetDefaults_CustomResourceDefinition(crd)
			apiextensionsv1.SetDefaults_CustomResourceDefinitionSpec(&crd.Spec)
			internal := &apiextensions.CustomResourceDefinition{}
			if err := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition(crd, internal, nil); err != nil {
				t.Fatal(err)
			}
			// The server fills in the stored version when it creates the object.
			internal.Status.StoredVersions = []string{internal.Spec.Versions[0].Name}
			for _, e := range crdvalidation.ValidateCustomResourceDefinition(context.Background(), internal) {
				t.Error(e)
			}
		})
	}
}

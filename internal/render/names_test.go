package render_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// smallWorld has the Services ratings, and reviews in two clusters, and three
// meshes, two of which share their name.
func smallWorld() *world.World {
	var objects world.Objects
	for _, ref := range []core.ClusterObjectRef{
		{Name: "reviews", Namespace: "bookinfo", ClusterName: "east"},
		{Name: "reviews", Namespace: "bookinfo", ClusterName: "west"},
		{Name: "ratings", Namespace: "bookinfo", ClusterName: "c1.example"},
	} {
		objects.Destinations = append(objects.Destinations, world.Object[discoveryv1.Destination]{Resource: &discoveryv1.Destination{
			ObjectMeta: metav1.ObjectMeta{Name: ref.Name + "-" + ref.ClusterName, Namespace: "gloo-mesh"},
			Spec:       discoveryv1.DestinationSpec{KubeService: &discoveryv1.KubeService{Ref: &ref}},
		}})
	}
	objects.Destinations = append(objects.Destinations, world.Object[discoveryv1.Destination]{Resource: &discoveryv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Name: "database", Namespace: "gloo-mesh"},
		Spec:       discoveryv1.DestinationSpec{ExternalService: &discoveryv1.ExternalService{Name: "database"}},
	}})
	for _, ref := range []core.ObjectRef{
		{Name: "istiod-east", Namespace: "gloo-mesh"},
		{Name: "istiod-west", Namespace: "gloo-mesh"},
		{Name: "istiod-east", Namespace: "other"},
		{Name: "istiod.v1", Namespace: "gloo-mesh"},
	} {
		objects.Meshes = append(objects.Meshes, world.Object[discoveryv1.Mesh]{Resource: &discoveryv1.Mesh{
			ObjectMeta: metav1.ObjectMeta{Name: ref.Name, Namespace: ref.Namespace},
		}})
	}
	return world.New(objects)
}

func TestNamesAreResolvedInTheWorld(t *testing.T) {
	t.Parallel()
	world := render.Names{World: smallWorld(), Namespace: "gloo-mesh"}
	alone := render.Names{Namespace: "gloo-mesh"}
	tests := []struct {
		flag, text string
		names      render.Names
		want       string
	}{
		{"destination", "ratings", world, "ratings.bookinfo.c1.example"},
		{"destination", "ratings.bookinfo", world, "ratings.bookinfo.c1.example"},
		{"destination", "reviews-west", world, "reviews.bookinfo.west"},
		{"destination", "reviews.bookinfo.west", world, "reviews.bookinfo.west"},
		{"destination", "new.bookinfo.west", world, "new.bookinfo.west"},
		{"destination", "ratings/bookinfo/c1.example", world, "ratings.bookinfo.c1.example"},
		{"mirror", "ratings:9080", world, "ratings.bookinfo.c1.example:9080"},
		{"shift", "ratings@v=1=100", world, "ratings.bookinfo.c1.example@v=1=100"},
		{"shift", "service=ratings,weight=100", world, "ratings.bookinfo.c1.example=100"},
		{"mesh", "istiod-west", world, "istiod-west.gloo-mesh"},
		{"mesh", "istiod-east.other", world, "istiod-east.other"},
		{"mesh", "istiod.v1", world, "istiod.v1/gloo-mesh"},
		{"mesh", "not-yet.gloo-mesh", world, "not-yet.gloo-mesh"},
		{"mesh", "istiod-west", alone, "istiod-west.gloo-mesh"},
		{"mesh", "istiod.v1/gloo-mesh", alone, "istiod.v1/gloo-mesh"},
		{"root-secret", "root", alone, "root.gloo-mesh"},
		{"federate", "service=ratings,to=istiod-west", world, "service=ratings.bookinfo.c1.example,to=istiod-west.gloo-mesh"},
	}
	for _, tt := range tests {
		got, err := texts(tt.flag, tt.text, tt.names)
		if err != nil {
			t.Errorf("--%s %s: %v", tt.flag, tt.text, err)
			continue
		}
		if diff := cmp.Diff([]string{tt.want}, got); diff != "" {
			t.Errorf("--%s %s (-want +got):\n%s", tt.flag, tt.text, diff)
		}
	}
}

// texts returns how a flag of whichever kind has it writes what it has read.
func texts(flag, text string, names render.Names) ([]string, error) {
	if field := render.TrafficPolicy().Field(flag); field != nil {
		in := &render.TrafficPolicyInput{}
		err := field.Set(in, text, names)
		return field.Texts(in), err
	}
	field, in := render.VirtualMesh().Field(flag), &render.VirtualMeshInput{}
	err := field.Set(in, text, names)
	return field.Texts(in), err
}

func TestNamesThatMeanNothing(t *testing.T) {
	t.Parallel()
	names := render.Names{World: smallWorld(), Namespace: "gloo-mesh"}
	tests := []struct{ flag, text, want string }{
		{"destination", "reviews", "service name \"reviews\" is ambiguous; use one of these:\n  reviews.bookinfo.east\n  reviews.bookinfo.west"},
		{"destination", "rewiews", "service \"rewiews\" not found; did you mean one of these?\n  reviews.bookinfo.east\n  reviews.bookinfo.west"},
		{"destination", "database", "service \"database\" not found; write NAME.NAMESPACE.CLUSTER for one that does not exist yet\n  database\n  ^"},
		{"mesh", "istiod-east", "mesh name \"istiod-east\" is ambiguous; use one of these:\n  istiod-east.gloo-mesh\n  istiod-east.other"},
		{"mesh", "linkerd", "mesh \"linkerd\" not found; write NAME.NAMESPACE for one that does not exist yet\n  linkerd\n  ^"},
	}
	for _, tt := range tests {
		_, err := texts(tt.flag, tt.text, names)
		if err == nil {
			t.Errorf("--%s %s: no error", tt.flag, tt.text)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("--%s %s (-want +got):\n%s", tt.flag, tt.text, diff)
		}
	}
	_, err := texts("destination", "reviews", names)
	var ambiguous *world.AmbiguousError
	if !errors.As(err, &ambiguous) {
		t.Errorf("%T is no AmbiguousError", err)
	}
}

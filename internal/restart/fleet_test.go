package restart

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// fleetWorld returns a world with two Istio meshes, one of another type, and a virtual mesh
// that also lists an unknown mesh.
func fleetWorld() *world.World {
	mesh := func(name string, spec discoveryv1.MeshSpec) world.Object[discoveryv1.Mesh] {
		return world.Object[discoveryv1.Mesh]{Resource: &discoveryv1.Mesh{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "gloo-mesh"}, Spec: spec}}
	}
	istio := func(name, cluster string) world.Object[discoveryv1.Mesh] {
		return mesh(name, discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{Installation: &discoveryv1.MeshInstallation{Namespace: "istio-system", Cluster: cluster}}})
	}
	ref := func(name string) core.ObjectRef { return core.ObjectRef{Name: name, Namespace: "gloo-mesh"} }
	prod := &networkingv1.VirtualMesh{
		ObjectMeta: metav1.ObjectMeta{Name: "prod", Namespace: "gloo-mesh"},
		Spec:       networkingv1.VirtualMeshSpec{Meshes: []core.ObjectRef{ref("b"), ref("gone"), ref("osm")}},
	}
	objects := world.Objects{
		Meshes:        []world.Object[discoveryv1.Mesh]{istio("b", "west"), istio("a", "east"), mesh("osm", discoveryv1.MeshSpec{OSM: &discoveryv1.OSM{}})},
		VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: prod}},
	}
	return world.New(objects)
}

func TestSelect(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		selection Selection
		want      []string
		wantErr   string
	}{
		"all":              {Selection{All: true}, []string{"a.gloo-mesh", "b.gloo-mesh"}, ""},
		"names, one twice": {Selection{Names: []string{"b", "osm", "b.gloo-mesh"}}, []string{"osm.gloo-mesh", "b.gloo-mesh"}, ""},
		"virtual mesh":     {Selection{VirtualMeshes: []string{"prod"}}, []string{"gone.gloo-mesh", "osm.gloo-mesh", "b.gloo-mesh"}, ""},
		"unknown names": {
			Selection{Names: []string{"x", "a", "y"}},
			nil,
			"mesh \"x\" not found; leave out the name to list them all\nmesh \"y\" not found; leave out the name to list them all",
		},
	} {
		meshes, err := Select(fleetWorld(), tt.selection)
		var got []string
		for _, m := range meshes {
			got = append(got, m.Names().Full())
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if text := errorText(err); text != tt.wantErr {
			t.Errorf("%s: error %q, want %q", name, text, tt.wantErr)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestPlanFleetWithoutClusters checks that each mesh states why it cannot be restarted, and
// that no request is sent.
func TestPlanFleetWithoutClusters(t *testing.T) {
	t.Parallel()
	w := fleetWorld()
	meshes, err := Select(w, Selection{VirtualMeshes: []string{"prod"}})
	if err != nil {
		t.Fatal(err)
	}
	more, err := Select(w, Selection{Names: []string{"a"}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 500, time.UTC)
	opts := FleetOptions{Clock: func() time.Time { return now }}
	members := &kube.Members{Failures: map[string]error{"west": errors.New("cluster west: no credentials")}}
	fleet, err := PlanFleet(t.Context(), append(meshes, more...), members, opts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range fleet.Meshes {
		got = append(got, fleet.Meshes[i].Err.Error())
	}
	want := []string{
		"mesh gone.gloo-mesh of the virtual mesh not found: its cluster is unreachable, or it was not discovered: run 'meshctl discover'",
		"mesh osm.gloo-mesh is of type " + string(world.MeshOSM) + ": only Istio meshes can be restarted",
		"cluster west: no credentials",
		"cluster east is not registered: run 'meshctl cluster register east', or pass its context with --clusters",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if fleet.Planned() || !fleet.Failed() || fleet.Count(ActionRestart) != 0 || fleet.Targets() != nil || fleet.RestartedAt != "2026-03-01T12:00:00Z" {
		t.Errorf("nothing is planned, but got %+v", fleet)
	}
	opts.Plan.RestartedAt = "2026-02-01T00:00:00Z"
	if fleet, err := PlanFleet(t.Context(), meshes, members, opts); err != nil || fleet.RestartedAt != opts.Plan.RestartedAt {
		t.Errorf("a run that is resumed is marked %v, %v", fleet, err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if _, err := PlanFleet(stopped, meshes, members, opts); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestFleetCounts(t *testing.T) {
	t.Parallel()
	mesh := func(cluster string, err error, texts ...string) MeshRestart {
		m := MeshRestart{Mesh: &world.Mesh{Cluster: cluster}, Plan: planOf(texts...), Err: err}
		for i := range m.Plan.Items {
			if item := &m.Plan.Items[i]; item.Action == ActionRestart {
				m.Report.Results = append(m.Report.Results, Result{Item: item, Outcome: OutcomeTimeout})
			}
		}
		return m
	}
	fleet := Fleet{Meshes: []MeshRestart{
		mesh("east", nil, "workloads:a", "workloads:b-"), mesh("east", nil, "workloads:c"), mesh("south", nil, "workloads:d-"), mesh("west", nil, "workloads:e+"),
	}}
	if diff := cmp.Diff([]string{"east", "west"}, fleet.Targets()); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[Outcome]int{OutcomeTimeout: 2}, fleet.Outcomes()); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got := fleet.Count(ActionManual); got != 2 || fleet.Failed() {
		t.Errorf("%d refused, failed is %t", got, fleet.Failed())
	}
	first := &fleet.Meshes[0]
	if result := first.Result(&first.Plan.Items[0]); result == nil || result.Outcome != OutcomeTimeout || first.Result(&first.Plan.Items[1]) != nil {
		t.Errorf("got %v", result)
	}
	fleet.Meshes[0].Err = errors.New("refused")
	if got := fleet.Count(ActionManual); got != 1 || !fleet.Failed() {
		t.Errorf("%d refused, failed is %t", got, fleet.Failed())
	}
}

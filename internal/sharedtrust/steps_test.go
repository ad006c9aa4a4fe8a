package sharedtrust_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// TestDue checks the next step in each direction, and what it would do.
func TestDue(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	look := func() *sharedtrust.Survey {
		t.Helper()
		survey, err := sharedtrust.Look(t.Context(), m.env(), s)
		if err != nil {
			t.Fatal(err)
		}
		return survey
	}
	due := func(direction sharedtrust.Direction) string {
		survey := look()
		step, err := survey.Due(direction)
		if err != nil {
			return err.Error()
		}
		return fmt.Sprintf("%s: %s", step.State, tally(survey.Preview(direction)))
	}
	type want struct{ forward, back string }
	check := func(when string, want want) {
		t.Helper()
		for direction, text := range map[sharedtrust.Direction]string{sharedtrust.Forward: want.forward, sharedtrust.Back: want.back} {
			if got := due(direction); got != text {
				t.Errorf("%s, %s: %s, want %s", when, direction, got, text)
			}
		}
	}
	check("before", want{"ADDING_NEW_ROOT: east update, west update", "nothing to roll back: VirtualMesh prod.gloo-mesh has no rotation in progress"})
	if _, err := m.env().Do(t.Context(), look(), sharedtrust.Forward); err != nil {
		t.Fatal(err)
	}
	check("after one step", want{"PROPAGATING_NEW_INTERMEDIATE: east reissue, west reissue", "ROLLING_BACK: east update, west update"})
	if _, err := m.env().Do(t.Context(), look(), sharedtrust.Forward); err != nil {
		t.Fatal(err)
	}
	if _, err := m.env().Do(t.Context(), look(), sharedtrust.Back); err != nil {
		t.Fatal(err)
	}
	check("on the way back", want{
		"VirtualMesh prod.gloo-mesh is being rolled back: continue with 'meshctl trust rollback prod.gloo-mesh'",
		"ROLLING_BACK: east update, west update",
	})
}

// TestGate checks what blocks the next step.
func TestGate(t *testing.T) {
	t.Parallel()
	older := []restart.Item{{Ref: restart.Ref{Kind: "Deployment", Namespace: "shop", Name: "web"}}}
	m, s := established(t, shared(small, ""), "east", "west")
	report := func() *sharedtrust.Report {
		survey, err := sharedtrust.Look(t.Context(), m.env(), s)
		if err != nil {
			t.Fatal(err)
		}
		return &sharedtrust.Report{Survey: survey, Reports: []sharedtrust.MeshReport{
			{MeshState: &survey.Meshes[0], Older: older, Reach: []sharedtrust.NamespaceTrust{{Namespace: "shop", Err: errors.New("no certificate")}, {Namespace: "new", Missing: true}}},
			{MeshState: &survey.Meshes[1], OlderErr: errors.New("cluster west is away")},
		}}
	}
	before := report()
	if diff := cmp.Diff(sharedtrust.Gate{}, before.Gate(sharedtrust.Forward)); diff != "" || !before.RestartDue() {
		t.Errorf("before the first step (-want +got):\n%s", diff)
	}
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	want := sharedtrust.Gate{Older: []string{"deployment/web.shop.east"}, Unknown: []string{"istiod-west: cluster west is away"}, Stale: []string{"shop on east"}}
	after := report()
	got := after.Gate(sharedtrust.Forward)
	if diff := cmp.Diff(want, got); diff != "" || !got.Closed() {
		t.Errorf("after the first step (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sharedtrust.Gate{}, after.Gate(sharedtrust.Back)); diff != "" {
		t.Errorf("the rollback is blocked (-want +got):\n%s", diff)
	}
	if stale := (&sharedtrust.Gate{Stale: []string{"shop on east"}}); stale.Closed() {
		t.Error("a namespace whose roots are outdated blocks the step")
	}
}

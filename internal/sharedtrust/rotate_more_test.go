package sharedtrust_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
)

// TestRotateToProvidedRoot checks the rotation to a root of another source, step by step, with
// confirmation by an operator if configured.
func TestRotateToProvidedRoot(t *testing.T) {
	t.Parallel()
	m, _ := established(t, shared(small, ""), "east", "west")
	old := m.roots(t)["prod.gloo-mesh"]
	root, data := authority(t, "corporate")
	m.put("", "certs", "corporate", "Opaque", nil, data)
	s := subject(t, evaluated(t, shared(`{secret: {name: corporate, namespace: certs}}`, ", rotationVerificationMethod: {manual: {}}"), "east", "west"))
	if outcomes, err := issue(t, m, s, false); err != nil || tally(outcomes) != "east keep, west keep" {
		t.Fatalf("trust issue replaces the root: %s, %v", tally(outcomes), err)
	}
	m.after = func(m *memory, what string) { everyPairTalks(t, m, what) }
	for _, want := range []string{"east update, west update", "east reissue, west reissue", "east update, west update"} {
		outcomes, err := advance(t, m, s)
		if got := tally(outcomes); err != nil || got != want {
			t.Fatalf("%s, want %s: %v", got, want, err)
		}
		var waiting *sharedtrust.WaitingError
		if _, err := advance(t, m, s); !errors.As(err, &waiting) {
			t.Fatalf("it does not wait for confirmation: %v", err)
		}
		if err := verify(t, m, s); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasSuffix(m.states(), "VERIFIED FINISHED") || m.trail.Deployed.RootCertificateAuthority.Secret == nil {
		t.Errorf("conditions are %s, deployed is %s", m.states(), marshal(t, m.trail.Deployed))
	}
	for cluster, b := range m.bundles(t) {
		if !b.Signer().Equal(root.Root()) || len(b.Roots) != 1 {
			t.Errorf("%s does not have the new root alone", cluster)
		}
	}
	if kept := m.roots(t)["prod.gloo-mesh"]; kept == nil || !kept.Equal(old) {
		t.Error("the old root is gone")
	}
}

// TestRotateRootReplacedInPlace checks that a new root in the Secret of the old one is rotated
// like any other.
func TestRotateRootReplacedInPlace(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, shared(`{secret: {name: corporate, namespace: certs}}`, ""), "east", "west"))
	_, data := authority(t, "first")
	m.put("", "certs", "corporate", "Opaque", nil, data)
	if _, err := issue(t, m, s, false); err != nil {
		t.Fatal(err)
	}
	if _, err := advance(t, m, s); err == nil || !strings.Contains(err.Error(), "nothing to rotate") {
		t.Fatalf("a rotation is possible: %v", err)
	}
	second, data := authority(t, "second")
	m.put("", "certs", "corporate", "Opaque", nil, data)
	m.after = func(m *memory, what string) { everyPairTalks(t, m, what) }
	for range 3 {
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
	}
	for cluster, b := range m.bundles(t) {
		if !b.Signer().Equal(second.Root()) || len(b.Roots) != 1 {
			t.Errorf("%s does not have the new root alone", cluster)
		}
	}
}

// TestRotateAtOnce checks strategy NONE.
func TestRotateAtOnce(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ", rotationStrategy: NONE"), "east", "west")
	outcomes, err := advance(t, m, s)
	if got, want := tally(outcomes), "east reissue, west reissue"; err != nil || got != want || m.states() != "DELETING_OLD_ROOT VERIFYING VERIFIED FINISHED" {
		t.Errorf("%s, want %s, conditions %s: %v", got, want, m.states(), err)
	}
	everyPairTalks(t, m, "in the end")
}

// TestRotationWithDeadCluster checks that a step that does not reach a mesh is FAILED, cannot
// be verified, and continues when the cluster is back.
func TestRotationWithDeadCluster(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	m.down["west"] = true
	outcomes, err := advance(t, m, s)
	if err != nil || !strings.HasSuffix(m.states(), "PROPAGATING_NEW_INTERMEDIATE FAILED") {
		t.Fatalf("%s, conditions %s: %v", tally(outcomes), m.states(), err)
	}
	if errs := m.trail.Conditions[len(m.trail.Conditions)-1].Errors; len(errs) != 1 || !strings.Contains(errs[0], "no answer") {
		t.Errorf("the errors are %q", errs)
	}
	delete(m.down, "west")
	everyPairTalks(t, m, "while one is behind")
	if err := verify(t, m, s); err == nil {
		t.Error("an incomplete step was verified")
	}
	outcomes, err = advance(t, m, s)
	if got, want := tally(outcomes), "east keep, west reissue"; err != nil || got != want || !strings.HasSuffix(m.states(), "FAILED VERIFYING VERIFIED") {
		t.Errorf("%s, want %s, conditions %s: %v", got, want, m.states(), err)
	}
}

// TestMeshesComeAndGoDuringRotation checks that a mesh that joins gets the certificates of the
// others, and that one that leaves is no longer changed.
func TestMeshesComeAndGoDuringRotation(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	for range 2 {
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
	}
	left := m.secrets["west/istio-system/cacerts"]
	s = subject(t, evaluated(t, shared(small, ""), "east", "north"))
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east keep, north issue"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	everyPairTalks(t, m, "after one joined and one left")
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	if marshal(t, left.Data) != marshal(t, m.secrets["west/istio-system/cacerts"].Data) {
		t.Error("the mesh that left was changed")
	}
	if !strings.HasSuffix(m.states(), "FINISHED") {
		t.Errorf("conditions are %s", m.states())
	}
}

// TestSpecChangedDuringRotation checks that a third root cannot interfere with a rotation.
func TestSpecChangedDuringRotation(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	_, data := authority(t, "third")
	m.put("", "certs", "third", "Opaque", nil, data)
	changed := subject(t, evaluated(t, shared(`{secret: {name: third, namespace: certs}}`, ""), "east", "west"))
	outcomes, err := advance(t, m, changed)
	if err != nil || !slices.ContainsFunc(outcomes, func(o sharedtrust.Outcome) bool { return o.Action.Kind == sharedtrust.ActionRefuse }) {
		t.Fatalf("a third root was introduced: %s, %v", tally(outcomes), err)
	}
	everyPairTalks(t, m, "after the refusal")
	// A rollback is still possible.
	for range 4 {
		if _, err := rollBack(t, m, s); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(m.states(), string(trust.StateNotRotating)) {
			everyPairTalks(t, m, "in the end")
			return
		}
	}
	t.Errorf("it does not come back: %s", m.states())
}

// TestSpecChangedBackDuringRotation checks that no step is done while the new root no longer
// exists.
func TestSpecChangedBackDuringRotation(t *testing.T) {
	t.Parallel()
	m, generated := established(t, shared(small, ""), "east", "west")
	_, data := authority(t, "corp")
	m.put("", "certs", "corp", "Opaque", nil, data)
	corp := subject(t, evaluated(t, shared(`{secret: {name: corp, namespace: certs}}`, ""), "east", "west"))
	if _, err := advance(t, m, corp); err != nil {
		t.Fatal(err)
	}
	outcomes, err := advance(t, m, generated)
	if got, want := tally(outcomes), "east refuse, west refuse"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	if why := outcomes[0].Action.Reason; !strings.Contains(why, "is no longer in Secret prod.gloo-mesh.next in gloo-mesh: restore it") {
		t.Errorf("the reason is %q", why)
	}
	if m.state() != string(trust.StateFailed) {
		t.Errorf("conditions are %s", m.states())
	}
	everyPairTalks(t, m, "after the refusal")
	// With the original source, the rotation continues.
	for !strings.HasSuffix(m.states(), string(trust.StateFinished)) {
		if _, err := advance(t, m, corp); err != nil {
			t.Fatal(err)
		}
		everyPairTalks(t, m, "afterwards")
	}
}

// TestRolledBackRootIsNotUsedAgain checks that a rotation after a rollback generates a new
// root, even if the rollback crashed before its cleanup.
func TestRolledBackRootIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	rejected := m.roots(t)["prod.gloo-mesh.next"]
	m.after = func(m *memory, what string) {
		if what == "trail "+string(trust.StateNotRotating) {
			m.crashed = true
		}
	}
	if _, err := rollBack(t, m, s); !errors.Is(err, errCrash) || m.secrets["/gloo-mesh/prod.gloo-mesh.next"].Name == "" {
		t.Fatalf("it did not crash before the end: %v", err)
	}
	m.restart().after = nil
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	if m.roots(t)["prod.gloo-mesh.next"].Equal(rejected) {
		t.Error("the rejected root is used")
	}
	if !m.roots(t)["prod.gloo-mesh.retired-"+trust.Short(rejected)].Equal(rejected) {
		t.Error("the rejected root is lost")
	}
}

// TestSourceSwappedDuringRotation checks that the two roots of a rotation keep their roles if
// the old source is configured again: no step may separate two meshes, whatever its outcome.
func TestSourceSwappedDuringRotation(t *testing.T) {
	t.Parallel()
	const first, second = `{secret: {name: first, namespace: certs}}`, `{secret: {name: second, namespace: certs}}`
	m := newMemory()
	for _, name := range []string{"first", "second"} {
		_, data := authority(t, name)
		m.put("", "certs", name, "Opaque", nil, data)
	}
	before := subject(t, evaluated(t, shared(first, ""), "east", "west"))
	if _, err := issue(t, m, before, false); err != nil {
		t.Fatal(err)
	}
	after := subject(t, evaluated(t, shared(second, ""), "east", "west"))
	for range 2 {
		if _, err := advance(t, m, after); err != nil {
			t.Fatal(err)
		}
	}
	m.left = 2 // the last step has reached one of the two meshes
	if _, err := advance(t, m, after); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	m.restart().after = func(m *memory, what string) { everyPairTalks(t, m, what) }
	for range 5 {
		_, _ = advance(t, m, before)
	}
	everyPairTalks(t, m, "in the end")
}

// TestTwoAtOnce checks that two concurrent rotations do not execute two steps.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	first, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		t.Fatal(err)
	}
	second, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.env().Advance(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := m.env().Advance(t.Context(), second); err == nil || !strings.Contains(err.Error(), "its trust was changed concurrently") {
		t.Errorf("the second rotation was not refused: %v", err)
	}
	everyPairTalks(t, m, "in the end")
}

// TestOldPlanIsNotCarriedOut checks that a plan made before a rotation, and confirmed after
// it, changes nothing.
func TestOldPlanIsNotCarriedOut(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	m.secrets["west/istio-system/cacerts"].Data["extra"] = []byte("x")
	old, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		t.Fatal(err)
	}
	plan := old.Plan(false)
	if changes := sharedtrust.Changes(plan); changes != 1 {
		t.Fatalf("%d changes are planned, want 1", changes)
	}
	for range 3 {
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
	}
	outcomes, err := m.env().Issue(t.Context(), old, plan, kube.DryRunNone)
	if got, want := tally(outcomes), "east keep, west update failed"; err != nil || got != want {
		t.Errorf("%s, want %s: %v", got, want, err)
	}
	everyPairTalks(t, m, "in the end")
}

// TestStepTakenBackByOthers checks that no step is executed while a mesh lacks the
// certificates of the previous step, for example because a repository restored its Secret.
func TestStepTakenBackByOthers(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	const west = "west/istio-system/cacerts"
	before := m.secrets[west]
	if _, err := advance(t, m, s); err != nil {
		t.Fatal(err)
	}
	m.secrets[west] = before
	m.after = func(m *memory, what string) { everyPairTalks(t, m, what) }
	if _, err := advance(t, m, s); err == nil || !strings.Contains(err.Error(), "mesh istiod-west on cluster west no longer has the certificates of the current step") {
		t.Fatalf("the next step was not refused: %v", err)
	}
	if outcomes, err := issue(t, m, s, false); err != nil || tally(outcomes) != "east keep, west update" {
		t.Fatalf("trust issue does not restore it: %s, %v", tally(outcomes), err)
	}
	for range 2 {
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasSuffix(m.states(), string(trust.StateFinished)) {
		t.Errorf("conditions are %s", m.states())
	}
}

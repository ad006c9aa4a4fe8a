//go:build e2e && unix

package e2e

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// TestTrustRotate exchanges the root of meshes whose pods run.
func TestTrustRotate(t *testing.T) {
	t.Parallel()
	f := newTrustFleet(t, "rotation", true)
	t.Run("step by step, confirmed by hand", f.testRotateManually)
	t.Run("and back", f.testRollBack)
	t.Run("all steps with restarts", f.testRotateAutomatically)
	f.keepsSecrets(t)
}

// multiRoot are the conditions of a whole rotation.
func multiRoot() []string {
	return []string{
		"ADDING_NEW_ROOT", "VERIFYING", "VERIFIED", "PROPAGATING_NEW_INTERMEDIATE", "VERIFYING", "VERIFIED", "DELETING_OLD_ROOT", "VERIFYING", "VERIFIED", "FINISHED",
	}
}

// restartAll restarts what needs it, as the user would, after the second of the
// last change is over.
func (f *trustFleet) restartAll(t *testing.T) {
	t.Helper()
	f.nextSecond(t)
	f.meshctl(t, 0, "mesh", "restart", "--virtual-mesh", "prod", "--yes", "--timeout", "2m")
	f.nextSecond(t)
}

// nextSecond waits until what is made now is younger than what is there.
func (f *trustFleet) nextSecond(t *testing.T) {
	t.Helper()
	began := time.Now().Unix()
	if err := clustertest.Eventually(t.Context(), patience, func(context.Context) error {
		if time.Now().Unix() <= began {
			return errors.New("time stands still")
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// publish does what istiod does with the roots of a mesh.
func (f *trustFleet) publish(t *testing.T) {
	t.Helper()
	for _, c := range f.members() {
		roots := string(secret(t, c, "istio-system", "cacerts").Data["root-cert.pem"])
		for _, namespace := range []string{"shop", "istio-system"} {
			trustRoots(t, c, namespace, roots)
		}
	}
}

func (f *trustFleet) testRotateManually(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+", rotationVerificationMethod: {manual: {}}}")
	f.expect(t, f.meshctl(t, 1, "trust", "rotate", "prod", "--yes").stderr, "no mesh of VirtualMesh prod.gloo-mesh has a certificate yet", "meshctl trust issue")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.publish(t)
	f.expect(t, f.meshctl(t, 1, "trust", "verify", "prod", "--yes").stderr, "nothing to verify: VirtualMesh prod.gloo-mesh has no rotation in progress")
	f.expect(t, f.meshctl(t, 1, "trust", "rollback", "prod", "--yes").stderr, "nothing to roll back: VirtualMesh prod.gloo-mesh has no rotation in progress")
	f.restartAll(t)
	f.meshctl(t, 0, "trust", "status", "prod")

	old := f.roots(t)
	oldRoot := certificates(t, old["prod.gloo-mesh"].Data["root-cert.pem"])[0]
	steps := []struct {
		state       string
		roots       int
		signedByOld bool
	}{{"ADDING_NEW_ROOT", 2, true}, {"PROPAGATING_NEW_INTERMEDIATE", 2, false}, {"DELETING_OLD_ROOT", 1, false}}
	for i, step := range steps {
		f.faults.none()
		f.expect(t, f.meshctl(t, 0, "trust", "rotate", "prod", "--dry-run").stderr, "Next: "+step.state)
		if writes := f.faults.written(); len(writes) > 0 {
			t.Errorf("a dry run wrote %v", writes)
		}
		before := f.authorities(t)
		got := f.meshctl(t, 0, "trust", "rotate", "prod", "--yes")
		f.expect(t, got.stderr, step.state+": ", "meshctl mesh restart --virtual-mesh prod.gloo-mesh", "meshctl trust verify prod.gloo-mesh")
		f.everyPairTalks(t, step.state, before)
		for name, a := range f.authorities(t) {
			if len(a.roots) != step.roots || a.chain[len(a.chain)-1].Equal(oldRoot) != step.signedByOld {
				t.Errorf("%s: %s accepts %d roots", step.state, name, len(a.roots))
			}
		}
		// Applying policies keeps where the rotation stands.
		if i == 0 {
			for _, c := range f.members() {
				installIstioCRDs(t, c)
			}
		}
		states := f.conditions(t)
		f.meshctl(t, 0, "apply", "--yes")
		if diff := cmp.Diff(states, f.conditions(t)); diff != "" {
			t.Errorf("apply changed conditions (-before +after):\n%s", diff)
		}
		got = f.meshctl(t, 3, "trust", "status", "prod")
		f.expect(t, got.stdout, fmt.Sprintf("Rotation:      step %d of 3, %s, verifying, since ", i+1, step.state), "trust-restarts", "meshctl mesh restart --virtual-mesh prod.gloo-mesh")
		got = f.meshctl(t, 3, "trust", "rotate", "prod", "--yes")
		f.expect(t, got.stderr, "Blocked: the rotation step requires confirmation")
		got = f.meshctl(t, 3, "trust", "verify", "prod", "--yes")
		f.expect(t, got.stdout, "outdated certificates are used by")
		f.expect(t, got.stderr, "Not confirmed")
		f.publish(t)
		f.restartAll(t)
		got = f.meshctl(t, 0, "trust", "verify", "prod", "--yes")
		if i < 2 {
			f.expect(t, got.stderr, "Next: run the next step with 'meshctl trust rotate prod.gloo-mesh --context management'")
		}
	}
	if diff := cmp.Diff(multiRoot(), f.conditions(t)); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	f.meshctl(t, 0, "trust", "status", "prod")
	f.retired(t, old, oldRoot)
}

// retired checks that a rotation kept the old root under a name of its own.
func (f *trustFleet) retired(t *testing.T, old map[string]*corev1.Secret, oldRoot *x509.Certificate) {
	t.Helper()
	roots := f.roots(t)
	name := "prod.gloo-mesh.retired-" + fingerprint(oldRoot)[:12]
	if roots[name] == nil || !maps.EqualFunc(roots[name].Data, old["prod.gloo-mesh"].Data, slices.Equal) {
		t.Errorf("the old root is not kept as %s: there are %v", name, slices.Sorted(maps.Keys(roots)))
	}
	if certificates(t, roots["prod.gloo-mesh"].Data["root-cert.pem"])[0].Equal(oldRoot) || roots["prod.gloo-mesh.next"] != nil {
		t.Errorf("the new root is not in its place: there are %v", slices.Sorted(maps.Keys(roots)))
	}
}

// testRollBack turns the rotation around after each of its steps.
func (f *trustFleet) testRollBack(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+"}")
	start := f.save(t)
	oldRoot := f.authorities(t)["east"].roots[0]
	for turn := 1; turn <= 3; turn++ {
		f.restore(t, start)
		// The last step is left half way: after it, the rotation has finished.
		for step := 1; step <= turn; step++ {
			if step == 3 {
				f.faults.loseAfter(2, nil)
			}
			f.try(t, "trust", "rotate", "prod", "--yes", "--ignore-older")
		}
		f.faults.none()
		f.expire(t) // of the one that lost its connections
		for range turn {
			before := f.authorities(t)
			f.meshctl(t, 0, "trust", "rollback", "prod", "--dry-run", "--ignore-older")
			f.meshctl(t, 0, "trust", "rollback", "prod", "--yes", "--ignore-older")
			f.everyPairTalks(t, fmt.Sprintf("on the way back from step %d", turn), before)
			if f.state(t) != "NOT_ROTATING" {
				f.expect(t, f.meshctl(t, 1, "trust", "rotate", "prod", "--yes").stderr, "is being rolled back")
			}
		}
		if state := f.state(t); state != "NOT_ROTATING" {
			t.Errorf("after step %d the way back ends with %s", turn, state)
		}
		for name, a := range f.authorities(t) {
			if len(a.roots) != 1 || !a.roots[0].Equal(oldRoot) || !a.chain[len(a.chain)-1].Equal(oldRoot) {
				t.Errorf("after step %d, %s does not have the old root alone", turn, name)
			}
		}
		if roots := f.roots(t); len(roots) != len(start.roots)+1 || roots["prod.gloo-mesh.next"] != nil {
			t.Errorf("the roots are %v", slices.Sorted(maps.Keys(roots)))
		}
	}
	f.restore(t, start)
}

func (f *trustFleet) testRotateAutomatically(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+"}")
	f.expect(t, f.meshctl(t, 1, "trust", "rotate", "prod", "--auto", "--yes").stderr, "set spec.mtlsConfig.autoRestartPods")
	f.virtualMesh(t, "{shared: "+small+", autoRestartPods: true}")
	old := f.roots(t)
	oldRoot := certificates(t, old["prod.gloo-mesh"].Data["root-cert.pem"])[0]
	before := f.authorities(t)
	f.nextSecond(t)
	got := f.meshctl(t, 0, "trust", "rotate", "prod", "--auto", "--yes", "-v", "-v")
	f.expect(t, got.stderr, "FINISHED", "The rotation has finished")
	conditions := f.conditions(t)
	if diff := cmp.Diff(multiRoot(), conditions[len(conditions)-len(multiRoot()):]); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
	f.retired(t, old, oldRoot)
	f.everyPairTalks(t, "after all steps", nil)
	if f.authorities(t)["east"].accepts(before["west"]) == nil {
		t.Error("the old root is still accepted")
	}
	f.publish(t)
	got = f.meshctl(t, 0, "trust", "status", "prod")
	if strings.Contains(got.stdout, "outdated certificates") {
		t.Error(got.stdout)
	}
}

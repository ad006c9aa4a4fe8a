//go:build e2e && unix

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// established establishes trust anew, with a configuration.
func (f *trustFleet) established(t *testing.T, config string) {
	t.Helper()
	f.faults.none()
	f.restore(t, trustState{})
	f.virtualMesh(t, config)
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
}

// rotate does the next step.
func (f *trustFleet) rotate(t *testing.T, code int) result {
	t.Helper()
	return f.meshctl(t, code, "trust", "rotate", "prod", "--yes", "--ignore-older")
}

func (f *trustFleet) testRotateInPart(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	// A rotation does not begin while a mesh cannot be reached.
	f.faults.cut("west")
	f.expect(t, f.rotate(t, 1).stderr, "west", "all meshes need certificates before a rotation ('meshctl trust issue prod.gloo-mesh --context management')")
	f.expect(t, f.meshctl(t, 3, "trust", "rotate", "prod", "--dry-run").stderr, "Blocked: mesh istiod-istio-system-west on cluster west: ")
	if states := f.conditions(t); len(states) > 0 {
		t.Errorf("it recorded %v", states)
	}
	f.faults.none()
	f.rotate(t, 0)
	before := f.authorities(t)
	f.faults.cut("west")
	got := f.rotate(t, 1)
	f.expect(t, got.stderr, "The step is not complete. Fix the errors, then continue with 'meshctl trust rotate prod.gloo-mesh --context management'.")
	if state := f.state(t); state != "FAILED" {
		t.Errorf("the last state is %s", state)
	}
	object, err := kube.Get(t.Context(), f.central, prodKey())
	if err != nil {
		t.Fatal(err)
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	f.expect(t, fmt.Sprint(conditions[len(conditions)-1]), "mesh istiod-istio-system-west on cluster west: ", "failed to write the certificates of 1 of 2 meshes")
	f.everyPairTalks(t, "half way", before)
	// Trying again and failing again does not fill the status.
	count := len(conditions)
	f.rotate(t, 1)
	if states := f.conditions(t); len(states) > count+2 {
		t.Errorf("the conditions are %v", states)
	}
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "the last attempt failed", "<unknown>")
	f.faults.none()
	f.rotate(t, 0)
	f.everyPairTalks(t, "continued", before)
	f.finish(t, "after a failure")
}

func (f *trustFleet) testLeavingMesh(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	f.rotate(t, 0)
	f.virtualMesh(t, "{shared: "+small+"}", "east")
	west := f.authorities(t)["west"]
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "trust-left", "west")
	f.rotate(t, 0)
	f.rotate(t, 0)
	if state := f.state(t); state != "FINISHED" {
		t.Errorf("it ends with %s", state)
	}
	if !f.authorities(t)["west"].intermediate.Equal(west.intermediate) {
		t.Error("the mesh that left got another certificate")
	}
	// It comes back, with roots of a time before.
	f.virtualMesh(t, "{shared: "+small+"}")
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "west")
	got := f.try(t, "trust", "issue", "prod", "--yes")
	if got.code != 0 {
		f.expect(t, got.stdout, "--force-takeover")
		f.meshctl(t, 0, "trust", "issue", "prod", "--yes", "--force-takeover")
	}
	f.everyPairTalks(t, "after it came back", nil)
}

// testChangedSource changes what the VirtualMesh asks for while its root is
// exchanged.
func (f *trustFleet) testChangedSource(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	corp := certify(t, "Corp Root", time.Now().Add(30*24*time.Hour), nil)
	f.provide(t, "corp", map[string]string{"root-cert.pem": corp.pem(), "key.pem": corp.keyPEM(t)})
	f.virtualMesh(t, provided("corp"))
	// Issuing does not exchange roots.
	f.expect(t, f.meshctl(t, 0, "trust", "issue", "prod", "--yes").stderr, "rotate the root CA with 'meshctl trust rotate prod.gloo-mesh --context management'")
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "the root in the VirtualMesh (Secret corp in gloo-mesh) differs from the deployed root (generated, Secret prod.gloo-mesh in gloo-mesh)")
	before := f.authorities(t)
	f.rotate(t, 0)
	f.everyPairTalks(t, "towards the provided root", before)
	// Back to the generated one, in the middle of it: another new root.
	f.virtualMesh(t, "{shared: "+small+"}")
	got := f.rotate(t, 1)
	f.expect(t, got.stdout, "is no longer in Secret prod.gloo-mesh.next in gloo-mesh: restore it", "meshctl trust rollback prod.gloo-mesh")
	f.everyPairTalks(t, "after another change", before)
	f.virtualMesh(t, provided("corp"))
	f.finish(t, "with the provided root")
	if !f.authorities(t)["east"].roots[0].Equal(corp.certificate) {
		t.Error("the meshes do not have the provided root")
	}
	replaceSecret(t, f.management, "gloo-mesh", "corp", nil)
}

// testInterruptedIssue interrupts while certificates are written.
func (f *trustFleet) testInterruptedIssue(t *testing.T) {
	f.faults.none()
	f.restore(t, trustState{})
	f.virtualMesh(t, "{shared: "+small+"}")
	cmd, stdout, stderr := f.command(t, "trust", "issue", "prod", "--yes")
	done := make(chan struct{})
	f.faults.loseAfter(-1, func(write string) {
		if strings.HasPrefix(write, "management") && strings.Contains(write, "/secrets") {
			_ = cmd.Process.Signal(os.Interrupt)
			<-done // it is interrupted before the answer comes
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	close(done)
	if got := f.heard(cmd.Args[1:], stdout, stderr, cmd.ProcessState.ExitCode()); got.code != 130 {
		t.Errorf("exit code %d:\n%s", got.code, got.stderr)
	}
	if holder := f.leaseHolder(t); holder != "" {
		t.Errorf("%s still holds the Lease", holder)
	}
	f.faults.none()
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.everyPairTalks(t, "after an interruption", nil)
}

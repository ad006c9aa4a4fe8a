//go:build e2e && unix

package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestTrustCrashes lets meshctl die after every single write of a rotation.
func TestTrustCrashes(t *testing.T) {
	t.Parallel()
	f := newTrustFleet(t, "crashes", false)
	f.virtualMesh(t, "{shared: "+small+"}")
	t.Run("while trust is established", f.testCrashingIssue)
	t.Run("while the root is exchanged", f.testCrashingRotation)
	t.Run("on the way back", f.testCrashingRollback)
	t.Run("a member that is down", f.testRotateInPart)
	t.Run("a mesh that leaves", f.testLeavingMesh)
	t.Run("a change of the VirtualMesh", f.testChangedSource)
	t.Run("two at the same time", func(t *testing.T) {
		t.Run("one at work", f.testTwoAtOnce)
		t.Run("both begin", f.testTwoRotations)
	})
	t.Run("one that died", f.testDeadHolder)
	t.Run("an interruption", f.testInterruptedIssue)
	f.keepsSecrets(t)
}

// crash runs meshctl, which loses every connection after so many writes; with
// kill, it is killed at that moment. Then its Lease has expired.
func (f *trustFleet) crash(t *testing.T, writes int, kill bool, args ...string) {
	t.Helper()
	cmd, stdout, stderr := f.command(t, args...)
	left := writes
	f.faults.loseAfter(writes, func(string) {
		if left--; left == 0 && kill {
			_ = cmd.Process.Kill()
		}
	})
	if err := cmd.Run(); err == nil {
		t.Errorf("meshctl %s did not notice the crash after write %d:\n%s", strings.Join(args, " "), writes, stderr)
	}
	f.heard(args, stdout, stderr, cmd.ProcessState.ExitCode())
	f.faults.none()
	f.expire(t)
}

// keysOf returns the signing keys, by themselves.
func (f *trustFleet) keysOf(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, s := range f.roots(t) {
		found[string(s.Data["key.pem"])] = name
	}
	return found
}

// losesNoKey checks that all signing keys are still there.
func (f *trustFleet) losesNoKey(t *testing.T, when string, before map[string]string) {
	t.Helper()
	now := f.keysOf(t)
	for key, name := range before {
		if now[key] == "" {
			t.Errorf("%s: the signing key of Secret %s is lost; there are %v", when, name, slices.Sorted(maps.Values(now)))
		}
	}
}

func (f *trustFleet) testCrashingIssue(t *testing.T) {
	f.faults.none()
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	writes := len(f.faults.written())
	if writes != 4 { // the root, the status, two meshes
		t.Errorf("issuing takes %d writes: %v", writes, f.faults.written())
	}
	for crash := 1; crash <= writes; crash++ {
		when := fmt.Sprintf("crash after write %d", crash)
		f.restore(t, trustState{})
		f.virtualMesh(t, "{shared: "+small+"}")
		f.crash(t, crash, crash%2 == 0, "trust", "issue", "prod", "--yes")
		keys, had := f.keysOf(t), f.authorities(t)
		f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
		f.everyPairTalks(t, when, nil)
		f.losesNoKey(t, when, keys)
		if len(f.roots(t)) != 1 {
			t.Errorf("%s: there are several roots", when)
		}
		for name, a := range f.authorities(t) {
			if before, issued := had[name]; issued && !before.intermediate.Equal(a.intermediate) {
				t.Errorf("%s: %s got another certificate", when, name)
			}
		}
	}
}

func (f *trustFleet) testCrashingRotation(t *testing.T) {
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	rotate := []string{"trust", "rotate", "prod", "--yes", "--ignore-older"}
	for step, ended := range []string{"ADDING_NEW_ROOT", "PROPAGATING_NEW_INTERMEDIATE", "FINISHED"} {
		start, keys, before := f.save(t), f.keysOf(t), f.authorities(t)
		f.faults.none()
		f.meshctl(t, 0, rotate...)
		writes := f.faults.written()
		whole := f.save(t)
		if len(writes) < 5 {
			t.Fatalf("step %d takes only these writes: %v", step+1, writes)
		}
		for crash := 1; crash <= len(writes); crash++ {
			when := fmt.Sprintf("step %d, crash after write %d of %d", step+1, crash, len(writes))
			f.restore(t, start)
			f.crash(t, crash, crash%2 == 0, rotate...)
			f.everyPairTalks(t, when, before)
			f.losesNoKey(t, when, keys)
			keysThen := f.keysOf(t)
			// It goes on until the step is complete: once, or, if it was complete
			// already, not at all.
			for range 3 {
				if f.completed(t, ended) {
					break
				}
				f.meshctl(t, 0, rotate...)
				f.everyPairTalks(t, when+", continued", before)
			}
			if !f.completed(t, ended) {
				t.Errorf("%s: it ends with %v", when, f.conditions(t))
			}
			f.losesNoKey(t, when, keysThen)
			for name, a := range f.authorities(t) {
				want := certificates(t, whole.cacerts[name].Data["root-cert.pem"])
				if len(a.roots) != len(want) {
					t.Errorf("%s: %s accepts %d roots, want %d", when, name, len(a.roots), len(want))
				}
			}
			if crash == 1 || crash == len(writes)/2 {
				f.finish(t, when)
			}
		}
		f.restore(t, whole)
	}
	f.meshctl(t, 3, "trust", "status", "prod") // pods are older
}

// completed reports whether a step is verified, or the rotation is over.
func (f *trustFleet) completed(t *testing.T, state string) bool {
	t.Helper()
	states := f.conditions(t)
	if n := len(states); n == 0 || states[n-1] != "VERIFIED" && states[n-1] != "FINISHED" && states[n-1] != "NOT_ROTATING" {
		return false
	}
	if state == "FINISHED" {
		return states[len(states)-1] == state
	}
	states = slices.DeleteFunc(states, func(s string) bool { return s == "VERIFYING" || s == "VERIFIED" || s == "FAILED" })
	return states[len(states)-1] == state
}

// finish goes on to the end of a rotation.
func (f *trustFleet) finish(t *testing.T, when string) {
	t.Helper()
	for range 4 {
		if f.state(t) == "FINISHED" {
			break
		}
		before := f.authorities(t)
		f.meshctl(t, 0, "trust", "rotate", "prod", "--yes", "--ignore-older")
		f.everyPairTalks(t, when+", to the end", before)
	}
	if state := f.state(t); state != "FINISHED" {
		t.Errorf("%s: the rotation ends with %s", when, state)
	}
	if roots := f.roots(t); roots["prod.gloo-mesh"] == nil || roots["prod.gloo-mesh.next"] != nil {
		t.Errorf("%s: the roots are %v", when, slices.Sorted(maps.Keys(roots)))
	}
	for name, a := range f.authorities(t) {
		if len(a.roots) != 1 || !a.chain[len(a.chain)-1].Equal(a.roots[0]) {
			t.Errorf("%s: %s does not have the new root alone", when, name)
		}
	}
}

func (f *trustFleet) testCrashingRollback(t *testing.T) {
	f.meshctl(t, 0, "trust", "rotate", "prod", "--yes", "--ignore-older")
	f.meshctl(t, 0, "trust", "rotate", "prod", "--yes", "--ignore-older")
	start, keys, before := f.save(t), f.keysOf(t), f.authorities(t)
	back := []string{"trust", "rollback", "prod", "--yes", "--ignore-older"}
	f.faults.none()
	f.meshctl(t, 0, back...)
	first := len(f.faults.written())
	halfway := f.save(t)
	f.meshctl(t, 0, back...)
	writes := len(f.faults.written())
	if f.state(t) != "NOT_ROTATING" {
		t.Fatalf("it ends with %v", f.conditions(t))
	}
	for crash := 1; crash <= writes; crash++ {
		when := fmt.Sprintf("crash after write %d of the way back", crash)
		n := crash
		if f.restore(t, start); crash > first {
			f.restore(t, halfway)
			n, before = crash-first, authoritiesOf(t, halfway)
		}
		f.crash(t, n, crash%2 == 1, back...)
		f.everyPairTalks(t, when, before)
		f.losesNoKey(t, when, keys)
		for range 4 {
			if f.state(t) == "NOT_ROTATING" {
				break
			}
			f.meshctl(t, 0, back...)
		}
		f.losesNoKey(t, when, keys)
		for name, a := range f.authorities(t) {
			if len(a.roots) != 1 || !a.chain[len(a.chain)-1].Equal(a.roots[0]) {
				t.Errorf("%s: %s does not have the old root alone", when, name)
			}
		}
		if f.state(t) != "NOT_ROTATING" {
			t.Errorf("%s: it ends with %v", when, f.conditions(t))
		}
	}
}

// authoritiesOf are those of a saved state.
func authoritiesOf(t *testing.T, s trustState) map[string]authority {
	t.Helper()
	found := map[string]authority{}
	for name, c := range s.cacerts {
		found[name] = authority{certificates(t, c.Data["ca-cert.pem"])[0], certificates(t, c.Data["cert-chain.pem"]), certificates(t, c.Data["root-cert.pem"])}
	}
	return found
}

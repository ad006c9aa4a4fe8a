//go:build e2e && unix

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationclient "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// prodLease is the Lease of who works on the trust of prod.
const prodLease = "meshctl-trust-prod.gloo-mesh"

func (f *trustFleet) leases(t *testing.T) coordinationclient.LeaseInterface {
	t.Helper()
	return admin(t, f.management).CoordinationV1().Leases("gloo-mesh")
}

// leaseHolder returns who works on the trust of prod; empty if nobody does.
func (f *trustFleet) leaseHolder(t *testing.T) string {
	t.Helper()
	lease, err := f.leases(t).Get(t.Context(), prodLease, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// expire has the Lease of who died expire, without the time that it takes.
func (f *trustFleet) expire(t *testing.T) {
	t.Helper()
	if err := f.leases(t).Delete(t.Context(), prodLease, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
}

// whileItWorks stops a run of meshctl at its first write, and lets it go on when
// do is done.
func (f *trustFleet) whileItWorks(t *testing.T, do func(), args ...string) result {
	t.Helper()
	cmd, stdout, stderr := f.command(t, args...)
	writes, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.faults.loseAfter(-1, func(string) {
		once.Do(func() { close(writes) })
		<-goOn
	})
	ended := make(chan struct{})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-writes:
		do()
	case <-ended:
		t.Error("it writes nothing")
	}
	close(goOn)
	<-ended
	f.faults.none()
	return f.heard(args, stdout, stderr, cmd.ProcessState.ExitCode())
}

// testTwoAtOnce has one rotation at work while others begin: only the first one
// does anything, and the others are told who it is.
func (f *trustFleet) testTwoAtOnce(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	rotate := []string{"trust", "rotate", "prod", "--yes", "--ignore-older"}
	for _, state := range []string{"ADDING_NEW_ROOT", "PROPAGATING_NEW_INTERMEDIATE", "FINISHED"} {
		keys, before := f.keysOf(t), f.authorities(t)
		first := f.whileItWorks(t, func() {
			holder := f.leaseHolder(t)
			if user, process, found := strings.Cut(holder, "/"); !found || !strings.Contains(user, "@") || process == "" {
				t.Errorf("the Lease is held by %q", holder)
			}
			written := len(f.faults.written())
			for _, args := range [][]string{
				rotate, {"trust", "issue", "prod", "--yes"}, {"trust", "verify", "prod", "--yes"}, {"trust", "rollback", "prod", "--yes"},
			} {
				got := f.meshctl(t, 1, args...)
				f.expect(t, got.stderr,
					"error: "+holder+" has been working on the trust of VirtualMesh prod.gloo-mesh since "+time.Now().UTC().Format("2006-"),
					"(Lease "+prodLease+" in gloo-mesh): try again later; if that process died, the Lease expires after 10s")
			}
			for _, dry := range [][]string{{"trust", "issue", "prod", "--dry-run=client"}, {"trust", "issue", "prod", "--dry-run=server"}} {
				if got := f.try(t, dry...); strings.Contains(got.stderr, "has been working on the trust") {
					t.Errorf("%v writes nothing, and is refused: %s", dry, got.stderr)
				}
			}
			if more := f.faults.written()[written:]; len(more) > 0 {
				t.Errorf("those who were refused wrote %v", more)
			}
		}, rotate...)
		if first.code != 0 {
			t.Errorf("the first one exits with %d:\n%s", first.code, first.stderr)
		}
		if !f.completed(t, state) {
			t.Errorf("after one step of one of them, the conditions are %v, want %s", f.conditions(t), state)
		}
		f.everyPairTalks(t, state, before)
		f.losesNoKey(t, state, keys)
		if holder := f.leaseHolder(t); holder != "" {
			t.Errorf("%s: %s still holds the Lease", state, holder)
		}
	}
}

// testTwoRotations starts two at the same moment, again and again. The second one
// is refused, or begins when the first one has ended.
func (f *trustFleet) testTwoRotations(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	// Two that work one after the other may pass the end in one round.
	for round := 0; !slices.Contains(f.conditions(t), "FINISHED"); round++ {
		if round == 4 {
			t.Fatalf("it does not end: %v", f.conditions(t))
		}
		keys := f.keysOf(t)
		var both sync.WaitGroup
		var results [2]result
		for i := range results {
			both.Go(func() { results[i] = f.try(t, "trust", "rotate", "prod", "--yes", "--ignore-older") })
		}
		both.Wait()
		if !slices.ContainsFunc(results[:], func(r result) bool { return r.code == 0 }) {
			t.Errorf("both failed:\n%s\n%s", results[0].stderr, results[1].stderr)
		}
		for _, r := range results {
			if r.code != 0 && !strings.Contains(r.stderr, " has been working on the trust of VirtualMesh prod.gloo-mesh since ") {
				t.Errorf("exit code %d: %s", r.code, r.stderr)
			}
		}
		// One may do a step after the other did its own; what was two steps before
		// is not compared.
		f.everyPairTalks(t, fmt.Sprintf("round %d", round), nil)
		f.losesNoKey(t, fmt.Sprintf("round %d", round), keys)
	}
}

// testDeadHolder leaves a Lease as a process does that was killed.
func (f *trustFleet) testDeadHolder(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	f.expire(t)
	long := metav1.NewMicroTime(time.Now().Add(-time.Hour))
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: prodLease},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: new("anna@laptop/1-abcd"), LeaseDurationSeconds: new(int32(15)), AcquireTime: &long, RenewTime: &long},
	}
	if _, err := f.leases(t).Create(t.Context(), lease, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	f.rotate(t, 0)
	if holder := f.leaseHolder(t); holder != "" {
		t.Errorf("%s still holds the Lease", holder)
	}
	f.restore(t, trustState{})
	f.virtualMesh(t, "{shared: "+small+"}")
}

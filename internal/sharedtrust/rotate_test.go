package sharedtrust_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
)

// established returns a world in which trust has been established.
func established(t *testing.T, config string, names ...string) (*memory, *sharedtrust.Subject) {
	t.Helper()
	m, s := newMemory(), subject(t, evaluated(t, config, names...))
	if outcomes, err := issue(t, m, s, false); err != nil || slices.ContainsFunc(outcomes, func(o sharedtrust.Outcome) bool { return o.Failed() }) {
		t.Fatalf("%s: %v", tally(outcomes), err)
	}
	return m, s
}

func (m *memory) states() string {
	var states []string
	for _, c := range m.trail.Conditions {
		states = append(states, string(c.State))
	}
	return strings.Join(states, " ")
}

func (m *memory) clone() *memory {
	c := newMemory()
	c.made = m.made
	maps.Copy(c.secrets, m.secrets)
	c.trail = m.trail
	c.trail.Conditions = slices.Clone(m.trail.Conditions)
	return c
}

// TestRotateGeneratedRoot executes a rotation from one generated root to another.
func TestRotateGeneratedRoot(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	old := m.roots(t)["prod.gloo-mesh"]
	m.after = func(m *memory, what string) { everyPairTalks(t, m, what) }
	for i, want := range []string{"east update, west update", "east reissue, west reissue", "east update, west update"} {
		outcomes, err := advance(t, m, s)
		if got := tally(outcomes); err != nil || got != want {
			t.Fatalf("step %d: %s, want %s: %v", i, got, want, err)
		}
	}
	if got, want := m.states(), "ADDING_NEW_ROOT VERIFYING VERIFIED PROPAGATING_NEW_INTERMEDIATE VERIFYING VERIFIED DELETING_OLD_ROOT VERIFYING VERIFIED FINISHED"; got != want {
		t.Errorf("conditions are %s", got)
	}
	roots := m.roots(t)
	current := roots["prod.gloo-mesh"]
	if current.Equal(old) || !roots["prod.gloo-mesh.retired-"+trust.Short(old)].Equal(old) || len(roots) != 2 {
		t.Errorf("the roots are %v", slices.Sorted(maps.Keys(roots)))
	}
	for cluster, b := range m.bundles(t) {
		if len(b.Roots) != 1 || !b.Roots[0].Equal(current) || !b.Signer().Equal(current) {
			t.Errorf("%s does not have the new root alone", cluster)
		}
	}
	writes := m.writes
	if outcomes, err := issue(t, m, s, false); err != nil || m.writes != writes {
		t.Errorf("trust issue changes something after the rotation: %s, %v", tally(outcomes), err)
	}
}

// TestRotationSurvivesCrashes lets the process crash after every single write of a rotation
// and of a rollback from every step. Any two meshes always share a root, and repeating the
// command always completes the work.
func TestRotationSurvivesCrashes(t *testing.T) {
	t.Parallel()
	start, s := established(t, shared(small, ""), "east", "west")
	old := start.roots(t)["prod.gloo-mesh"]
	// run repeats a command until there is nothing left to do.
	run := func(m *memory, step func(*testing.T, *memory, *sharedtrust.Subject) ([]sharedtrust.Outcome, error), done string) {
		t.Helper()
		for range 20 {
			if strings.HasSuffix(m.states(), done) {
				return
			}
			if _, err := step(t, m, s); err != nil && !errors.Is(err, errCrash) {
				t.Fatalf("after %d writes and %s: %v", m.writes, m.states(), err)
			}
			m.restart()
		}
		t.Fatalf("after %d writes it does not end: %s", m.writes, m.states())
	}
	check := func(m *memory, when string) {
		m.after = func(m *memory, what string) { everyPairTalks(t, m, when+", after "+what) }
	}
	whole := start.clone()
	run(whole, advance, "FINISHED")
	for crash := 1; crash <= whole.writes; crash++ {
		m := start.clone()
		check(m, fmt.Sprintf("crash after write %d", crash))
		m.left = crash
		run(m, advance, "FINISHED")
		if roots := m.roots(t); roots["prod.gloo-mesh"].Equal(old) || roots["prod.gloo-mesh.retired-"+trust.Short(old)] == nil {
			t.Errorf("crash after write %d: the roots are %v", crash, slices.Sorted(maps.Keys(roots)))
		}
	}
	for turn := 1; turn <= 3; turn++ {
		turned := start.clone()
		for range turn - 1 {
			if _, err := advance(t, turned, s); err != nil {
				t.Fatal(err)
			}
		}
		turned.left = 2 // the step has started
		if turn == 1 {
			turned.left = 3
		}
		if _, err := advance(t, turned, s); !errors.Is(err, errCrash) {
			t.Fatalf("step %d did not stop half way: %v", turn, err)
		}
		turned.restart()
		straight := turned.clone()
		run(straight, rollBack, "NOT_ROTATING")
		for crash := 1; crash <= straight.writes; crash++ {
			m := turned.clone()
			check(m, fmt.Sprintf("on the way back from step %d, crash after write %d", turn, crash))
			m.left = crash
			run(m, rollBack, "NOT_ROTATING")
			for cluster, b := range m.bundles(t) {
				if len(b.Roots) != 1 || !b.Roots[0].Equal(old) || !b.Signer().Equal(old) {
					t.Errorf("%s does not have the old root alone", cluster)
				}
			}
		}
	}
}

// TestStates checks that the states printed after a command are those after it.
func TestStates(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, shared(small, ""), "east", "west"))
	states := func() []string {
		t.Helper()
		v, err := sharedtrust.Look(t.Context(), m.env(), s)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for ref, state := range v.States(false) {
			for _, root := range []struct {
				c    *x509.Certificate
				name string
			}{{v.Current.Certificate, "OLD"}, {certificateOf(v.Coming), "NEW"}} {
				if root.c != nil {
					state = strings.ReplaceAll(state, trust.Short(root.c), root.name)
				}
			}
			texts = append(texts, ref.Name+": "+state)
		}
		slices.Sort(texts)
		return texts
	}
	same := func(when, want string) {
		t.Helper()
		if diff := cmp.Diff([]string{"istiod-east: " + want, "istiod-west: " + want}, states()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	same("before", "the mesh has no certificate yet")
	if _, err := issue(t, m, s, false); err != nil {
		t.Fatal(err)
	}
	const valid = "valid until the root CA expires"
	same("issued", valid)
	for _, want := range []string{valid + "; the mesh trusts roots OLD and NEW", valid + "; the mesh trusts roots OLD and NEW", valid} {
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
		same(m.states(), want)
	}
}

func certificateOf(r *sharedtrust.Root) *x509.Certificate {
	if r == nil {
		return nil
	}
	return r.Certificate
}

package sharedtrust_test

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
)

// withTrustDomain returns the result for the same world, with a changed trust domain of a
// mesh.
func withTrustDomain(result *policy.Result, mesh, domain string) *policy.Result {
	w := *result.World
	w.Meshes = append([]world.Mesh{}, w.Meshes...)
	for i := range w.Meshes {
		if w.Meshes[i].Ref.Name == mesh {
			w.Meshes[i].TrustDomain = domain
		}
	}
	changed := *result
	changed.World = &w
	return &changed
}

// TestChangedTrustDomain checks that a mesh gets no certificate for a changed trust domain
// until it is accepted by name.
func TestChangedTrustDomain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ domain, reason string }{
		"to a new one":        {"fresh.example", "its trust domain changed from west.example to fresh.example: if that is intended, accept it with 'meshctl trust issue prod.gloo-mesh --accept-trust-domain istiod-west=fresh.example'"},
		"to that of another":  {"east.example", "its trust domain changed from west.example to east.example, which is that of mesh istiod-east: if that is intended, accept it with 'meshctl trust issue prod.gloo-mesh --accept-trust-domain istiod-west=east.example'"},
		"nothing was changed": {"west.example", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := withTrustDomain(evaluated(t, shared(small, ""), "east", "west"), "istiod-west", tt.domain)
			m, s := newMemory(), subject(t, result)
			outcomes, err := issue(t, m, s, true)
			want := "east issue, west refuse"
			if tt.reason == "" {
				want = "east issue, west issue"
			}
			if got := tally(outcomes); err != nil || got != want {
				t.Fatalf("%s, want %s: %v", got, want, err)
			}
			if tt.reason == "" {
				if len(s.Unaccepted()) > 0 {
					t.Error("an unchanged trust domain is not accepted")
				}
				return
			}
			if got := outcomes[1].Action.Reason; got != tt.reason {
				t.Errorf("got  %s\nwant %s", got, tt.reason)
			}
			if m.bundles(t)["west"] != nil {
				t.Error("a certificate was issued")
			}
			for _, wrong := range [][2]string{{"istiod-west", "other.example"}, {"istiod-north", tt.domain}, {"", ""}} {
				if _, err := s.Accept(wrong[0], wrong[1]); err == nil {
					t.Errorf("accepted %v", wrong)
				}
			}
			if _, err := s.Accept("istiod-west.gloo-mesh", tt.domain); err != nil {
				t.Fatal(err)
			}
			outcomes, err = issue(t, m, s, false)
			if got := tally(outcomes); err != nil || got != "east keep, west issue" {
				t.Errorf("accepted: %s: %v", got, err)
			}
			if uris := m.bundles(t)["west"].Certificate.URIs; len(uris) != 1 || !strings.HasPrefix(uris[0].String(), "spiffe://"+tt.domain+"/") {
				t.Errorf("the certificate is for %v", uris)
			}
		})
	}
}

// TestRotationStopsForChangedTrustDomain checks that no rotation starts either.
func TestRotationStopsForChangedTrustDomain(t *testing.T) {
	t.Parallel()
	result := evaluated(t, shared(small, ""), "east", "west")
	m, s := newMemory(), subject(t, result)
	if _, err := issue(t, m, s, false); err != nil {
		t.Fatal(err)
	}
	changed := subject(t, withTrustDomain(result, "istiod-west", "east.example"))
	if _, err := advance(t, m, changed); err == nil || !strings.Contains(err.Error(), "its trust domain changed from west.example to east.example") || len(m.trail.Conditions) > 0 {
		t.Errorf("got error %v, conditions %v", err, m.trail.Conditions)
	}
	v, err := sharedtrust.Look(t.Context(), m.env(), changed)
	if err != nil {
		t.Fatal(err)
	}
	if refused := sharedtrust.Refused(v.Plan(true)); len(refused) != 1 {
		t.Errorf("refused are %v", refused)
	}
}

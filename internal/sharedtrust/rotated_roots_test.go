package sharedtrust_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// TestRootsOfRotationAreRemembered checks that a rotation keeps the roots with which it
// started: the recorded ones, even if the message was edited, or those in the message if an
// older version recorded only that.
func TestRootsOfRotationAreRemembered(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(opening *certificatesv1.CertificateRotationCondition){
		"as recorded":       func(*certificatesv1.CertificateRotationCondition) {},
		"message rewritten": func(c *certificatesv1.CertificateRotationCondition) { c.Message = "begun by ops" },
		"an older version":  func(c *certificatesv1.CertificateRotationCondition) { c.Roots = nil },
	} {
		m, s := established(t, shared(small, ""), "east", "west")
		if _, err := advance(t, m, s); err != nil {
			t.Fatal(err)
		}
		roots := m.roots(t)
		want := &certificatesv1.CertificateRotationRoots{Old: trust.Fingerprint(roots["prod.gloo-mesh"]), New: trust.Fingerprint(roots["prod.gloo-mesh.next"])}
		if diff := cmp.Diff(want, m.trail.Conditions[0].Roots); diff != "" {
			t.Errorf("%s: roots of the first condition (-want +got):\n%s", name, diff)
		}
		for _, c := range m.trail.Conditions[1:] {
			if c.Roots != nil {
				t.Errorf("%s: the condition %s has roots, too", name, c.State)
			}
		}
		change(&m.trail.Conditions[0])
		_, data := authority(t, "third")
		m.put("", "certs", "third", "Opaque", nil, data)
		changed := subject(t, evaluated(t, shared(`{secret: {name: third, namespace: certs}}`, ""), "east", "west"))
		survey, err := sharedtrust.Look(t.Context(), m.env(), changed)
		if err != nil {
			t.Fatal(err)
		}
		if got := survey.Coming.Certificate; !got.Equal(roots["prod.gloo-mesh.next"]) {
			t.Errorf("%s: the new root is %s, want %s", name, trust.Short(got), trust.Short(roots["prod.gloo-mesh.next"]))
		}
		wantErr := fmt.Sprintf("the new root of the rotation, %s, is no longer in Secret third in certs: ", trust.Short(roots["prod.gloo-mesh.next"]))
		if err := survey.Coming.Err; err == nil || !strings.HasPrefix(err.Error(), wantErr) {
			t.Errorf("%s: got %v, want %s...", name, err, wantErr)
		}
	}
}

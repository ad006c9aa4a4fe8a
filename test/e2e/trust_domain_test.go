//go:build e2e && unix

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// testChangedTrustDomain lets a member change its trust domain, and holds that it
// gets a certificate for the new one only after that was accepted by name.
func (f *trustFleet) testChangedTrustDomain(t *testing.T) {
	f.established(t, "{shared: "+small+"}")
	west := f.members()["west"]
	configure := func(domain string) {
		t.Helper()
		maps := admin(t, west).CoreV1().ConfigMaps("istio-system")
		config, err := maps.Get(t.Context(), "istio", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		config.Data["mesh"] = "trustDomain: " + domain
		if _, err := maps.Update(t.Context(), config, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	identity := func() string {
		t.Helper()
		return certificates(t, secret(t, west, "istio-system", "cacerts").Data["ca-cert.pem"])[0].URIs[0].Host
	}
	const mesh = "istiod-istio-system-west"
	accept := func(domain string) string { return "--accept-trust-domain=" + mesh + "=" + domain }

	configure("corp.example.com")
	got := f.meshctl(t, 0, "discover")
	f.expect(t, got.stderr, "warning: west: the trust domain of mesh "+mesh+" changed from shop.example.com to corp.example.com; accept it with 'meshctl trust issue VIRTUALMESH "+
		"--accept-trust-domain "+mesh+"=corp.example.com --context management' if that is intended")
	const refused = "its trust domain changed from shop.example.com to corp.example.com: if that is intended, accept it with"
	got = f.meshctl(t, 1, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "east", "keep", "west", "refuse", refused)
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, refused)
	f.expect(t, f.meshctl(t, 1, "trust", "rotate", "prod", "--yes").stderr, refused)
	for _, wrong := range []string{accept("shop.example.com"), "--accept-trust-domain=elsewhere=corp.example.com", "--accept-trust-domain=corp.example.com"} {
		f.expect(t, f.meshctl(t, 2, "trust", "issue", "prod", "--yes", wrong).stderr, "--accept-trust-domain")
	}
	f.meshctl(t, 0, "trust", "issue", "prod", "--dry-run", accept("corp.example.com"))
	if got := identity(); got != "shop.example.com" {
		t.Errorf("before it was accepted, the certificate is for %s", got)
	}
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes", accept("corp.example.com"))
	if got := identity(); got != "corp.example.com" {
		t.Errorf("after it was accepted, the certificate is for %s", got)
	}
	// It stays accepted.
	if got := f.meshctl(t, 0, "discover"); strings.Contains(got.stderr, "trust domain") {
		t.Errorf("discover says after it was accepted:\n%s", got.stderr)
	}
	f.expect(t, f.meshctl(t, 0, "trust", "issue", "prod", "--yes").stdout, "keep")
	// The way back is a change, too.
	configure("shop.example.com")
	f.meshctl(t, 0, "discover")
	f.meshctl(t, 1, "trust", "issue", "prod", "--yes")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes", accept("shop.example.com"))
	if got := identity(); got != "shop.example.com" {
		t.Errorf("in the end the certificate is for %s", got)
	}
}

package trust_test

import (
	"crypto/x509"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/trust"
)

// TestJudge holds when a mesh keeps its intermediate, and why not.
func TestJudge(t *testing.T) {
	t.Parallel()
	root, other := newRoot(t, 100), newRoot(t, 100)
	bundle := newBundle(t, root, "east", 50, root.Root())
	whole := newBundle(t, root, "east", 365, root.Root()) // as long as the root
	const identity = "spiffe://east.example/ns/istio-system/sa/istiod"
	expect := func(change func(*trust.Expected)) *trust.Expected {
		e := &trust.Expected{Identity: identity, Roots: []*x509.Certificate{root.Root()}, Signer: root.Root(), RenewalRatio: 0.1, Now: now()}
		change(e)
		return e
	}
	broken := dataOf(t, bundle)
	broken["ca-key.pem"] = dataOf(t, whole)["ca-key.pem"]
	mismatched, err := trust.ParseBundle(broken)
	if err != nil {
		t.Fatal(err)
	}
	more := maps.Clone(dataOf(t, bundle))
	more["key.pem"] = nil
	foreign, err := trust.ParseBundle(more)
	if err != nil {
		t.Fatal(err)
	}
	days := func(n float64) time.Time { return now().Add(time.Duration(n * float64(24*time.Hour))) }
	tests := []struct {
		name             string
		bundle           *trust.Bundle
		expected         *trust.Expected
		reissue, rewrite string
	}{
		{"as it should be", bundle, expect(func(*trust.Expected) {}), "", ""},
		{"not due yet", bundle, expect(func(e *trust.Expected) { e.Now = days(44.9) }), "", ""},
		{"due", bundle, expect(func(e *trust.Expected) { e.Now = days(45.1) }), "renewal of the intermediate certificate has been due since 2026-07-16T", ""},
		{"due, but no root lives longer", whole, expect(func(e *trust.Expected) { e.Now = days(95) }), "", ""},
		{"expired", bundle, expect(func(e *trust.Expected) { e.Now = days(51) }), "expired at 2026-07-21T12:00:00Z", ""},
		{"other identity", bundle, expect(func(e *trust.Expected) { e.Identity = "spiffe://b/ns/a/sa/b" }), "is for " + identity + ", not for spiffe://b/ns/a/sa/b", ""},
		{"other signer", bundle, expect(func(e *trust.Expected) { e.Signer = other.Root() }), "leads to root " + trust.Short(root.Root()) + ", not to " + trust.Short(other.Root()), ""},
		{"other key", mismatched, expect(func(*trust.Expected) {}), "the private key does not belong", ""},
		{
			"one more root", bundle, expect(func(e *trust.Expected) { e.Roots = append(e.Roots, other.Root()) }),
			"", "the mesh accepts root " + trust.Short(root.Root()) + ", not roots " + trust.Short(root.Root()) + " and " + trust.Short(other.Root()),
		},
		{"a fifth key", foreign, expect(func(*trust.Expected) {}), "", "the Secret also has key.pem"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := tt.bundle.Judge(tt.expected)
			check := func(what, got, want string) {
				if want == "" && got != "" || !strings.Contains(got, want) {
					t.Errorf("%s is %q, want %q", what, got, want)
				}
			}
			check("reissue", v.Reissue, tt.reissue)
			check("rewrite", v.Rewrite, tt.rewrite)
			if v.Keep() != (tt.reissue == "" && tt.rewrite == "") {
				t.Errorf("keep is %t", v.Keep())
			}
		})
	}
}

// TestParseBundle holds that what was written is read, and what is said about
// what cannot be.
func TestParseBundle(t *testing.T) {
	t.Parallel()
	root := newRoot(t, 100)
	bundle := newBundle(t, root, "east", 50, root.Root())
	data := dataOf(t, bundle)
	if len(data) != 4 {
		t.Errorf("the Secret has %d keys", len(data))
	}
	read, err := trust.ParseBundle(data)
	if err != nil {
		t.Fatal(err)
	}
	if !read.Certificate.Equal(bundle.Certificate) || !read.Signer().Equal(root.Root()) || !read.Accepts(root.Root()) || read.Verify(now()) != nil {
		t.Error("another bundle was read than written")
	}
	for key := range data {
		without := maps.Clone(data)
		delete(without, key)
		if _, err := trust.ParseBundle(without); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("without %s: %v", key, err)
		}
		without[key] = []byte("garbage")
		if _, err := trust.ParseBundle(without); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("with garbage in %s: %v", key, err)
		}
	}
}

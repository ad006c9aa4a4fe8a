package trust_test

import (
	"crypto/x509"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// now is when the tests run.
func now() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// small keeps the keys of tests small.
func small(days uint32) *certificatesv1.CommonCertOptions {
	return &certificatesv1.CommonCertOptions{TTLDays: days, RSAKeySizeBytes: 2048}
}

func newRoot(t *testing.T, days uint32) *trust.Authority {
	t.Helper()
	opts, err := trust.RootOptions(small(days))
	if err != nil {
		t.Fatal(err)
	}
	key, err := trust.NewKey(opts.KeyBits)
	if err != nil {
		t.Fatal(err)
	}
	root, err := trust.GenerateRoot("prod.gloo-mesh", key, opts, now())
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func request(t *testing.T, mesh string, days uint32) *trust.Request {
	t.Helper()
	opts, err := trust.IntermediateOptions(small(days))
	if err != nil {
		t.Fatal(err)
	}
	return &trust.Request{Mesh: "istiod." + mesh, Identity: trust.Identity(mesh+".example", "istio-system", "istiod"), Options: opts}
}

// newBundle issues what a mesh gets.
func newBundle(t *testing.T, authority *trust.Authority, mesh string, days uint32, roots ...*x509.Certificate) *trust.Bundle {
	t.Helper()
	key, err := trust.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := authority.Sign(request(t, mesh, days), key, now())
	if err != nil {
		t.Fatal(err)
	}
	return trust.NewBundle(chain, key, roots)
}

func dataOf(t *testing.T, b interface {
	Data() (map[string][]byte, error)
},
) map[string][]byte {
	t.Helper()
	data, err := b.Data()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package trust

import (
	"cmp"
	"fmt"
	"net/url"
	"time"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// The defaults of certificate options.
const (
	defaultTTLDays      = 365
	defaultKeyBits      = 4096
	defaultRenewalRatio = 0.1

	defaultRootOrganization         = "gloo-mesh"
	defaultIntermediateOrganization = "Istio"
)

// The bounds of certificate options. The standard library does not sign with
// smaller keys, proxies and API servers reject larger ones, and 100 years is a
// safe limit for the date formats of certificates.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
	maxTTLDays = 36500
)

const day = 24 * time.Hour

// Options are certificate options with defaults filled in.
type Options struct {
	// TTL is how long a certificate is valid.
	TTL time.Duration
	// KeyBits is the size of the RSA key in bits.
	KeyBits int
	// Organization is the O of the subject.
	Organization string
	// RenewalRatio is the last part of the lifetime, as a ratio, in which the
	// certificate is due for renewal (D41).
	RenewalRatio float64
}

// RootOptions returns the options of a root certificate with defaults filled in;
// nil uses all defaults. It returns an error that names an invalid option.
func RootOptions(o *certificatesv1.CommonCertOptions) (Options, error) {
	return newOptions(o, defaultRootOrganization)
}

// IntermediateOptions returns the options of intermediate certificates with
// defaults filled in; nil uses all defaults. It returns an error that names an
// invalid option.
func IntermediateOptions(o *certificatesv1.CommonCertOptions) (Options, error) {
	return newOptions(o, defaultIntermediateOrganization)
}

func newOptions(o *certificatesv1.CommonCertOptions, organization string) (Options, error) {
	if o == nil {
		o = &certificatesv1.CommonCertOptions{}
	}
	days, bits := cmp.Or(o.TTLDays, defaultTTLDays), cmp.Or(o.RSAKeySizeBytes, defaultKeyBits)
	switch {
	case days > maxTTLDays:
		return Options{}, fmt.Errorf("ttlDays is %d, and at most %d are possible", days, maxTTLDays)
	case bits < minKeyBits || bits > maxKeyBits:
		return Options{}, fmt.Errorf("rsaKeySizeBytes is %d: it counts bits, from %d to %d", bits, minKeyBits, maxKeyBits)
	case o.SecretRotationGracePeriodRatio < 0 || o.SecretRotationGracePeriodRatio >= 1:
		return Options{}, fmt.Errorf("secretRotationGracePeriodRatio is %g: it must be at least 0 and less than 1", o.SecretRotationGracePeriodRatio)
	}
	return Options{
		TTL: time.Duration(days) * day, KeyBits: int(bits),
		Organization: cmp.Or(o.OrgName, organization), RenewalRatio: cmp.Or(o.SecretRotationGracePeriodRatio, defaultRenewalRatio),
	}, nil
}

// Identity returns the SPIFFE ID of a control plane, which its intermediate
// certificate carries. An empty part is replaced by its default in Istio.
func Identity(trustDomain, namespace, serviceAccount string) *url.URL {
	return &url.URL{
		Scheme: "spiffe", Host: cmp.Or(trustDomain, "cluster.local"),
		Path: "/ns/" + cmp.Or(namespace, "istio-system") + "/sa/" + cmp.Or(serviceAccount, "istio-citadel"),
	}
}

// RenewAt returns when a certificate is due for renewal: before its end by ratio
// times its lifetime (D41).
func RenewAt(notBefore, notAfter time.Time, ratio float64) time.Time {
	return notAfter.Add(-time.Duration(ratio * float64(notAfter.Sub(notBefore))))
}

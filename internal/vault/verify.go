package vault

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// clockTolerance is by how much a certificate may exceed the requested lifetime,
// because Vault uses its own clock.
const clockTolerance = 5 * time.Minute

// expectation holds the values that the answer to a signing request must match.
type expectation struct {
	publicKey crypto.PublicKey
	options   Options
	// served are the certificates of caPath, one of which must be in the chain.
	served []*x509.Certificate
	now    time.Time
}

// mismatch describes a failed expectation and the next step.
type mismatch struct{ why, hint string }

// verify compares the chain, intermediate first, with the expectations.
func verify(chain []*x509.Certificate, want expectation) *mismatch {
	for _, check := range []func([]*x509.Certificate, expectation) *mismatch{
		verifyKey, verifyAuthority, verifyNames, verifyChain, verifyLifetime, verifyPath,
	} {
		if failed := check(chain, want); failed != nil {
			return failed
		}
	}
	return nil
}

func verifyKey(chain []*x509.Certificate, want expectation) *mismatch {
	key, known := chain[0].PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !known || !key.Equal(want.publicKey) {
		return &mismatch{"it is for another key than the request", "check the log of Vault"}
	}
	return nil
}

// verifyAuthority checks that the intermediate can sign workload certificates and
// nothing else.
func verifyAuthority(chain []*x509.Certificate, _ expectation) *mismatch {
	certificate := chain[0]
	const hint = "csrPath must be one that signs authorities, such as pki/root/sign-intermediate"
	switch {
	case !certificate.BasicConstraintsValid || !certificate.IsCA:
		return &mismatch{"it is not one of an authority", hint}
	case certificate.MaxPathLen != 0 || !certificate.MaxPathLenZero:
		return &mismatch{"it may sign further authorities: its path length is not limited to 0", hint}
	case certificate.KeyUsage&x509.KeyUsageCertSign == 0:
		return &mismatch{"its key usage does not include signing certificates", hint}
	}
	usages := certificate.ExtKeyUsage
	restricted := len(usages)+len(certificate.UnknownExtKeyUsage) > 0 && !slices.Contains(usages, x509.ExtKeyUsageAny)
	if restricted && !(slices.Contains(usages, x509.ExtKeyUsageServerAuth) && slices.Contains(usages, x509.ExtKeyUsageClientAuth)) {
		return &mismatch{"its extended key usage excludes servers or clients, which workloads are both", hint}
	}
	return nil
}

func verifyNames(chain []*x509.Certificate, want expectation) *mismatch {
	certificate := chain[0]
	const hint = "check what Vault's policy or a plugin does to common_name, organization and uri_sans"
	var have []string
	for _, uri := range certificate.URIs {
		have = append(have, uri.String())
	}
	for _, uri := range want.options.URIs {
		if !slices.Contains(have, uri) {
			return &mismatch{fmt.Sprintf("the subject alternative name %s is missing", uri), hint}
		}
	}
	if certificate.Subject.CommonName != want.options.CommonName {
		return &mismatch{fmt.Sprintf("its common name is %q instead of %q", oneLine(certificate.Subject.CommonName), want.options.CommonName), hint}
	}
	if organization := want.options.Organization; organization != "" && !slices.Contains(certificate.Subject.Organization, organization) {
		return &mismatch{fmt.Sprintf("its organization is not %q", organization), hint}
	}
	return nil
}

// verifyChain checks that the chain leads to a root through certificates that the
// settings of the VirtualMesh know.
func verifyChain(chain []*x509.Certificate, want expectation) *mismatch {
	root := chain[len(chain)-1]
	if len(chain) == 1 || !selfSigned(root) {
		return &mismatch{
			fmt.Sprintf("the certificate of its issuer, %s, is not known", oneLine(root.Issuer.String())),
			"let caPath serve the chain up to the root, as pki/ca_chain does, or import the root's certificate into the secrets engine that signs",
		}
	}
	if !slices.ContainsFunc(want.served, func(served *x509.Certificate) bool { return slices.ContainsFunc(chain, served.Equal) }) {
		return &mismatch{
			fmt.Sprintf("its chain, which ends at %s, has none of the certificates that caPath serves", name(root)),
			"let caPath and csrPath name the same authority",
		}
	}
	return nil
}

// verifyLifetime checks that the certificates are valid now, and that the
// intermediate does not exceed the requested lifetime or any issuer's (D41).
func verifyLifetime(chain []*x509.Certificate, want expectation) *mismatch {
	certificate := chain[0]
	for _, link := range chain {
		if want.now.Before(link.NotBefore) {
			return &mismatch{fmt.Sprintf("%s is valid from %s on, and it is %s", name(link), stamp(link.NotBefore), stamp(want.now)), "check the clocks of Vault and of this machine"}
		}
		if want.now.After(link.NotAfter) {
			return &mismatch{fmt.Sprintf("%s was valid until %s, and it is %s", name(link), stamp(link.NotAfter), stamp(want.now)), "renew the authority in Vault, or check the clocks"}
		}
	}
	for _, issuer := range chain[1:] {
		if certificate.NotAfter.After(issuer.NotAfter) {
			return &mismatch{
				fmt.Sprintf("it is valid until %s and outlives its issuer %s, which ends at %s", stamp(certificate.NotAfter), name(issuer), stamp(issuer.NotAfter)),
				"renew the issuer, ask for a shorter lifetime, or check the clocks of Vault and of this machine",
			}
		}
	}
	if latest := want.now.Add(want.options.TTL + clockTolerance); certificate.NotAfter.After(latest) {
		return &mismatch{fmt.Sprintf("it is valid until %s, longer than the %s that were asked for", stamp(certificate.NotAfter), want.options.TTL), "check the clocks of Vault and of this machine"}
	}
	return nil
}

// verifyPath checks signatures, constraints and path lengths, for the
// intermediate and for the workload certificates that it will sign.
func verifyPath(chain []*x509.Certificate, want expectation) *mismatch {
	const hint = "use an authority in Vault that may sign intermediate authorities"
	for below, issuer := range chain {
		if below == 0 {
			continue
		}
		if !isAuthority(issuer) {
			return &mismatch{fmt.Sprintf("its issuer %s is not an authority", name(issuer)), hint}
		}
		// The standard library treats the intermediate as the end of the chain
		// and does not count it.
		limited := issuer.MaxPathLen > 0 || issuer.MaxPathLenZero
		if limited && issuer.MaxPathLen < below {
			return &mismatch{fmt.Sprintf("its issuer %s allows %s below itself, and needs %d", name(issuer), text.Count(issuer.MaxPathLen, "authority"), below), hint}
		}
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	for _, issuer := range chain[1 : len(chain)-1] {
		intermediates.AddCert(issuer)
	}
	roots.AddCert(chain[len(chain)-1])
	if _, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: want.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}); err != nil {
		return &mismatch{"its chain does not verify: " + oneLine(err.Error()), hint}
	}
	return nil
}

// isAuthority reports whether the certificate may sign others.
func isAuthority(certificate *x509.Certificate) bool {
	return certificate.BasicConstraintsValid && certificate.IsCA &&
		(certificate.KeyUsage == 0 || certificate.KeyUsage&x509.KeyUsageCertSign != 0)
}

// name returns the name of a certificate for messages.
func name(certificate *x509.Certificate) string {
	if subject := certificate.Subject.String(); subject != "" {
		return fmt.Sprintf("%q", oneLine(subject))
	}
	return "with serial number " + certificate.SerialNumber.String()
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

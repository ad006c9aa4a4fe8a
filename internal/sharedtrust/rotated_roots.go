package sharedtrust

import (
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// rootID is the fingerprint of a root, or the first characters of it.
type rootID string

// names reports whether the certificate has the fingerprint.
func (id rootID) names(c *x509.Certificate) bool {
	return c != nil && id != "" && strings.HasPrefix(trust.Fingerprint(c), string(id))
}

// short is what people see of the fingerprint.
func (id rootID) short() string { return string(id[:min(len(id), trust.ShortLength)]) }

// rotatedRoots returns between which roots a rotation is. They are not known of a
// rotation that something else began.
func rotatedRoots(p *trust.Position) (old, coming rootID, known bool) {
	if p.Roots != nil && p.Roots.Old != "" && p.Roots.New != "" {
		return rootID(p.Roots.Old), rootID(p.Roots.New), true
	}
	return rootsOfMessage(p.Opening)
}

// rootsOf is what the first condition of a rotation records about its roots.
func rootsOf(old, coming *x509.Certificate) *certificatesv1.CertificateRotationRoots {
	return &certificatesv1.CertificateRotationRoots{Old: trust.Fingerprint(old), New: trust.Fingerprint(coming)}
}

// rootsMessage tells people between which roots a rotation is.
func rootsMessage(old, coming *x509.Certificate) string {
	return fmt.Sprintf(" (root %s is replaced by root %s)", trust.Short(old), trust.Short(coming))
}

// rootsOfMessage reads what rootsMessage wrote. It is only for rotations that were
// begun, or continued, by a version of meshctl that knew the roots from the message
// alone and that drops the field for them.
func rootsOfMessage(message string) (old, coming rootID, known bool) {
	match := regexp.MustCompile(`\(root ([0-9a-f]{12}) is replaced by root ([0-9a-f]{12})\)$`).FindStringSubmatch(message)
	if match == nil {
		return "", "", false
	}
	return rootID(match[1]), rootID(match[2]), true
}

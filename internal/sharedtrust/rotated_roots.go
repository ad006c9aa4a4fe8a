package sharedtrust

import (
	"crypto/x509"
	"fmt"
	"regexp"
	"strings"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// rootID is the fingerprint of a root, or a prefix of it.
type rootID string

// names reports whether the certificate has the fingerprint.
func (id rootID) names(c *x509.Certificate) bool {
	return c != nil && id != "" && strings.HasPrefix(trust.Fingerprint(c), string(id))
}

// short returns the part of the fingerprint that is shown to users.
func (id rootID) short() string { return string(id[:min(len(id), trust.ShortLength)]) }

// rotatedRoots returns the old and the new root of a rotation. They are not known if another
// tool started it.
func rotatedRoots(p *trust.Position) (old, coming rootID, known bool) {
	if p.Roots != nil && p.Roots.Old != "" && p.Roots.New != "" {
		return rootID(p.Roots.Old), rootID(p.Roots.New), true
	}
	return rootsOfMessage(p.Opening)
}

// rootsOf returns the roots to record in the first condition of a rotation.
func rootsOf(old, coming *x509.Certificate) *certificatesv1.CertificateRotationRoots {
	return &certificatesv1.CertificateRotationRoots{Old: trust.Fingerprint(old), New: trust.Fingerprint(coming)}
}

// rootsMessage describes the old and the new root of a rotation.
func rootsMessage(old, coming *x509.Certificate) string {
	return fmt.Sprintf(" (root %s is replaced by root %s)", trust.Short(old), trust.Short(coming))
}

// rootsOfMessage parses the text of rootsMessage. It is needed for rotations that were started
// or continued by versions of meshctl which stored the roots only in the message.
func rootsOfMessage(message string) (old, coming rootID, known bool) {
	match := regexp.MustCompile(`\(root ([0-9a-f]{12}) is replaced by root ([0-9a-f]{12})\)$`).FindStringSubmatch(message)
	if match == nil {
		return "", "", false
	}
	return rootID(match[1]), rootID(match[2]), true
}

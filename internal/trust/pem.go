package trust

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// The types of PEM blocks.
const (
	blockCertificate = "CERTIFICATE"
	blockRSAKey      = "RSA PRIVATE KEY"
	blockECKey       = "EC PRIVATE KEY"
	blockKey         = "PRIVATE KEY"
)

// maxCertificates limits the certificates in one text.
const maxCertificates = 64

// ParseCertificates parses the certificates of a PEM text in order. Text between
// the blocks is skipped, as usual for PEM. A block of another type, or a text
// without certificates, is an error. Errors never contain the text, which could
// be a misplaced key.
func ParseCertificates(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != blockCertificate {
			return nil, fmt.Errorf("block %d is not a certificate but has type %s", len(certificates)+1, blockName(block.Type))
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(certificates)+1, err)
		}
		if certificates = append(certificates, certificate); len(certificates) > maxCertificates {
			return nil, fmt.Errorf("more than %d certificates", maxCertificates)
		}
	}
	if len(certificates) == 0 {
		return nil, errors.New("no certificate in PEM format")
	}
	return certificates, nil
}

// blockName returns the type of a PEM block in printable form.
func blockName(name string) string {
	switch name {
	case blockRSAKey, blockECKey, blockKey, "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE REQUEST":
		return name
	default:
		return "something else"
	}
}

// EncodeCertificates concatenates the PEM form of the certificates.
func EncodeCertificates(certificates ...*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, c := range certificates {
		// Writing to memory never fails.
		_ = pem.Encode(&text, &pem.Block{Type: blockCertificate, Bytes: c.Raw})
	}
	return text.Bytes()
}

// Fingerprint returns the SHA-256 of a certificate in hexadecimal; empty for nil.
func Fingerprint(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Key is a private key. Printing it never shows the key.
type Key struct{ signer crypto.Signer }

// redacted replaces a Key in texts.
const redacted = "[private key]"

// String hides the key.
func (Key) String() string { return redacted }

// GoString hides the key.
func (Key) GoString() string { return redacted }

// MarshalText hides the key from encoders.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.signer == nil }

// public returns the public key; nil for the zero Key.
func (k Key) public() crypto.PublicKey {
	if k.signer == nil {
		return nil
	}
	return k.signer.Public()
}

// matches reports whether a certificate is for this key.
func (k Key) matches(c *x509.Certificate) bool {
	public, ok := k.public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// pem returns the PEM-encoded key: PKCS #1 for RSA, as Istio and older agents
// write it, PKCS #8 for all others.
func (k Key) pem() ([]byte, error) {
	if rsaKey, ok := k.signer.(*rsa.PrivateKey); ok {
		return pem.EncodeToMemory(&pem.Block{Type: blockRSAKey, Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), nil
	}
	der, err := x509.MarshalPKCS8PrivateKey(k.signer)
	if err != nil {
		return nil, errors.New("the private key is of a kind that has no PEM form")
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockKey, Bytes: der}), nil
}

// parseKey parses a PEM text with exactly one private key. Errors never contain
// the text.
func parseKey(text []byte) (Key, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return Key{}, errors.New("it holds no private key in PEM form")
		}
		switch {
		case block.Type == "EC PARAMETERS":
			continue // openssl writes these blocks in front of the key
		case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
			return Key{}, errors.New("the private key is encrypted; store it without a passphrase")
		}
		return keyOf(block)
	}
}

func keyOf(block *pem.Block) (Key, error) {
	var parsed any
	var err error
	switch block.Type {
	case blockRSAKey:
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case blockECKey:
		parsed, err = x509.ParseECPrivateKey(block.Bytes)
	case blockKey:
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return Key{}, fmt.Errorf("it holds a block of type %s instead of a private key", blockName(block.Type))
	}
	signer, ok := parsed.(crypto.Signer)
	if err != nil || !ok {
		return Key{}, errors.New("the private key cannot be read")
	}
	return Key{signer}, nil
}

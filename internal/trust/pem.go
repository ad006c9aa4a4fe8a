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

// maxCertificates bounds how many certificates one text may hold.
const maxCertificates = 64

// ParseCertificates reads the certificates of a PEM text, in their order. Text
// between the blocks is passed over, as every reader of PEM does; a block that
// is no certificate, or a text without any, is an error. Errors never quote the
// text, which may be a key in the wrong place.
func ParseCertificates(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != blockCertificate {
			return nil, fmt.Errorf("block %d is no certificate but of type %s", len(certificates)+1, blockName(block.Type))
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(certificates)+1, err)
		}
		if certificates = append(certificates, certificate); len(certificates) > maxCertificates {
			return nil, fmt.Errorf("it holds more than %d certificates", maxCertificates)
		}
	}
	if len(certificates) == 0 {
		return nil, errors.New("it holds no certificate in PEM form")
	}
	return certificates, nil
}

// blockName returns a type that is safe to print.
func blockName(name string) string {
	switch name {
	case blockRSAKey, blockECKey, blockKey, "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "CERTIFICATE REQUEST":
		return name
	default:
		return "something else"
	}
}

// EncodeCertificates writes certificates one after the other, without anything
// between them.
func EncodeCertificates(certificates ...*x509.Certificate) []byte {
	var text bytes.Buffer
	for _, c := range certificates {
		// Writing to memory does not fail.
		_ = pem.Encode(&text, &pem.Block{Type: blockCertificate, Bytes: c.Raw})
	}
	return text.Bytes()
}

// Fingerprint returns the SHA-256 of a certificate in hexadecimal digits; empty
// for nil.
func Fingerprint(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Key is a private key. It does not print itself.
type Key struct{ signer crypto.Signer }

// redacted is what a Key looks like in texts.
const redacted = "[private key]"

// String hides the key.
func (Key) String() string { return redacted }

// GoString hides the key.
func (Key) GoString() string { return redacted }

// MarshalText hides the key from encoders.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.signer == nil }

// public returns the public half, nil for the zero Key.
func (k Key) public() crypto.PublicKey {
	if k.signer == nil {
		return nil
	}
	return k.signer.Public()
}

// fits reports whether a certificate is about this key.
func (k Key) fits(c *x509.Certificate) bool {
	public, ok := k.public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(c.PublicKey)
}

// pem returns the key in PEM form: PKCS #1 for RSA, which is what Istio and
// older agents write (semantics 7.2), PKCS #8 for all others.
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

// parseKey reads the one private key of a PEM text. Its errors never quote the
// text.
func parseKey(text []byte) (Key, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return Key{}, errors.New("it holds no private key in PEM form")
		}
		switch {
		case block.Type == "EC PARAMETERS":
			continue // openssl writes them in front of the key
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

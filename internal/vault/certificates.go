package vault

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// maxCertificates limits the certificates in an answer; a long chain has about
// ten.
const maxCertificates = 64

// issued are the certificates in an answer of a PKI secrets engine.
type issued struct {
	Certificate string   `json:"certificate"`
	IssuingCA   string   `json:"issuing_ca"`
	CAChain     textList `json:"ca_chain"`
}

// textList decodes a JSON list of texts or a single text: reading a chain returns
// one text, signing returns a list.
type textList []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *textList) UnmarshalJSON(data []byte) error {
	var texts []string
	if json.Unmarshal(data, &texts) == nil {
		*l = texts
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New("neither a text nor a list of texts")
	}
	*l = textList{text}
	return nil
}

// certificates returns the certificates of the answer in order, without duplicates.
func (i issued) certificates() ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for _, text := range append([]string{i.Certificate, i.IssuingCA}, i.CAChain...) {
		parsed, err := parsePEM([]byte(text))
		if err != nil {
			return nil, err
		}
		certificates = unique(append(certificates, parsed...))
		if len(certificates) > maxCertificates {
			return nil, errTooMany()
		}
	}
	return certificates, nil
}

// parseCertificates parses the answers of paths that serve certificates: JSON
// (pki/cert/ca, pki/cert/ca_chain), PEM (pki/ca/pem, pki/ca_chain), or DER
// (pki/ca).
func parseCertificates(answer []byte) ([]*x509.Certificate, error) {
	body := bytes.TrimSpace(answer)
	switch {
	case len(body) == 0:
		return nil, nil
	case body[0] == '{':
		var decoded struct {
			Data *issued `json:"data"`
		}
		if err := json.Unmarshal(body, &decoded); err != nil {
			return nil, fmt.Errorf("the JSON is not that of Vault: %w", err)
		}
		if decoded.Data == nil {
			return nil, nil
		}
		return decoded.Data.certificates()
	case bytes.Contains(body, []byte("-----BEGIN")):
		certificates, err := parsePEM(body)
		return unique(certificates), err
	default:
		// The last byte of a signature may look like a blank.
		certificates, err := x509.ParseCertificates(answer)
		if err != nil {
			return nil, errors.New("it is neither PEM, DER nor the JSON of Vault")
		}
		return unique(certificates), nil
	}
}

// parsePEM returns the certificates of a PEM text in order. Text between the
// blocks is skipped. A block of another type is an error, so that a private key
// is never distributed by mistake.
func parsePEM(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	for {
		var block *pem.Block
		block, text = pem.Decode(text)
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("unexpected PEM block of type %s: only certificates are allowed", oneLine(block.Type))
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d cannot be read: %w", len(certificates)+1, err)
		}
		certificates = append(certificates, certificate)
		if len(certificates) > maxCertificates {
			return nil, errTooMany()
		}
	}
	if bytes.Contains(text, []byte("-----BEGIN")) {
		return nil, fmt.Errorf("the PEM text after certificate %d is damaged", len(certificates))
	}
	return certificates, nil
}

func errTooMany() error { return fmt.Errorf("there are more than %d certificates", maxCertificates) }

// unique removes duplicates and keeps the order.
func unique(certificates []*x509.Certificate) []*x509.Certificate {
	var result []*x509.Certificate
	for _, certificate := range certificates {
		if !slices.ContainsFunc(result, certificate.Equal) {
			result = append(result, certificate)
		}
	}
	return result
}

// selfSigned reports whether the certificate is a root.
func selfSigned(certificate *x509.Certificate) bool {
	return bytes.Equal(certificate.RawIssuer, certificate.RawSubject) && certificate.CheckSignatureFrom(certificate) == nil
}

// chainOf returns the certificate followed by its issuers up to a root if the
// candidates lead to one, else as far as they lead.
func chainOf(certificate *x509.Certificate, candidates []*x509.Certificate) []*x509.Certificate {
	var visited []*x509.Certificate
	// Cross-signed CAs offer several chains, not all of which end at a root; none
	// is followed twice.
	var extend func(chain []*x509.Certificate) []*x509.Certificate
	extend = func(chain []*x509.Certificate) []*x509.Certificate {
		last := chain[len(chain)-1]
		visited = append(visited, last)
		if selfSigned(last) {
			return chain
		}
		var longest []*x509.Certificate
		for _, candidate := range candidates {
			if !bytes.Equal(last.RawIssuer, candidate.RawSubject) || slices.ContainsFunc(visited, candidate.Equal) || last.CheckSignatureFrom(candidate) != nil {
				continue
			}
			longer := extend(append(slices.Clip(chain), candidate))
			if selfSigned(longer[len(longer)-1]) {
				return longer
			}
			if longest == nil {
				longest = longer
			}
		}
		if longest == nil {
			return chain
		}
		return longest
	}
	return extend([]*x509.Certificate{certificate})
}

// Command vault is a Vault for the end-to-end tests: the PKI secrets engine and
// the Kubernetes authentication of HashiCorp Vault, unchanged, behind the part
// of its HTTP API that reaches them. Vault's core - storage, policies, leases -
// takes several times as long to build and decides nothing about certificates;
// here one token may do everything, and another one, like the tokens that a
// login gives, may sign intermediates.
//
// It listens with TLS on a free port of 127.0.0.1, prints what a test has to
// know as one line of JSON, and ends when its standard input does.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	kubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/builtin/logical/pki"
	"github.com/hashicorp/vault/sdk/logical"
)

// started is what is printed.
type started struct {
	Address  string `json:"address"`
	CABundle []byte `json:"caBundle"`
	// Operator is the token that may do everything, Signer the one that may sign
	// intermediates.
	Operator string `json:"operator"`
	Signer   string `json:"signer"`
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	api, err := newAPI(ctx, map[string]logical.Factory{
		"pki": pki.Factory, "pki_int": pki.Factory, "empty": pki.Factory, "auth/kubernetes": kubernetes.Factory,
	})
	if err != nil {
		return err
	}
	certificate, bundle, err := serving()
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	if err := json.NewEncoder(os.Stdout).Encode(started{
		Address: "https://" + listener.Addr().String(), CABundle: bundle, Operator: api.operator, Signer: api.signer,
	}); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	go func() {
		_, err := io.Copy(io.Discard, os.Stdin)
		failed <- err
	}()
	return <-failed
}

// serving returns a certificate for this machine, and the bundle to verify it.
func serving() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("generate the key of the server: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "vault"},
		NotBefore:    now.Add(-time.Minute),
		NotAfter:     now.Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, nil, fmt.Errorf("sign the certificate of the server: %w", err)
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, bundle, nil
}

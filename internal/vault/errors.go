package vault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// maxDetail limits how much of a server's text an error repeats, in characters.
const maxDetail = 400

// Error describes a failed request to Vault: what failed, why, and what to do
// next. It never contains a token.
type Error struct {
	// Server is the address of the Vault, Path the path of the request below
	// /v1.
	Server, Path string
	// Action is the failed operation, as a verb with its object: "sign the
	// intermediate certificate".
	Action string
	// Status is the HTTP status of the answer; 0 if there was none.
	Status int
	// Why is the cause in one line, Hint the next step; Hint may be empty.
	Why, Hint string

	cause error
}

// Error returns the whole message in one line.
func (e *Error) Error() string {
	text := fmt.Sprintf("cannot %s with Vault at %s (path %s): %s", e.Action, e.Server, e.Path, e.Why)
	if e.Hint != "" {
		text += ": " + e.Hint
	}
	return text
}

// Unwrap returns the cause, so that errors.Is and errors.As can distinguish a
// cancelled context from an unreachable server.
func (e *Error) Unwrap() error { return e.cause }

// transportProblem explains why there was no answer and returns a hint.
func transportProblem(ctx context.Context, err error) (why, hint string) {
	var (
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate x509.CertificateInvalidError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		host        *net.DNSError
		timeout     net.Error
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "cancelled", ""
	case errors.As(err, &authority):
		return "the certificate of the server is signed by an unknown authority", "put the certificate of that authority into caBundle or caLocalPath"
	case errors.As(err, &hostname):
		return "the certificate of the server is for another host: " + oneLine(hostname.Error()), "use a name in server that the certificate is for"
	case errors.As(err, &certificate):
		return "the certificate of the server is not valid: " + oneLine(certificate.Error()), "renew it, or check the clock of this machine"
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "the server does not speak TLS", "check the port in server"
	case errors.As(err, &alert):
		return "TLS handshake failed: " + oneLine(alert.Error()), "check whether it requires client certificates, which meshctl does not support"
	case errors.As(err, &host):
		return "the host name has no address: " + oneLine(host.Error()), "check server, and whether this machine may resolve names of that network"
	case errors.Is(ctx.Err(), context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timed out", "check that the address is right and Vault is running"
	case notSent(err):
		return "the server is unreachable: " + oneLine(innermost(err).Error()), "check server, and that Vault is running"
	default:
		return "the connection broke: " + oneLine(innermost(err).Error()), "try again"
	}
}

// notSent reports whether the request failed before the server could receive
// it.
func notSent(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func innermost(err error) error {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return err
		}
		err = next
	}
}

// statusHint returns the hint for an unsuccessful answer of Vault.
func statusHint(status int, method, path, namespace, detail string) string {
	capabilities := `"create", "update"`
	if method == http.MethodGet {
		capabilities = `"read"`
	}
	switch {
	case strings.Contains(detail, "HTTP request to an HTTPS server"):
		return "write https in server"
	case strings.Contains(strings.ToLower(detail), "sealed"):
		return "unseal Vault and try again"
	case status >= 300 && status < 400:
		return "name that address in server: credentials are not sent to addresses that only an answer names"
	case status == http.StatusBadRequest:
		return "correct the settings of the VirtualMesh or of Vault"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return fmt.Sprintf("check that the token has not expired and its policy has path %q { capabilities = [%s] }", path, capabilities)
	case status == http.StatusNotFound && namespace == "":
		return "check the path, that a PKI secrets engine is mounted there, and whether Vault expects a namespace"
	case status == http.StatusNotFound:
		return fmt.Sprintf("check the path, and that a PKI secrets engine is mounted there in namespace %q", namespace)
	case status == http.StatusMethodNotAllowed:
		return "check the path: it does not do this"
	case status == http.StatusTooManyRequests:
		return "try again later"
	case status == http.StatusNotImplemented:
		return "check that Vault is initialized"
	case status >= 500:
		return "try again, and check the log of Vault"
	default:
		return "check that server is the address of Vault, not of something in front of it"
	}
}

// oneLine escapes and shortens a text from outside to one line.
func oneLine(s string) string { return text.OneLine(s, maxDetail) }

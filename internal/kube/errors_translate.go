package kube

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// verdict is the translation of an error, without its location.
type verdict struct {
	reason    Reason
	why, hint string
}

// Translate is Explain for callers that inspect the *Error. It returns nil for
// nil, and an *Error unchanged.
func (c *Connection) Translate(action string, err error) *Error {
	if err == nil {
		return nil
	}
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	v := judge(err, c.server())
	if v.reason == ReasonForbidden {
		v.hint = c.adviseForbidden(v.why, v.hint)
	}
	return &Error{
		Cluster: c.Name, Action: action, Reason: v.reason, Why: c.redact(OneLine(v.why)), Hint: v.hint,
		Conflicts: fieldConflicts(err), cause: err,
	}
}

// judge classifies an error; server is the address for messages.
func judge(err error, server string) verdict {
	for _, ask := range []func(error, string) (verdict, bool){judgeEnd, judgeAnswer, judgeCredentials, judgeTLS, judgeStatus, judgeNetwork} {
		if v, ok := ask(err, server); ok {
			return v
		}
	}
	return verdict{reason: ReasonOther, why: err.Error()}
}

// judgeEnd recognises timeouts and cancellation by the user.
func judgeEnd(err error, server string) (verdict, bool) {
	var network net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return verdict{ReasonCancelled, "cancelled", ""}, true
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT),
		errors.As(err, &network) && network.Timeout() && !isNameError(err):
		return verdict{
			ReasonTimeout, "timed out waiting for " + server,
			"check that the cluster is running and that no firewall or VPN blocks the connection, or increase the timeout",
		}, true
	default:
		return verdict{}, false
	}
}

// judgeAnswer recognises answers that no API server gives.
func judgeAnswer(err error, server string) (verdict, bool) {
	var (
		foreign *foreignAnswerError
		tooMuch *tooMuchError
	)
	switch {
	case errors.As(err, &foreign):
		return verdict{
			ReasonNotKubernetes, server + " " + foreign.what,
			hintNotKubernetes,
		}, true
	case errors.As(err, &tooMuch):
		return verdict{ReasonTooMuch, tooMuch.Error(), "find out what fills the cluster, or raise the limit with --read-limit"}, true
	case runtime.IsMissingKind(err), runtime.IsMissingVersion(err), runtime.IsNotRegisteredError(err), strings.Contains(err.Error(), "json parse error"):
		return verdict{ReasonNotKubernetes, server + " answers with something that is no object of Kubernetes", hintNotKubernetes}, true
	default:
		return verdict{}, false
	}
}

const hintNotKubernetes = "check that the address is that of a Kubernetes API server, and any proxy in between"

// judgeCredentials recognises missing credentials. client-go has no types for
// these errors.
func judgeCredentials(err error, _ string) (verdict, bool) {
	text := err.Error()
	if _, plugin, found := strings.Cut(text, "getting credentials: "); found {
		return verdict{
			ReasonNoCredentials, "the credential plugin of the kubeconfig failed: " + plugin,
			"run the plugin's login, then try again",
		}, true
	}
	if strings.Contains(text, "auth plugin has been removed") || strings.Contains(text, "no Auth Provider found") {
		return verdict{
			ReasonNoCredentials, "the kubeconfig uses an auth provider that was removed",
			"recreate the kubeconfig with the tool of your cloud provider",
		}, true
	}
	return verdict{}, false
}

// judgeTLS recognises certificates that the client or the server rejects.
func judgeTLS(err error, server string) (verdict, bool) {
	var (
		authority x509.UnknownAuthorityError
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	switch {
	case errors.As(err, &authority):
		return verdict{
			ReasonUntrusted, "the certificate of " + server + " is signed by an unknown authority",
			"check certificate-authority-data in the kubeconfig; a proxy may present its own certificate",
		}, true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return verdict{
			ReasonUntrusted, "the certificate of " + server + " is expired or not valid yet",
			"renew it, or correct the clock of this machine",
		}, true
	case errors.As(err, &hostname):
		return verdict{
			ReasonUntrusted, "the certificate of " + server + " is for another host: " + hostname.Error(),
			"use an address that the certificate names, or set tls-server-name in the kubeconfig",
		}, true
	case errors.As(err, &invalid):
		return verdict{ReasonUntrusted, "the certificate of " + server + " is not valid: " + invalid.Error(), "check the certificate of the API server"}, true
	case errors.As(err, &record), strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return verdict{ReasonUntrusted, server + " does not use TLS", "check the address and the port of the cluster in the kubeconfig"}, true
	case errors.As(err, &alert), strings.Contains(err.Error(), "remote error: tls: "):
		_, detail, _ := strings.Cut(err.Error(), "tls: ")
		return verdict{
			ReasonUnauthorized, server + " rejected the client certificate: " + detail,
			"log in again, or renew the certificate in the kubeconfig",
		}, true
	case strings.Contains(err.Error(), "x509: "):
		_, detail, _ := strings.Cut(err.Error(), "x509: ")
		return verdict{ReasonUntrusted, "the certificate of " + server + " cannot be verified: " + detail, "check the certificate of the API server"}, true
	default:
		return verdict{}, false
	}
}

// judgeStatus recognises the status errors of API servers.
func judgeStatus(err error, server string) (verdict, bool) {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		if meta.IsNoMatchError(err) {
			return verdict{ReasonNoSuchKind, err.Error(), hintNoSuchKind}, true
		}
		return verdict{}, false
	}
	message := status.Status().Message
	if detail, found := schemaMismatch(message); found {
		return verdict{ReasonInvalid, detail, "correct the object"}, true
	}
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return verdict{ReasonInvalid, "its namespace is being deleted", "wait until the namespace is deleted and create it again, or exclude its workloads"}, true
	case isTooLarge(err, message):
		return verdict{ReasonInvalid, "it is larger than the API server or its storage accepts: " + message, "split its source into several smaller ones"}, true
	case apierrors.IsUnauthorized(err):
		return verdict{
			ReasonUnauthorized, server + " rejected the credentials",
			"they may have expired: log in again, or renew the token",
		}, true
	case apierrors.IsForbidden(err):
		if _, detail, found := strings.Cut(message, "is forbidden: "); found {
			message = detail
		}
		return verdict{ReasonForbidden, "forbidden: " + message, "get this permission, or use other credentials"}, true
	case apierrors.IsNotFound(err) && isMissingKind(status):
		return verdict{ReasonNoSuchKind, "the cluster has no such kind", hintNoSuchKind}, true
	case apierrors.IsNotFound(err) && status.Status().Details.Kind == "namespaces":
		return verdict{ReasonNotFound, message, "create the namespace"}, true
	case apierrors.IsNotFound(err):
		return verdict{ReasonNotFound, message, ""}, true
	case apierrors.IsAlreadyExists(err):
		return verdict{ReasonAlreadyExists, message, ""}, true
	case apierrors.IsConflict(err):
		return judgeConflict(err), true
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return verdict{ReasonInvalid, message, ""}, true
	case apierrors.IsTimeout(err), apierrors.IsServerTimeout(err):
		return verdict{ReasonServerTrouble, message, "try again"}, true
	case apierrors.IsTooManyRequests(err), apierrors.IsServiceUnavailable(err), apierrors.IsInternalError(err), status.Status().Code >= 500:
		return verdict{ReasonServerTrouble, fmt.Sprintf("%s answers: %s", server, message), "try again, or check the log of the API server"}, true
	default:
		return verdict{ReasonOther, message, ""}, true
	}
}

// isTooLarge recognises an object that exceeds a limit of the API server, or of
// its storage, which the server reports as an internal error.
func isTooLarge(err error, message string) bool {
	return apierrors.IsRequestEntityTooLargeError(err) || strings.Contains(message, "etcdserver: request is too large") ||
		strings.Contains(message, "trying to send message larger than max")
}

// schemaMismatch recognises an object that does not match its schema, which API
// servers report as an internal error.
func schemaMismatch(message string) (string, bool) {
	_, rest, found := strings.Cut(message, "failed to create typed patch object (")
	if !found {
		return "", false
	}
	_, detail, found := strings.Cut(rest, "): ")
	return strings.TrimPrefix(detail, "."), found
}

const hintNoSuchKind = "install its CustomResourceDefinition, or use a cluster that has it"

// isMissingKind distinguishes a path that the server does not serve from an
// object that does not exist: only for the latter does the server itself write
// the details.
func isMissingKind(status apierrors.APIStatus) bool {
	details := status.Status().Details
	return details == nil || details.Name == "" || slices.ContainsFunc(details.Causes, func(c metav1.StatusCause) bool {
		return c.Type == metav1.CauseTypeUnexpectedServerResponse
	})
}

func judgeConflict(err error) verdict {
	conflicts := fieldConflicts(err)
	if len(conflicts) == 0 {
		return verdict{ReasonConflict, "it was changed at the same time", "try again"}
	}
	fields := make([]string, 0, len(conflicts))
	for _, c := range conflicts {
		fields = append(fields, fmt.Sprintf("%s is owned by %s", c.Field, c.Owner))
	}
	return verdict{ReasonConflict, strings.Join(fields, ", "), "remove the fields, or take them over with --force-conflicts"}
}

// judgeNetwork recognises connections that could not be made or that broke.
func judgeNetwork(err error, server string) (verdict, bool) {
	var operation *net.OpError
	switch {
	case isNameError(err):
		return verdict{
			ReasonUnknownHost, "the host of " + server + " has no address",
			"check the server of the cluster in the kubeconfig, and whether a VPN is needed to resolve it",
		}, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return verdict{ReasonUnreachable, "connection refused (" + server + ")", "check that the cluster runs and that the address is right"}, true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		strings.Contains(err.Error(), "http2: client connection lost"):
		return verdict{ReasonUnreachable, server + " closed the connection", "check the API server and any proxy in front of it"}, true
	case errors.Is(err, os.ErrNotExist):
		return verdict{ReasonNoCredentials, "a file that the kubeconfig names cannot be read: " + err.Error(), "correct the path in the kubeconfig"}, true
	case errors.As(err, &operation), errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return verdict{ReasonUnreachable, server + " is unreachable: " + innermost(err).Error(), "check the network, and whether a VPN is needed"}, true
	default:
		return verdict{}, false
	}
}

func isNameError(err error) bool {
	var name *net.DNSError
	return errors.As(err, &name)
}

// innermost returns the last cause of a chain of errors.
func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// maxWhy limits how much of a server's message is shown.
const maxWhy = 600

// OneLine formats a text from a server or a plugin as one bounded line.
func OneLine(s string) string { return text.OneLine(s, maxWhy) }

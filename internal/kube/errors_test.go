package kube

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// get wraps an error the way an HTTP client does.
func get(err error) error {
	return &url.Error{Op: "Get", URL: "https://east.example.com:6443/api/v1/pods?limit=500", Err: err}
}

func dial(err error) error { return get(&net.OpError{Op: "dial", Net: "tcp", Err: err}) }

// terminating is the answer to creating something in a namespace that is being
// deleted.
func terminating() error {
	err := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "a", errors.New("unable to create new content in namespace shop because it is being terminated"))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: corev1.NamespaceTerminatingCause}}
	return err
}

func TestExplain(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	const at = "cannot list pods on cluster east: "
	const server = "https://east.example.com:6443"
	tests := []struct {
		name   string
		err    error
		reason Reason
		// want is the start of the message.
		want string
	}{
		{"refused", dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), ReasonUnreachable, "connection refused (" + server + ")"},
		{"reset", get(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), ReasonUnreachable, server + " closed the connection"},
		{"end of file", get(io.EOF), ReasonUnreachable, server + " closed the connection"},
		{"no route", dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), ReasonUnreachable, server + " is unreachable: no route to host"},
		{"no such host", dial(&net.DNSError{Err: "no such host", Name: "east.example.com", IsNotFound: true}), ReasonUnknownHost, "the host of " + server + " has no address"},
		{"slow name server", dial(&net.DNSError{Err: "i/o timeout", Name: "east.example.com", IsTimeout: true}), ReasonUnknownHost, "the host of " + server},
		{"dial timeout", dial(os.ErrDeadlineExceeded), ReasonTimeout, "timed out waiting for " + server},
		{"deadline", get(context.DeadlineExceeded), ReasonTimeout, "timed out waiting for"},
		{"cancelled", get(context.Canceled), ReasonCancelled, "cancelled"},
		{"unknown authority", get(x509.UnknownAuthorityError{}), ReasonUntrusted, "the certificate of " + server + " is signed by an unknown authority"},
		{"expired", get(x509.CertificateInvalidError{Reason: x509.Expired}), ReasonUntrusted, "the certificate of " + server + " is expired or not valid yet"},
		{"another host", get(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"west"}}, Host: "east"}), ReasonUntrusted, "the certificate of " + server + " is for another host: x509: certificate is valid for west, not east"},
		{"no TLS", get(errors.New("http: server gave HTTP response to HTTPS client")), ReasonUntrusted, server + " does not use TLS"},
		{"client certificate", get(errors.New("remote error: tls: expired certificate")), ReasonUnauthorized, server + " rejected the client certificate: expired certificate"},
		{"plugin", get(errors.New("getting credentials: exec: executable aws not found\n\nIt looks like you are trying")), ReasonNoCredentials, "the credential plugin of the kubeconfig failed: exec: executable aws not found It looks"},
		{"terminating namespace", terminating(), ReasonInvalid, "its namespace is being deleted"},
		{"no namespace", apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "shop"), ReasonNotFound, `namespaces "shop" not found: create the namespace`},
		{"large request", apierrors.NewRequestEntityTooLargeError("limit is 3145728"), ReasonInvalid, "it is larger than the API server or its storage accepts: Request entity too large: limit is 3145728"},
		{"large object", apierrors.NewInternalError(errors.New("etcdserver: request is too large")), ReasonInvalid, "it is larger than the API server or its storage accepts: "},
		{"unauthorized", apierrors.NewUnauthorized("no"), ReasonUnauthorized, server + " rejected the credentials"},
		{
			"forbidden", apierrors.NewForbidden(pods, "", errors.New(`User "bob" cannot list resource "pods" in API group "" at the cluster scope`)),
			ReasonForbidden, `forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope: get`,
		},
		{"no such path", apierrors.NewGenericServerResponse(http.StatusNotFound, "get", pods, "", "404 page not found", 0, true), ReasonNoSuchKind, "the cluster has no such kind"},
		{"no such object", apierrors.NewNotFound(pods, "a"), ReasonNotFound, `pods "a" not found`},
		{"exists", apierrors.NewAlreadyExists(pods, "a"), ReasonAlreadyExists, `pods "a" already exists`},
		{"changed", apierrors.NewConflict(pods, "a", errors.New("modified")), ReasonConflict, "it was changed at the same time: try again"},
		{
			"fields of others", apierrors.NewApplyConflict([]metav1.StatusCause{
				{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.b", Message: `conflict with "kubectl" using v1 at 2026-01-01T00:00:00Z`},
				{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.a", Message: `conflict with "argo"`},
			}, "Apply failed"), ReasonConflict, "spec.a is owned by argo, spec.b is owned by kubectl: remove",
		},
		{"invalid", apierrors.NewBadRequest("spec.x: wrong"), ReasonInvalid, "spec.x: wrong"},
		{
			"unknown field", apierrors.NewInternalError(errors.New("failed to create typed patch object (a/b; example.com/v1, Kind=C): .spec.x: field not declared in schema")),
			ReasonInvalid, "spec.x: field not declared in schema: correct the object",
		},
		{"overloaded", apierrors.NewTooManyRequests("slow down", 1), ReasonServerTrouble, server + " answers: slow down"},
		{"broken", apierrors.NewInternalError(errors.New("etcd is gone")), ReasonServerTrouble, server + " answers: Internal error occurred: etcd is gone"},
		{"anything else", errors.New("surprise\x1b[31m"), ReasonOther, `wrapped: surprise\x1b[31m`},
	}
	c := New("east", SourceContext, &rest.Config{Host: "https://user:word@east.example.com:6443/"}, Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := c.Translate("list pods", fmt.Errorf("wrapped: %w", tt.err))
			if e.Reason != tt.reason || !strings.HasPrefix(e.Error(), at+tt.want) {
				t.Errorf("got %s %q, want %s %q", e.Reason, e.Error(), tt.reason, at+tt.want)
			}
			if !errors.Is(e, tt.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestExplainKeepsWhatIsExplained(t *testing.T) {
	t.Parallel()
	c := New("east", SourceContext, &rest.Config{Host: "https://east"}, Options{})
	if err := c.Explain("list pods", nil); err != nil {
		t.Errorf("nothing failed, but got %v", err)
	}
	first := c.Explain("list pods", io.EOF)
	if second := c.Explain("do more", fmt.Errorf("again: %w", first)); !errors.Is(second, first) {
		t.Errorf("got %v, want %v", second, first)
	}
}

func TestFieldConflicts(t *testing.T) {
	t.Parallel()
	err := apierrors.NewApplyConflict([]metav1.StatusCause{
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.b", Message: `conflict with "kubectl" with subresource "status" using v1`},
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.a", Message: `conflict with ""`},
		{Type: metav1.CauseTypeFieldManagerConflict, Field: ".spec.a", Message: "conflict"},
		{Type: metav1.CauseTypeFieldValueInvalid, Field: ".spec.c", Message: `"no" conflict`},
	}, "failed")
	want := []FieldConflict{{Field: "spec.a", Owner: "another field manager"}, {Field: "spec.b", Owner: "kubectl"}}
	if diff := cmp.Diff(want, fieldConflicts(fmt.Errorf("wrapped: %w", err))); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
	if got := fieldConflicts(apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "a", io.EOF)); got != nil {
		t.Errorf("a conflict about timing names fields: %v", got)
	}
}

// TestNoSecrets shows that credentials do not get into messages, wherever the
// text came from.
func TestNoSecrets(t *testing.T) {
	t.Parallel()
	const token, password = "eyJ.very.secret", "hunter22"
	c := New("east", SourceContext, &rest.Config{
		Host: "https://admin:" + password + "@east:6443?token=" + token, BearerToken: token, Username: "admin", Password: password,
	}, Options{})
	for _, err := range []error{
		errors.New("bad header: Bearer " + token), errors.New("getting credentials: " + password), dial(syscall.ECONNREFUSED),
		apierrors.NewBadRequest("token " + token), errors.New("remote error: tls: " + password),
	} {
		text := c.Translate("list pods", err).Error()
		if strings.Contains(text, token) || strings.Contains(text, password) {
			t.Errorf("%q has a secret", text)
		}
	}
	if server := c.server(); server != "https://east:6443" {
		t.Errorf("the server is %q", server)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err  Error
		want string
	}{
		{Error{Cluster: "east", Action: "list pods", Why: "it is off", Hint: "turn it on"}, "cannot list pods on cluster east: it is off: turn it on"},
		{Error{Cluster: "east", Why: "it is off"}, "cluster east: it is off"},
		{Error{Action: "read the kubeconfig", Why: "it is empty"}, "cannot read the kubeconfig: it is empty"},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	given := &rest.Config{Host: "https://east", QPS: 5, UserAgent: "other"}
	c := New("east", SourceRegistered, given, Options{Version: "v1.2.3", RequestTimeout: 7 * time.Second, As: "bob", AsGroups: []string{"team"}})
	got := c.RESTConfig()
	if !strings.HasPrefix(got.UserAgent, "meshctl/v1.2.3 (") || got.Timeout != 7*time.Second || got.QPS != -1 {
		t.Errorf("user agent %q, timeout %s, QPS %f", got.UserAgent, got.Timeout, got.QPS)
	}
	if got.Impersonate.UserName != "bob" || len(got.Impersonate.Groups) != 1 {
		t.Errorf("impersonates %+v", got.Impersonate)
	}
	if given.UserAgent != "other" || given.QPS != 5 {
		t.Error("the given configuration was changed")
	}
	if timeout := New("east", SourceContext, &rest.Config{Timeout: time.Second}, Options{}).RESTConfig().Timeout; timeout != time.Second {
		t.Errorf("the timeout of the configuration became %s", timeout)
	}
}

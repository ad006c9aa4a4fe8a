package kube

import (
	"cmp"
	"errors"
	"fmt"
)

// Reason classifies an Error.
type Reason string

// The reasons why a request to a cluster failed.
const (
	// ReasonUnreachable: the API server does not answer, or the connection broke.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonUnknownHost: the host name of the API server cannot be resolved.
	ReasonUnknownHost Reason = "UnknownHost"
	// ReasonUntrusted: the certificate of the API server is not trusted: of an
	// unknown authority, expired, or for another host.
	ReasonUntrusted Reason = "Untrusted"
	// ReasonNoCredentials: there are no credentials, because a plugin failed or a
	// file cannot be read.
	ReasonNoCredentials Reason = "NoCredentials"
	// ReasonUnauthorized: the API server rejected the credentials.
	ReasonUnauthorized Reason = "Unauthorized"
	// ReasonTimeout: timed out.
	ReasonTimeout Reason = "Timeout"
	// ReasonForbidden: the credentials do not allow the request.
	ReasonForbidden Reason = "Forbidden"
	// ReasonNoSuchKind: the cluster does not serve the kind, for example because
	// its CustomResourceDefinition is missing.
	ReasonNoSuchKind Reason = "NoSuchKind"
	// ReasonNotFound: the object, or its namespace, does not exist.
	ReasonNotFound Reason = "NotFound"
	// ReasonAlreadyExists: an object of that name already exists.
	ReasonAlreadyExists Reason = "AlreadyExists"
	// ReasonConflict: another owner has the field or the object, or changed it at
	// the same time.
	ReasonConflict Reason = "Conflict"
	// ReasonInvalid: the API server rejected the object.
	ReasonInvalid Reason = "Invalid"
	// ReasonServerTrouble: the API server is overloaded or failed.
	ReasonServerTrouble Reason = "ServerTrouble"
	// ReasonNotKubernetes: the server is not a Kubernetes API server, or does not
	// behave like one.
	ReasonNotKubernetes Reason = "NotKubernetes"
	// ReasonTooMuch: the answer exceeds the limits of what meshctl reads.
	ReasonTooMuch Reason = "TooMuch"
	// ReasonCancelled: the user stopped meshctl.
	ReasonCancelled Reason = "Cancelled"
	// ReasonUnusable: the configuration of the connection is broken.
	ReasonUnusable Reason = "Unusable"
	// ReasonOther: none of the above.
	ReasonOther Reason = "Other"
)

// Error describes a failure on a cluster: what failed, why, and what to do next.
// It never contains credentials.
type Error struct {
	// Cluster is the name of the cluster in meshctl; empty if the error is not
	// about a single cluster.
	Cluster string
	// Action is the failed action, as a verb with its object: "list pods". If it
	// is empty, the whole cluster is unusable.
	Action string
	Reason Reason
	// Why is the cause in one line, Hint the next step; Hint may be empty.
	Why, Hint string
	// Conflicts are the fields with another owner, for ReasonConflict.
	Conflicts []FieldConflict

	cause error
}

// FieldConflict is a field that another field manager owns.
type FieldConflict struct {
	// Field is the path, such as spec.policy.requestTimeout.
	Field string
	// Owner is the name of the field manager.
	Owner string
}

// Error returns the whole message in one line.
func (e *Error) Error() string {
	return withCause(e.Message(), e.Hint)
}

// Message returns the message without the hint.
func (e *Error) Message() string {
	switch {
	case e.Action == "":
		return withCause("cluster "+e.Cluster, e.Why)
	case e.Cluster == "":
		return withCause("cannot "+e.Action, e.Why)
	default:
		return withCause("cannot "+e.Action+" on cluster "+e.Cluster, e.Why)
	}
}

// Local returns the message without the cluster and the hint, for output that
// already names the cluster.
func (e *Error) Local() string {
	if e.Action == "" && e.Why != "" {
		return e.Why
	}
	return withCause("cannot "+cmp.Or(e.Action, "use the cluster"), e.Why)
}

// LocalError returns the message with the hint, but without the cluster.
func (e *Error) LocalError() string { return withCause(e.Local(), e.Hint) }

func withCause(text, cause string) string {
	if cause == "" {
		return text
	}
	return text + ": " + cause
}

// WithCause sets the underlying error for errors.Is and errors.As.
func (e *Error) WithCause(cause error) *Error {
	e.cause = cause
	return e
}

// Unwrap returns the cause for errors.Is and errors.As. Its text is not meant for
// users.
func (e *Error) Unwrap() error { return e.cause }

// WholeCluster reports whether any other request to the cluster would fail the
// same way.
func (e *Error) WholeCluster() bool {
	switch e.Reason {
	case ReasonUnreachable, ReasonUnknownHost, ReasonUntrusted, ReasonNoCredentials, ReasonUnauthorized, ReasonTimeout,
		ReasonNotKubernetes, ReasonTooMuch, ReasonCancelled, ReasonUnusable:
		return true
	default:
		return false
	}
}

// Skippable reports whether the resource may be skipped with a warning: reading
// it is forbidden, or the cluster does not serve it. After any other failure the
// state of the cluster is not known (D71).
func (e *Error) Skippable() bool {
	return e.Reason == ReasonForbidden || e.Reason == ReasonNoSuchKind
}

// IsReason reports whether an error is an *Error with the reason.
func IsReason(err error, reason Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == reason
}

// NotRegistered returns the error for a cluster with a mesh that is not
// registered, so that meshctl has no credentials for it.
func NotRegistered(cluster string) error {
	return fmt.Errorf("cluster %s is not registered: run 'meshctl cluster register %s', or pass its context with --clusters", cluster, cluster)
}

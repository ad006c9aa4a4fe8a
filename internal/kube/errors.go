package kube

import (
	"cmp"
	"errors"
	"fmt"
)

// Reason classifies an Error.
type Reason string

// The reasons for which a request to a cluster fails.
const (
	// ReasonUnreachable: nothing answers at the address of the API server, or
	// the connection breaks.
	ReasonUnreachable Reason = "Unreachable"
	// ReasonUnknownHost: the host name of the API server has no address.
	ReasonUnknownHost Reason = "UnknownHost"
	// ReasonUntrusted: the certificate of the API server is not one to trust: of
	// an unknown authority, expired, or for another host.
	ReasonUntrusted Reason = "Untrusted"
	// ReasonNoCredentials: there are no credentials to show: a plugin failed, a
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
	// ReasonAlreadyExists: an object of that name exists.
	ReasonAlreadyExists Reason = "AlreadyExists"
	// ReasonConflict: someone else owns a field or the object, or changed it at
	// the same time.
	ReasonConflict Reason = "Conflict"
	// ReasonInvalid: the API server rejects the object.
	ReasonInvalid Reason = "Invalid"
	// ReasonServerTrouble: the API server is overloaded or failed.
	ReasonServerTrouble Reason = "ServerTrouble"
	// ReasonNotKubernetes: what answers is no Kubernetes API server, or does not
	// behave like one.
	ReasonNotKubernetes Reason = "NotKubernetes"
	// ReasonTooMuch: the API server is reachable with more than meshctl reads.
	ReasonTooMuch Reason = "TooMuch"
	// ReasonCancelled: the user stopped meshctl.
	ReasonCancelled Reason = "Cancelled"
	// ReasonUnusable: the configuration of the connection is broken.
	ReasonUnusable Reason = "Unusable"
	// ReasonOther is none of the others.
	ReasonOther Reason = "Other"
)

// Error says what failed on which cluster, why, and what to do next. It never
// contains credentials.
type Error struct {
	// Cluster is the name that meshctl knows the cluster by; empty if the error
	// is about no particular one.
	Cluster string
	// Action is what failed, as a verb with its object: "list pods". If it is
	// empty, the cluster cannot be used at all.
	Action string
	Reason Reason
	// Why is the cause in one line, Hint the next step; Hint may be empty.
	Why, Hint string
	// Conflicts are the fields that others own, for ReasonConflict.
	Conflicts []FieldConflict

	cause error
}

// FieldConflict is a field that cannot be set because another field manager
// owns it.
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
// names the cluster already.
func (e *Error) Local() string {
	if e.Action == "" && e.Why != "" {
		return e.Why
	}
	return withCause("cannot "+cmp.Or(e.Action, "use the cluster"), e.Why)
}

// LocalError is Error without the cluster.
func (e *Error) LocalError() string { return withCause(e.Local(), e.Hint) }

func withCause(text, cause string) string {
	if cause == "" {
		return text
	}
	return text + ": " + cause
}

// WithCause notes the error behind this one, for errors.Is and errors.As.
func (e *Error) WithCause(cause error) *Error {
	e.cause = cause
	return e
}

// Unwrap returns the cause, for errors.Is and errors.As. Its text is not meant
// for users.
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

// Skippable reports whether what could not be read may be left out with a warning:
// the credentials do not show it, or the cluster does not have it. After any other
// failure, it is unknown what there is (semantics D71).
func (e *Error) Skippable() bool {
	return e.Reason == ReasonForbidden || e.Reason == ReasonNoSuchKind
}

// IsReason reports whether an error of a cluster has the reason.
func IsReason(err error, reason Reason) bool {
	var e *Error
	return errors.As(err, &e) && e.Reason == reason
}

// NotRegistered is the error for a cluster that has a mesh, but whose credentials
// meshctl does not have.
func NotRegistered(cluster string) error {
	return fmt.Errorf("cluster %s is not registered: run 'meshctl cluster register %s', or pass its context with --clusters", cluster, cluster)
}

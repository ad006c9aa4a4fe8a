package world

import (
	"fmt"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// Origin says where an object was read.
type Origin struct {
	// File is the name as the user gave it, below a directory joined to the
	// directory's name; "stdin" for standard input.
	File string
	// Document is the number of the document in the file, counted from 1; 0 if
	// the file as a whole is meant.
	Document int
	// Item is the number of the item inside a List, counted from 1; 0 outside
	// of a List.
	Item int
	// Line is where the object starts in the file, counted from 1; 0 if unknown.
	Line int
}

// String returns the origin for a person to find it: "policies.yaml:47
// (document 3)" or "stdin:12 (document 1, item 4)".
func (o Origin) String() string {
	place := o.File
	if o.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, o.Line)
	}
	switch {
	case o.Document == 0:
		return place
	case o.Item == 0:
		return fmt.Sprintf("%s (document %d)", place, o.Document)
	default:
		return fmt.Sprintf("%s (document %d, item %d)", place, o.Document, o.Item)
	}
}

// Object is one resource of a modelled kind, with where it came from and what
// its schema says about it.
type Object[T any] struct {
	// Resource is never nil. If it could not be decoded, only its metadata is
	// filled in.
	Resource *T
	Origin   Origin
	// Errors lists the schema violations, each as "PATH: MESSAGE". An object
	// with errors takes part with state INVALID.
	Errors []string
	// Outside says that the object is in a namespace of the management cluster whose
	// resources have no effect (semantics D72). It is shown and touches nothing else;
	// Errors says why.
	Outside bool
}

// Objects is everything that was loaded, in load order.
type Objects struct {
	VirtualMeshes      []Object[networkingv1.VirtualMesh]
	TrafficPolicies    []Object[networkingv1.TrafficPolicy]
	AccessPolicies     []Object[networkingv1.AccessPolicy]
	Meshes             []Object[discoveryv1.Mesh]
	Workloads          []Object[discoveryv1.Workload]
	Destinations       []Object[discoveryv1.Destination]
	Settings           []Object[settingsv1.Settings]
	KubernetesClusters []Object[multiclusterv1alpha1.KubernetesCluster]

	// Problems lists what could not be used, and warnings.
	Problems []Problem
	// Ignored counts the objects of kinds that are not modelled.
	Ignored int
}

// IsEmpty reports whether there is no object at all.
func (o Objects) IsEmpty() bool {
	return len(o.VirtualMeshes)+len(o.TrafficPolicies)+len(o.AccessPolicies)+len(o.Meshes)+len(o.Workloads)+len(o.Destinations)+
		len(o.Settings)+len(o.KubernetesClusters) == 0
}

// ProblemKind classifies a Problem.
type ProblemKind string

// The kinds of problems that loading meets.
const (
	// UnreadableFile is a file that cannot be opened or read.
	UnreadableFile ProblemKind = "UnreadableFile"
	// UnreadableDocument is text that is not an object.
	UnreadableDocument ProblemKind = "UnreadableDocument"
	// UnknownKind is a kind or a version that the API groups of meshctl do not have.
	UnknownKind ProblemKind = "UnknownKind"
	// UnknownField is a field that the kind's schema does not have; the object
	// is used without it.
	UnknownField ProblemKind = "UnknownField"
	// DuplicateService is a second Destination for one Service; it is not used.
	DuplicateService ProblemKind = "DuplicateService"
	// UnusableName is a discovered object with a name, trust domain or the like that
	// nothing could be called; it is not used.
	UnusableName ProblemKind = "UnusableName"
	// IgnoredNamespace is an object in a namespace of the management cluster whose
	// resources have no effect.
	IgnoredNamespace ProblemKind = "IgnoredNamespace"
	// SchemaViolation is an object that its schema rejects.
	SchemaViolation ProblemKind = "SchemaViolation"
)

// The kinds of problems that reading clusters meets.
const (
	// UnusableCluster is a cluster that cannot be reached, or does not let
	// meshctl in; nothing of it is in the world.
	UnusableCluster ProblemKind = "UnusableCluster"
	// UnlistedKind is a kind whose objects may not be listed, or that a cluster
	// does not have.
	UnlistedKind ProblemKind = "UnlistedKind"
	// DiscoveryNote is something that discovery left out or assumed.
	DiscoveryNote ProblemKind = "DiscoveryNote"
)

// Problem is something wrong with the input that does not stop the rest from
// being answered.
type Problem struct {
	Kind   ProblemKind
	Origin Origin
	// Object names the object as KIND/NAME.NAMESPACE, or is empty if it is not
	// known.
	Object string
	// LeftOut says that the world goes without the object.
	LeftOut bool
	// Message says what is wrong, Hint what to do about it; Hint may be empty.
	Message, Hint string
}

// HidesInput reports whether something is missing from the world because of
// the problem.
func (p Problem) HidesInput() bool {
	switch p.Kind {
	case UnreadableFile, UnreadableDocument, UnknownKind, UnusableCluster:
		return true
	default:
		return p.LeftOut
	}
}

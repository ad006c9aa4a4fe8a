package world

import (
	"fmt"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// Origin is the place where an object was read.
type Origin struct {
	// File is the name as the user gave it, or the path below the given
	// directory; "stdin" for standard input.
	File string
	// Document is the number of the document in the file, counted from 1; 0 for
	// the file as a whole.
	Document int
	// Item is the number of the item in a List, counted from 1; 0 outside a List.
	Item int
	// Line is the line of the file where the object starts, counted from 1; 0 if
	// it is not known.
	Line int
}

// String returns the origin in readable form: "policies.yaml:47 (document 3)" or
// "stdin:12 (document 1, item 4)".
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

// Object is one resource of a modelled kind with its origin and schema
// violations.
type Object[T any] struct {
	// Resource is never nil. If decoding failed, only its metadata is set.
	Resource *T
	Origin   Origin
	// Errors lists the schema violations as "PATH: MESSAGE". An object with
	// errors is used with the state INVALID.
	Errors []string
	// Outside says that the object is in a namespace of the management cluster whose
	// resources have no effect (D72). It is shown and touches nothing else;
	// Errors says why.
	Outside bool
}

// DefaultMaxObjects is the default limit on the objects that files may have. A world of
// as many objects takes a few gigabytes of memory.
const DefaultMaxObjects = 250_000

// Objects holds all loaded objects in load order.
type Objects struct {
	VirtualMeshes      []Object[networkingv1.VirtualMesh]
	TrafficPolicies    []Object[networkingv1.TrafficPolicy]
	AccessPolicies     []Object[networkingv1.AccessPolicy]
	Meshes             []Object[discoveryv1.Mesh]
	Workloads          []Object[discoveryv1.Workload]
	Destinations       []Object[discoveryv1.Destination]
	Settings           []Object[settingsv1.Settings]
	KubernetesClusters []Object[multiclusterv1alpha1.KubernetesCluster]

	// Problems lists unusable input and warnings.
	Problems []Problem
	// Ignored counts objects of kinds that are not modelled.
	Ignored int
}

// IsEmpty reports whether there is no object at all.
func (o Objects) IsEmpty() bool {
	return len(o.VirtualMeshes)+len(o.TrafficPolicies)+len(o.AccessPolicies)+len(o.Meshes)+len(o.Workloads)+len(o.Destinations)+
		len(o.Settings)+len(o.KubernetesClusters) == 0
}

// ProblemKind classifies a Problem.
type ProblemKind string

// The kinds of problems in files.
const (
	// UnreadableFile: a file cannot be opened or read.
	UnreadableFile ProblemKind = "UnreadableFile"
	// UnreadableDocument: a text is not an object.
	UnreadableDocument ProblemKind = "UnreadableDocument"
	// UnknownKind: meshctl's API groups do not have the kind or version.
	UnknownKind ProblemKind = "UnknownKind"
	// UnknownField: the schema does not have the field; the object is used
	// without it.
	UnknownField ProblemKind = "UnknownField"
	// DuplicateService: a second Destination exists for one Service; it is not
	// used.
	DuplicateService ProblemKind = "DuplicateService"
	// UnusableName: a discovered object has an invalid name, trust domain or the
	// like; it is not used.
	UnusableName ProblemKind = "UnusableName"
	// IgnoredNamespace: the object is in a namespace of the management cluster whose
	// resources have no effect.
	IgnoredNamespace ProblemKind = "IgnoredNamespace"
	// SchemaViolation: the schema rejects the object.
	SchemaViolation ProblemKind = "SchemaViolation"
)

// The kinds of problems when reading clusters.
const (
	// UnusableCluster: the cluster is unreachable or denies access; none of its
	// objects are in the world.
	UnusableCluster ProblemKind = "UnusableCluster"
	// UnlistedKind: a kind may not be listed, or the cluster does not serve it.
	UnlistedKind ProblemKind = "UnlistedKind"
	// DiscoveryNote: discovery omitted or assumed something.
	DiscoveryNote ProblemKind = "DiscoveryNote"
	// IgnoredFact: a fact about Istio cannot be used, so that it is not known.
	IgnoredFact ProblemKind = "IgnoredFact"
)

// Problem is an issue with the input that does not prevent answers about the
// rest.
type Problem struct {
	Kind   ProblemKind
	Origin Origin
	// Object names the object as KIND/NAME.NAMESPACE; empty if it is not known.
	Object string
	// LeftOut is true if the object is missing from the world.
	LeftOut bool
	// Message describes the issue, Hint the next step; Hint may be empty.
	Message, Hint string
}

// HidesInput reports whether objects are missing from the world because of the
// problem.
func (p Problem) HidesInput() bool {
	switch p.Kind {
	case UnreadableFile, UnreadableDocument, UnknownKind, UnusableCluster:
		return true
	default:
		return p.LeftOut
	}
}

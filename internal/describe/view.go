// Package describe describes objects of an evaluated world. Pure functions build
// view models, whose JSON form is a documented contract (docs/describe.md);
// internal/output prints them.
package describe

import (
	"slices"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// APIVersion is the version of every list that describe prints.
const APIVersion = "describe.meshctl.io/v1alpha1"

// ObjectRef names a namespaced object in a view.
type ObjectRef struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns NAME.NAMESPACE.
func (r ObjectRef) String() string { return r.Name + "." + r.Namespace }

// ServiceRef names a Destination in a view.
type ServiceRef struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster,omitempty"`
}

// String returns NAME.NAMESPACE.CLUSTER.
func (r ServiceRef) String() string {
	s := r.Name + "." + r.Namespace
	if r.Cluster != "" {
		s += "." + r.Cluster
	}
	return s
}

// Finding is one finding in a view.
type Finding struct {
	Code     finding.Code     `json:"code"`
	Severity finding.Severity `json:"severity"`
	// Object is KIND/NAME.NAMESPACE[.CLUSTER], or the place in the input.
	Object  string `json:"object"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// FindingOf returns the view of a finding.
func FindingOf(f finding.Finding) Finding {
	return Finding{Code: f.Code, Severity: f.Severity, Object: f.Object, Message: f.Message, Hint: f.Hint}
}

// ObjectOf returns the view of a reference.
func ObjectOf(ref core.ObjectRef) ObjectRef {
	return ObjectRef{Namespace: ref.Namespace, Name: ref.Name}
}

func viewService(d *world.Destination) ServiceRef {
	return ServiceRef{Name: d.Ref.Name, Namespace: d.Ref.Namespace, Cluster: d.Ref.ClusterName}
}

// needAttention reports whether any finding is an error or a warning.
func needAttention(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity != finding.SeverityInfo })
}

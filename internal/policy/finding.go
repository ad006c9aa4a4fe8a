package policy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/world"
)

// Severity says how much a finding matters.
type Severity string

// The severities, worst first.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
	SeverityInfo    Severity = "info"
)

// rank orders severities, worst first.
func (s Severity) rank() int {
	return slices.Index([]Severity{SeverityError, SeverityWarning, SeverityInfo}, s)
}

// ObjectID names the object that a finding is about.
type ObjectID struct{ Kind, Namespace, Name, Cluster string }

// String returns KIND/NAME.NAMESPACE or KIND/NAME.NAMESPACE.CLUSTER, the name
// part in the form that commands accept.
func (o ObjectID) String() string {
	s := o.Kind + "/" + o.Name
	for _, part := range []string{o.Namespace, o.Cluster} {
		if part != "" {
			s += "." + part
		}
	}
	return s
}

// Finding is one thing worth knowing about the world.
type Finding struct {
	Code     Code
	Severity Severity
	// Object is an ObjectID's text, or the place in the input if the object
	// could not be read.
	Object string
	// Message says what is wrong or noteworthy about this object.
	Message string
	// Hint says what to do next.
	Hint string
	// HidesInput says that something is missing from every answer because of
	// what was found.
	HidesInput bool
}

// newFinding fills severity and hint from the catalogue.
func newFinding(code Code, object ObjectID, message string) Finding {
	entry := code.Entry()
	return Finding{Code: code, Severity: entry.Severity, Object: object.String(), Message: message, Hint: entry.Hint}
}

// NewFinding returns a finding of the catalogue about an object. An empty
// severity or hint is that of the catalogue.
func NewFinding(code Code, object ObjectID, severity Severity, message, hint string) Finding {
	f := newFinding(code, object, message)
	f.Severity, f.Hint = cmp.Or(severity, f.Severity), cmp.Or(hint, f.Hint)
	return f
}

// AddFindings adds what others found about the objects of the result, so that it
// is part of all answers from then on.
func (r *Result) AddFindings(findings []Finding) {
	r.Findings = sortFindings(append(r.Findings, findings...))
	r.indexFindings()
}

// sortFindings orders findings by severity, code, object and message, and
// drops repetitions.
func sortFindings(findings []Finding) []Finding {
	slices.SortFunc(findings, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Severity.rank(), b.Severity.rank()),
			strings.Compare(string(a.Code), string(b.Code)),
			strings.Compare(a.Object, b.Object),
			strings.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(findings)
}

// indexFindings files the findings by the object they are about.
func (r *Result) indexFindings() {
	r.related = make(map[string][]int, len(r.Findings))
	for i, f := range r.Findings {
		r.related[f.Object] = append(r.related[f.Object], i)
	}
	r.aboutPolicy = map[PolicyRef][]int{}
	for i := range r.TrafficPolicies {
		r.filePolicy(PolicyRef{KindTrafficPolicy, i}, r.TrafficPolicies[i].ID())
	}
	for i := range r.AccessPolicies {
		r.filePolicy(PolicyRef{KindAccessPolicy, i}, r.AccessPolicies[i].ID())
	}
}

func (r *Result) filePolicy(ref PolicyRef, id ObjectID) {
	if found := r.related[id.String()]; len(found) > 0 {
		r.aboutPolicy[ref] = found
	}
}

// FindingsAbout returns the positions of the findings that matter to a
// workload, ascending: about itself, its mesh, the VirtualMeshes that list the
// mesh, the Destinations it serves and the policies that affect it.
func (r *Result) FindingsAbout(w *world.Workload, effects []*Effect) []int {
	objects := []ObjectID{workloadID(w)}
	if w.Mesh != nil {
		objects = append(objects, meshID(w.Mesh))
		for i := range r.VirtualMeshes {
			if vm := &r.VirtualMeshes[i]; slices.Contains(vm.Meshes, w.Mesh.ID) {
				objects = append(objects, vm.ID())
			}
		}
	}
	for _, id := range w.Backs {
		objects = append(objects, destinationID(&r.World.Destinations[id]))
	}
	var found []int
	for _, e := range effects {
		found = append(found, r.aboutPolicy[e.Policy]...)
	}
	for _, ref := range r.outOfReach { // they have no effect that would name them
		if r.hasSource(ref, w) {
			found = append(found, r.aboutPolicy[ref]...)
		}
	}
	for _, o := range objects {
		found = append(found, r.related[o.String()]...)
	}
	return unique(found)
}

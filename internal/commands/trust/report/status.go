package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// StatusList is the JSON and YAML document of trust status.
type StatusList struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Items      []Status `json:"items"`
}

// Status is the state of the trust of a virtual mesh.
type Status struct {
	VirtualMesh objectOf `json:"virtualMesh"`
	// OK says that nothing needs action, and that the root and the certificates are
	// known.
	OK bool `json:"ok"`
	// Source is the source of the root: generated, secret or vault.
	Source string `json:"source"`
	// Unknown lists the fields that are absent because they are not known: root, newRoot.
	Unknown []string `json:"unknown,omitempty"`
	// Root is absent if there is none or it is not known.
	Root *certificateView `json:"root,omitempty"`
	// NewRoot is the new root of a rotation.
	NewRoot  *certificateView `json:"newRoot,omitempty"`
	Rotation *rotationView    `json:"rotation,omitempty"`
	Meshes   []meshTrust      `json:"meshes"`
	Problems []Problem        `json:"problems,omitempty"`
}

// meshTrust is the state of the trust of a mesh.
type meshTrust struct {
	Name                  string `json:"name"`
	Namespace             string `json:"namespace"`
	Cluster               string `json:"cluster"`
	InstallationNamespace string `json:"installationNamespace"`
	Identity              string `json:"identity"`
	// Error is why the state is not known.
	Error string `json:"error,omitempty"`
	// Unknown names the fields that are absent because they are not known: managed,
	// intermediate (with all that follows from it), namespaces, older.
	Unknown []string `json:"unknown,omitempty"`
	// Managed reports whether the Secret cacerts is meshctl's.
	Managed      *bool            `json:"managed,omitempty"`
	Intermediate *certificateView `json:"intermediate,omitempty"`
	RenewAt      string           `json:"renewAt,omitempty"`
	// Verifies reports whether the intermediate leads to a root that the mesh
	// accepts.
	Verifies *bool             `json:"verifies,omitempty"`
	Roots    []certificateView `json:"roots,omitempty"`
	// Namespaces are the namespaces of its workloads.
	Namespaces []namespaceRoots `json:"namespaces,omitempty"`
	// Older are the workloads with outdated certificates.
	Older []olderWorkload `json:"older,omitempty"`
}

// namespaceRoots says whether the roots are published to a namespace.
type namespaceRoots struct {
	Namespace string `json:"namespace"`
	// State is current, stale, missing or unreadable.
	State string `json:"state"`
}

// olderWorkload is a workload with outdated certificates.
type olderWorkload struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Stage     string `json:"stage"`
}

// Problem is something that requires action.
type Problem struct {
	// ID is the ID of the check.
	ID       string `json:"id"`
	Severity string `json:"severity"`
	Cluster  string `json:"cluster,omitempty"`
	Mesh     string `json:"mesh,omitempty"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	// Unknown is true if the check was not possible, for example because of missing permissions.
	Unknown bool `json:"unknown,omitempty"`
}

// Fields that may be unknown.
const (
	fieldRoot         = "root"
	fieldNewRoot      = "newRoot"
	fieldManaged      = "managed"
	fieldIntermediate = "intermediate"
	fieldNamespaces   = "namespaces"
	fieldOlder        = "older"
)

// NewStatus returns the view of a report.
func NewStatus(report *sharedtrust.Report, now time.Time, warning time.Duration) Status {
	status := Status{
		VirtualMesh: objectOf{report.Resource.Name, report.Resource.Namespace}, Source: string(report.Current.Source.Kind),
		Root: newCertificateView(report.Current.Certificate, nil), Rotation: newRotationView(&report.Position), Meshes: []meshTrust{},
	}
	if report.Current.Unknown() {
		status.Unknown = append(status.Unknown, fieldRoot)
	}
	if report.Coming != nil {
		status.NewRoot = newCertificateView(report.Coming.Certificate, nil)
		if report.Coming.Unknown() {
			status.Unknown = append(status.Unknown, fieldNewRoot)
		}
	}
	for i := range report.Reports {
		status.Meshes = append(status.Meshes, newMeshTrust(&report.Reports[i], now))
	}
	status.OK = true
	for _, p := range report.Problems(now, warning) {
		status.Problems = append(status.Problems, Problem{string(p.Topic), string(p.Severity), p.Cluster, p.Mesh, p.Message, p.Hint, p.Unknown})
		essential := p.Topic == sharedtrust.TopicRoot || p.Topic == sharedtrust.TopicCertificates
		status.OK = status.OK && p.Unknown && !essential
	}
	return status
}

func newMeshTrust(m *sharedtrust.MeshReport, now time.Time) meshTrust {
	mesh := meshTrust{
		Name: m.Ref.Name, Namespace: m.Ref.Namespace, Cluster: m.Cluster, InstallationNamespace: m.Mesh.Namespace, Identity: m.Identity,
	}
	if m.Err != nil {
		mesh.Error = m.Err.Error()
	}
	for _, field := range []struct {
		name    string
		unknown bool
	}{
		{fieldManaged, m.Err != nil},
		{fieldIntermediate, m.Err != nil || m.BundleErr != nil},
		{fieldNamespaces, m.Err != nil || m.ReachErr != nil},
		{fieldOlder, m.Err != nil || m.OlderErr != nil},
	} {
		if field.unknown {
			mesh.Unknown = append(mesh.Unknown, field.name)
		}
	}
	managed, verifies := !m.Missing && m.Foreign == "", m.Bundle != nil && m.Bundle.Verify(now) == nil
	if m.Err == nil {
		mesh.Managed = &managed
	}
	if m.Err == nil && m.BundleErr == nil {
		mesh.Verifies = &verifies
	}
	if b := m.Bundle; b != nil {
		mesh.Intermediate = newCertificateView(b.Certificate, b.Signer())
		for _, root := range b.Roots {
			mesh.Roots = append(mesh.Roots, *newCertificateView(root, nil))
		}
		if !m.Verdict.RenewAt.IsZero() {
			mesh.RenewAt = utc(m.Verdict.RenewAt)
		}
	}
	for i := range m.Reach {
		mesh.Namespaces = append(mesh.Namespaces, namespaceRoots{m.Reach[i].Namespace, reachState(&m.Reach[i])})
	}
	for i := range m.Older {
		item := &m.Older[i]
		mesh.Older = append(mesh.Older, olderWorkload{item.Kind, item.Namespace, item.Name, string(item.Stage)})
	}
	return mesh
}

func reachState(n *sharedtrust.NamespaceTrust) string {
	switch {
	case n.Missing:
		return "missing"
	case n.Err != nil:
		return "unreadable"
	case !n.Current():
		return "stale"
	default:
		return "current"
	}
}

// View returns the list in all output formats.
func (l *StatusList) View(now time.Time) view.View {
	return view.View{
		Document: view.Value(l),
		Text: view.Lines(func(t *view.Text) {
			for i := range l.Items {
				if i > 0 {
					t.Blank()
				}
				l.Items[i].write(t, now)
			}
		}),
		Names: view.NameEach(l.Items, func(s *Status) string {
			return "virtualmesh/" + s.VirtualMesh.Name + "." + s.VirtualMesh.Namespace
		}),
	}
}

// write writes one virtual mesh as text.
func (s *Status) write(t *view.Text, now time.Time) {
	fields := []view.Field{
		{Key: "Virtual Mesh", Value: s.VirtualMesh.Name + "." + s.VirtualMesh.Namespace},
		{Key: "Root", Value: rootText(s.Root, slices.Contains(s.Unknown, fieldRoot), s.Source, now)},
	}
	if unknown := slices.Contains(s.Unknown, fieldNewRoot); s.NewRoot != nil || unknown {
		fields = append(fields, view.Field{Key: "New Root", Value: rootText(s.NewRoot, unknown, "", now)})
	}
	if r := s.Rotation; r != nil {
		text := fmt.Sprintf("step %d of %d, %s, %s, since %s", r.Step, r.Steps, r.State, r.Stage, r.Since)
		if r.Failed {
			text += ", the last attempt failed"
		}
		fields = append(fields, view.Field{Key: "Rotation", Value: text})
	}
	t.Fields(fields)
	table := view.Table{Columns: append(
		[]view.Column{
			{Name: "CLUSTER"}, {Name: "MESH"}, {Name: "ROOT"}, {Name: "EXPIRES"}, {Name: "VERIFIES", Priority: 1}, {Name: "NAMESPACES", Priority: 3}, {Name: "OUTDATED", Priority: 2},
		},
		view.WideColumns("RENEWAL", "IDENTITY")...)}
	for i := range s.Meshes {
		table.Add(s.Meshes[i].row(now)...)
	}
	t.Table(table)
	s.writeProblems(t, "Needs action", false)
	s.writeProblems(t, "Could not be checked", true)
}

// writeProblems writes the problems that require action, or those about failed checks.
func (s *Status) writeProblems(t *view.Text, title string, unknown bool) {
	problems := slices.DeleteFunc(slices.Clone(s.Problems), func(p Problem) bool { return p.Unknown != unknown })
	if len(problems) == 0 {
		return
	}
	t.Section(title, false, func() {
		for _, p := range problems {
			words := []string{p.ID, p.Cluster, p.Mesh}
			if !unknown {
				words = append([]string{p.Severity}, words...)
			}
			words = slices.DeleteFunc(words, func(word string) bool { return word == "" })
			t.Line(strings.Join(words, " "))
			t.Nested(func() {
				t.Line(p.Message)
				if p.Hint != "" {
					t.Line("hint: " + p.Hint)
				}
			})
		}
	})
}

// shownFingerprint is the length of fingerprints in text output.
const shownFingerprint = 12

func short(fingerprint string) string { return fingerprint[:min(len(fingerprint), shownFingerprint)] }

func rootText(c *certificateView, unknown bool, source string, now time.Time) string {
	switch {
	case c == nil && unknown:
		return view.Unknown + parenthesised(source)
	case c == nil:
		return view.None + parenthesised(source)
	}
	return fmt.Sprintf("%s%s, expires %s (%s)", short(c.Fingerprint), parenthesised(source), c.NotAfter, remaining(c.NotAfter, now))
}

func parenthesised(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

// remaining returns the time left until at.
func remaining(at string, now time.Time) string {
	end, err := time.Parse(time.RFC3339, at)
	switch {
	case err != nil:
		return ""
	case end.Before(now):
		return "expired"
	default:
		return "in " + sharedtrust.Days(end.Sub(now))
	}
}

// row returns the table row of a mesh.
func (m *meshTrust) row(now time.Time) []string {
	orUnknown := func(field, text string) string {
		if slices.Contains(m.Unknown, field) {
			return view.Unknown
		}
		return text
	}
	certificate := orUnknown(fieldIntermediate, view.None)
	row := []string{
		m.Cluster, m.Name, certificate, certificate, certificate,
		orUnknown(fieldNamespaces, view.None), orUnknown(fieldOlder, strconv.Itoa(len(m.Older))),
	}
	if c := m.Intermediate; c != nil {
		row[2], row[3], row[4] = short(c.Issuer), remaining(c.NotAfter, now), "yes"
		if m.Verifies != nil && !*m.Verifies {
			row[4] = "no"
		}
		if len(m.Roots) > 1 {
			row[2] += fmt.Sprintf(" (accepts %d)", len(m.Roots))
		}
	}
	if m.Managed != nil && !*m.Managed && m.Intermediate != nil {
		row[2] += " (not meshctl's)"
	}
	if len(m.Namespaces) > 0 {
		count := map[string]int{}
		for _, n := range m.Namespaces {
			count[n.State]++
		}
		row[5] = fmt.Sprintf("%d/%d", count["current"], len(m.Namespaces))
		if unknown := count["missing"] + count["unreadable"]; unknown > 0 {
			row[5] += fmt.Sprintf(" (%d unknown)", unknown)
		}
	}
	return append(row, orUnknown(fieldIntermediate, view.OrNone(m.RenewAt)), m.Identity)
}

// Blocking returns the problems because of which a step of a rotation should not be
// confirmed, and the reasons why something is not known.
func (s *Status) Blocking() []Problem {
	var found []Problem
	for _, p := range s.Problems {
		switch sharedtrust.Topic(p.ID) {
		case sharedtrust.TopicCertificates, sharedtrust.TopicDistribution, sharedtrust.TopicRestarts:
			found = append(found, p)
		case sharedtrust.TopicRoot:
			if len(s.Unknown) > 0 { // the step works as long as its roots are valid
				p.Unknown = true
				found = append(found, p)
			}
		case sharedtrust.TopicRotation, sharedtrust.TopicLeft:
		}
	}
	return found
}

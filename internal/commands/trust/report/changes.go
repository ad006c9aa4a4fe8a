// Package report holds the output of the trust commands, as tables and as documents.
package report

import (
	"cmp"
	"crypto/x509"
	"time"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// APIVersion is the API version of the documents printed by the trust commands.
const APIVersion = "trust.meshctl.io/v1alpha1"

// Changes is the JSON and YAML document about changes to the certificates of a virtual mesh.
type Changes struct {
	APIVersion  string   `json:"apiVersion"`
	Kind        string   `json:"kind"`
	VirtualMesh objectOf `json:"virtualMesh"`
	// DryRun is none, client or server.
	DryRun string `json:"dryRun"`
	// Root is the root that the meshes have; absent if there is none yet, or if it is
	// not known.
	Root     *certificateView `json:"root,omitempty"`
	Rotation *rotationView    `json:"rotation,omitempty"`
	Meshes   []trustedMesh    `json:"meshes"`
	// Unknown names the fields that are absent because they are not known: root.
	Unknown []string `json:"unknown,omitempty"`
	// Next says what to do next; absent if nothing is.
	Next string `json:"next,omitempty"`

	// planned is true if nothing was written.
	planned bool
}

// objectOf identifies a resource.
type objectOf struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
}

// trustedMesh is the result for one mesh.
type trustedMesh struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
	// Action is keep, issue, reissue, update, take over or refuse; Reason says why.
	Action string `json:"action"`
	Reason string `json:"reason"`
	// State is the state of the mesh afterwards; absent in a plan and if not known.
	State string `json:"state,omitempty"`
	// Changed is true if something was written.
	Changed      bool             `json:"changed"`
	Error        string           `json:"error,omitempty"`
	Intermediate *certificateView `json:"intermediate,omitempty"`
	// Unknown names the fields that are absent because they are not known:
	// intermediate.
	Unknown []string `json:"unknown,omitempty"`
}

// certificateView describes a certificate.
type certificateView struct {
	Subject string `json:"subject"`
	// Fingerprint is the SHA-256 fingerprint.
	Fingerprint string `json:"fingerprint"`
	NotBefore   string `json:"notBefore"`
	NotAfter    string `json:"notAfter"`
	// Issuer is the fingerprint of the root of an intermediate certificate.
	Issuer string `json:"issuer,omitempty"`
}

func newCertificateView(c, issuer *x509.Certificate) *certificateView {
	if c == nil {
		return nil
	}
	return &certificateView{
		Subject: c.Subject.String(), Fingerprint: trust.Fingerprint(c), NotBefore: utc(c.NotBefore), NotAfter: utc(c.NotAfter), Issuer: trust.Fingerprint(issuer),
	}
}

func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// rotationView is the progress of a rotation.
type rotationView struct {
	State string `json:"state"`
	// Stage is distributing, verifying or verified.
	Stage string `json:"stage"`
	// Step counts from 1 to Steps.
	Step        int    `json:"step"`
	Steps       int    `json:"steps"`
	RollingBack bool   `json:"rollingBack,omitempty"`
	Failed      bool   `json:"failed,omitempty"`
	Since       string `json:"since,omitempty"`
}

// newRotationView returns nil if no rotation is in progress.
func newRotationView(p *trust.Position) *rotationView {
	if !p.Rotating() {
		return nil
	}
	return &rotationView{
		State: string(p.Phase().State), Stage: string(p.Stage), Step: p.Step + 1, Steps: len(p.Steps),
		RollingBack: p.RollingBack, Failed: p.Failed, Since: p.Since,
	}
}

// NewChanges returns the report about executed changes, or about a plan. states are the states
// of the meshes afterwards; nil for a plan.
func NewChanges(v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, dryRun string, states map[core.ObjectRef]string) Changes {
	report := Changes{
		APIVersion: APIVersion, Kind: "TrustReport", VirtualMesh: objectOf{v.Resource.Name, v.Resource.Namespace}, DryRun: dryRun, planned: states == nil,
		Root: newCertificateView(v.Current.Certificate, nil), Rotation: newRotationView(&v.Position), Meshes: []trustedMesh{},
	}
	if v.Current.Unknown() {
		report.Unknown = append(report.Unknown, fieldRoot)
	}
	for i := range outcomes {
		o := &outcomes[i]
		mesh := trustedMesh{
			Name: o.Action.Mesh.Ref.Name, Namespace: o.Action.Mesh.Ref.Namespace, Cluster: o.Action.Mesh.Cluster,
			Action: string(o.Action.Kind), Reason: o.Action.Reason, State: states[o.Action.Mesh.Ref], Changed: o.Changed,
		}
		if o.Err != nil {
			mesh.Error = o.Err.Error()
		}
		switch state := o.Action.Mesh; {
		case o.Bundle != nil:
			mesh.Intermediate = newCertificateView(o.Bundle.Certificate, o.Bundle.Signer())
		case state.Err != nil, state.BundleErr != nil:
			mesh.Unknown = append(mesh.Unknown, fieldIntermediate)
		}
		report.Meshes = append(report.Meshes, mesh)
	}
	return report
}

// ActionTable returns a table with the planned or executed action of every mesh.
func ActionTable(outcomes []sharedtrust.Outcome) view.Table {
	table := view.Table{Noun: "mesh", Columns: []view.Column{{Name: "CLUSTER"}, {Name: "MESH"}, {Name: "ACTION"}, {Name: "WHY", Content: view.Reason}}}
	for i := range outcomes {
		o := &outcomes[i]
		why := o.Action.Reason
		if o.Err != nil {
			why = "failed: " + o.Err.Error()
		}
		table.Add(o.Action.Mesh.Cluster, o.Action.Mesh.Ref.Name, string(o.Action.Kind), why)
	}
	return table
}

// View returns the report in all output formats.
func (r *Changes) View() view.View {
	return view.View{
		Document: view.Value(r), Table: view.Rows(r.table()),
		Names: view.NameEach(r.Meshes, func(m *trustedMesh) string { return "mesh/" + m.Name + "." + m.Namespace }),
	}
}

// table returns a table with one row per mesh: in a plan with the reason, otherwise with the
// state.
func (r *Changes) table() view.Table {
	last := "STATE"
	if r.planned {
		last = "WHY"
	}
	table := view.Table{Noun: "mesh", Columns: []view.Column{
		{Name: "CLUSTER"}, {Name: "MESH"}, {Name: "ACTION"}, {Name: "EXPIRES", Priority: 1}, {Name: last, Content: view.Reason},
	}}
	for i := range r.Meshes {
		m := &r.Meshes[i]
		why, expires := m.Reason, view.None
		if !r.planned {
			why = cmp.Or(m.State, view.Unknown)
		}
		if m.Error != "" {
			why = "failed: " + m.Error
		}
		switch {
		case m.Intermediate != nil:
			expires = m.Intermediate.NotAfter
		case len(m.Unknown) > 0:
			expires = view.Unknown
		}
		table.Add(m.Cluster, m.Name, m.Action, expires, why)
	}
	return table
}

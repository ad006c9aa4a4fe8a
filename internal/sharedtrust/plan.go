package sharedtrust

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// ActionKind is the kind of change to the Secret of a mesh.
type ActionKind string

// The kinds of actions.
const (
	// ActionKeep: the Secret is up to date.
	ActionKeep ActionKind = "keep"
	// ActionIssue: there is no Secret; issue an intermediate certificate.
	ActionIssue ActionKind = "issue"
	// ActionReissue: issue a new intermediate certificate.
	ActionReissue ActionKind = "reissue"
	// ActionUpdate: keep the intermediate certificate and update the rest.
	ActionUpdate ActionKind = "update"
	// ActionTakeOver: back up a Secret of someone else and replace it.
	ActionTakeOver ActionKind = "take over"
	// ActionRefuse: nothing can be done, for the given reason.
	ActionRefuse ActionKind = "refuse"
)

// Action is the planned change to the Secret of one mesh.
type Action struct {
	Mesh   *MeshState
	Kind   ActionKind
	Reason string
}

// Writes reports whether the action changes anything.
func (a *Action) Writes() bool { return a.Kind != ActionKeep && a.Kind != ActionRefuse }

// Plan returns the changes after which every mesh has the desired certificates, one action per
// mesh. With force, Secrets that belong to others or have other roots are taken over.
func (v *Survey) Plan(force bool) []Action {
	actions := make([]Action, 0, len(v.Meshes))
	for i := range v.Meshes {
		m := &v.Meshes[i]
		a := v.plan(m)
		if a.Kind == ActionTakeOver && !force {
			a.Kind = ActionRefuse
			a.Reason += "; --force-takeover backs it up as Secret " + BackupName + " and replaces it"
		}
		a.Mesh = m
		actions = append(actions, a)
	}
	return actions
}

// Refused returns the refused actions of a plan.
func Refused(actions []Action) []Action {
	return slices.DeleteFunc(slices.Clone(actions), func(a Action) bool { return a.Kind != ActionRefuse })
}

// Changes returns the number of actions that write something.
func Changes(actions []Action) int {
	count := 0
	for i := range actions {
		if actions[i].Writes() {
			count++
		}
	}
	return count
}

// plan returns the action for one mesh. It returns ActionTakeOver for what requires force.
func (v *Survey) plan(m *MeshState) Action {
	if m.Err != nil {
		return Action{Kind: ActionRefuse, Reason: m.Err.Error()}
	}
	if m.TrustDomain != m.AcceptedDomain {
		return Action{Kind: ActionRefuse, Reason: fmt.Sprintf("%s: if that is intended, accept it with 'meshctl trust issue %s --accept-trust-domain %s=%s'",
			m.ChangeText(), v.Name(), m.Ref.Name, m.TrustDomain)}
	}
	signer := v.signer()
	needs := func(kind ActionKind, reason string) Action {
		if err := v.needs(kind); err != nil {
			return Action{Kind: ActionRefuse, Reason: err.Error()}
		}
		return Action{Kind: kind, Reason: reason}
	}
	switch {
	case m.Missing:
		return needs(ActionIssue, "the mesh has no certificate yet")
	case m.Foreign != "" && !v.adoptable(m):
		return needs(ActionTakeOver, fmt.Sprintf("Secret %s in %s is not meshctl's: %s", trust.CASecretName, m.Namespace, m.Foreign))
	case m.Other != "" && (m.Bundle == nil || !v.knows(m.Bundle.Signer())):
		return needs(ActionTakeOver, fmt.Sprintf("the mesh has a certificate of its former VirtualMesh %s", m.Other))
	case m.BundleErr != nil:
		return needs(ActionReissue, "the Secret cannot be read: "+m.BundleErr.Error())
	case signer.Certificate == nil && !signer.Missing:
		return Action{Kind: ActionRefuse, Reason: signer.usable().Error()}
	}
	// Unless all roots are known, it cannot be decided whether the mesh has them.
	if err := v.needs(ActionUpdate); err != nil {
		return Action{Kind: ActionRefuse, Reason: err.Error()}
	}
	if unknown := v.unknownRoots(m); len(unknown) > 0 {
		return needs(ActionTakeOver, fmt.Sprintf("the mesh has root %s, which does not belong to this VirtualMesh (%s)", strings.Join(unknown, " and "), v.rootsText()))
	}
	switch {
	case m.Verdict.Reissue != "":
		return needs(ActionReissue, m.Verdict.Reissue)
	case m.Verdict.Rewrite != "":
		return needs(ActionUpdate, m.Verdict.Rewrite)
	case m.Foreign != "":
		return needs(ActionUpdate, "adopt the certificate of an agent with the same root")
	case m.Other != "":
		return needs(ActionUpdate, fmt.Sprintf("adopt the certificate of VirtualMesh %s with the same root", m.Other))
	default:
		return Action{Kind: ActionKeep, Reason: v.validity(m)}
	}
}

// States returns a short description of each mesh's certificates and of any problem with them,
// by reference.
func (v *Survey) States(force bool) map[core.ObjectRef]string {
	states := map[core.ObjectRef]string{}
	for _, a := range v.Plan(force) {
		state := a.Reason
		if a.Kind == ActionKeep && v.Position.Rotating() {
			state += "; the mesh trusts " + trust.RootsText(a.Mesh.Bundle.Roots)
		}
		states[a.Mesh.Ref] = state
	}
	return states
}

// validity says how long a kept certificate is valid.
func (v *Survey) validity(m *MeshState) string {
	if signer := v.signer().Certificate; signer != nil && !m.Bundle.Certificate.NotAfter.Before(signer.NotAfter) {
		return "valid until the root CA expires"
	}
	return "valid; renewal is due at " + timeText(m.Verdict.RenewAt)
}

// needs returns an error if certificates or the key required for an action are missing.
func (v *Survey) needs(kind ActionKind) error {
	for _, which := range v.Position.Distribution().Roots {
		if r := v.root(which); r.Certificate == nil && !r.Missing {
			if r.Err != nil {
				return r.Err
			}
			return fmt.Errorf("the %s root certificate is not known", which)
		}
	}
	if signer := v.signer(); kind != ActionUpdate && !signer.Missing {
		return signer.usable()
	}
	return nil
}

// adoptable reports whether an agent of this API issued the Secret with a root of this
// VirtualMesh. Then it need not be replaced.
func (v *Survey) adoptable(m *MeshState) bool {
	if m.Bundle == nil || m.secret.Type != trust.CASecretType || m.secret.Labels[ownerLabel] != "" {
		return false
	}
	return v.knows(m.Bundle.Signer())
}

// unknownRoots returns the roots of a mesh that do not belong to the VirtualMesh.
func (v *Survey) unknownRoots(m *MeshState) []string {
	if v.signer().Certificate == nil {
		return nil // the root of the VirtualMesh is not known yet
	}
	var strange []string
	for _, root := range m.Bundle.Roots {
		if !v.knows(root) {
			strange = append(strange, trust.Short(root))
		}
	}
	return strange
}

// knows reports whether a root belongs to the VirtualMesh.
func (v *Survey) knows(root *x509.Certificate) bool {
	if root == nil {
		return false
	}
	return v.Current.is(root) || v.Coming != nil && v.Coming.is(root)
}

// is reports whether c is this root.
func (r *Root) is(c *x509.Certificate) bool { return r.Certificate != nil && r.Certificate.Equal(c) }

// rootsText describes the roots of the VirtualMesh.
func (v *Survey) rootsText() string {
	text := "root " + trust.Short(v.Current.Certificate)
	if v.Coming != nil && v.Coming.Certificate != nil {
		text += ", new root " + trust.Short(v.Coming.Certificate)
	}
	return text
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

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

// ActionKind says what is to be done about the Secret of a mesh.
type ActionKind string

// The kinds of actions.
const (
	// ActionKeep: it is as it should be.
	ActionKeep ActionKind = "keep"
	// ActionIssue: there is no Secret yet; the mesh gets an intermediate.
	ActionIssue ActionKind = "issue"
	// ActionReissue: the mesh gets another intermediate.
	ActionReissue ActionKind = "reissue"
	// ActionUpdate: the mesh keeps its intermediate, and the rest is corrected.
	ActionUpdate ActionKind = "update"
	// ActionTakeOver: the Secret of somebody else is kept under another name and
	// replaced.
	ActionTakeOver ActionKind = "take over"
	// ActionRefuse: nothing can be done; the reason says why.
	ActionRefuse ActionKind = "refuse"
)

// Action is what is to be done about the Secret of one mesh.
type Action struct {
	Mesh   *MeshState
	Kind   ActionKind
	Reason string
}

// Writes reports whether the action changes anything.
func (a *Action) Writes() bool { return a.Kind != ActionKeep && a.Kind != ActionRefuse }

// Plan returns what is to be done so that every mesh has what the survey says it
// should have, one action for each mesh. With force, what belongs to others, or
// has other roots, is taken over.
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

// Refused returns the actions of a plan that nothing can be done about.
func Refused(actions []Action) []Action {
	return slices.DeleteFunc(slices.Clone(actions), func(a Action) bool { return a.Kind != ActionRefuse })
}

// Changes counts the actions that change something.
func Changes(actions []Action) int {
	count := 0
	for i := range actions {
		if actions[i].Writes() {
			count++
		}
	}
	return count
}

// plan decides about one mesh. What can be done only by force is ActionTakeOver.
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
	// Without all roots nobody can say whether the mesh has what it should.
	if err := v.needs(ActionUpdate); err != nil {
		return Action{Kind: ActionRefuse, Reason: err.Error()}
	}
	if strange := v.strangers(m); len(strange) > 0 {
		return needs(ActionTakeOver, fmt.Sprintf("the mesh has root %s, which does not belong to this VirtualMesh (%s)", strings.Join(strange, " and "), v.rootsText()))
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

// States says in a few words what every mesh has, by its reference, and what is
// wrong with that.
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

// validity says until when a certificate that is kept is good.
func (v *Survey) validity(m *MeshState) string {
	if signer := v.signer().Certificate; signer != nil && !m.Bundle.Certificate.NotAfter.Before(signer.NotAfter) {
		return "valid until its root expires"
	}
	return "valid; renewal is due at " + timeText(m.Verdict.RenewAt)
}

// needs returns why an action cannot be carried out for lack of certificates or
// of a key; nil if it can.
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

// adoptable reports whether a Secret was issued by an agent of this API with a
// root of this VirtualMesh: it need not be replaced.
func (v *Survey) adoptable(m *MeshState) bool {
	if m.Bundle == nil || m.secret.Type != trust.CASecretType || m.secret.Labels[ownerLabel] != "" {
		return false
	}
	return v.knows(m.Bundle.Signer())
}

// strangers names the roots of a mesh that the VirtualMesh knows nothing of, as
// long as its certificate is worth anything.
func (v *Survey) strangers(m *MeshState) []string {
	if v.signer().Certificate == nil {
		return nil // nothing is known yet
	}
	var strange []string
	for _, root := range m.Bundle.Roots {
		if !v.knows(root) {
			strange = append(strange, trust.Short(root))
		}
	}
	return strange
}

// knows reports whether a root is one of the VirtualMesh.
func (v *Survey) knows(root *x509.Certificate) bool {
	if root == nil {
		return false
	}
	return v.Current.is(root) || v.Coming != nil && v.Coming.is(root)
}

// is reports whether a root is this one.
func (r *Root) is(c *x509.Certificate) bool { return r.Certificate != nil && r.Certificate.Equal(c) }

// rootsText names the roots of the VirtualMesh.
func (v *Survey) rootsText() string {
	text := "root " + trust.Short(v.Current.Certificate)
	if v.Coming != nil && v.Coming.Certificate != nil {
		text += ", new root " + trust.Short(v.Coming.Certificate)
	}
	return text
}

func timeText(t time.Time) string { return t.UTC().Format(time.RFC3339) }

package sharedtrust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// BackupName is the name of the Secret in which a takeover keeps the replaced one.
const BackupName = "cacerts-backup"

// Outcome is the result of an action.
type Outcome struct {
	Action Action
	// Changed is true if something was written.
	Changed bool
	// Bundle is what the mesh has afterwards; nil if not known.
	Bundle *trust.Bundle
	// Err is why the action failed; nil if the action was refused.
	Err error
}

// Failed reports whether the mesh does not have the desired certificates.
func (o *Outcome) Failed() bool { return o.Err != nil || o.Action.Kind == ActionRefuse }

// Planned returns the outcomes of a plan that is not executed.
func Planned(actions []Action) []Outcome {
	outcomes := make([]Outcome, len(actions))
	for i := range actions {
		outcomes[i] = Outcome{Action: actions[i], Bundle: actions[i].Mesh.Bundle}
	}
	return outcomes
}

// AnyFailed reports whether a mesh does not have the desired certificates.
func AnyFailed(outcomes []Outcome) bool {
	for i := range outcomes {
		if outcomes[i].Failed() {
			return true
		}
	}
	return false
}

// Issue executes a plan: it creates the root if there is none, and writes the Secrets of the
// meshes, several in parallel. The failure of one mesh does not affect the others. Repeating
// Issue continues the work.
//
// The private key of an intermediate is generated here and written only to the Secret of its
// mesh. Issue returns an error if a problem concerns all meshes; then none was written.
func (e *Env) Issue(ctx context.Context, v *Survey, actions []Action, dryRun kube.DryRun) ([]Outcome, error) {
	if err := e.ensureRoot(ctx, v, actions, dryRun); err != nil {
		return nil, err
	}
	if dryRun != kube.DryRunServer {
		if err := e.recordDeployed(ctx, v, actions); err != nil {
			return nil, err
		}
	}
	outcomes := make([]Outcome, len(actions))
	e.each(len(actions), func(i int) {
		outcomes[i] = e.execute(ctx, v, &actions[i], dryRun)
	})
	return outcomes, ctx.Err()
}

// ensureRoot generates the root if it is missing and an action needs it.
func (e *Env) ensureRoot(ctx context.Context, v *Survey, actions []Action, dryRun kube.DryRun) error {
	if !v.Current.Missing || Changes(actions) == 0 {
		return nil
	}
	root, err := e.generate(ctx, v.Subject, v.Current.Source, dryRun)
	if err != nil {
		e.observe(Management, "create the root certificate", err)
		return err
	}
	v.Current = root
	e.observe(Management, fmt.Sprintf("created root %s, valid until %s", trust.Short(root.Certificate), timeText(root.Certificate.NotAfter)), nil)
	return nil
}

// recordDeployed notes which root the meshes get before they get it, so that a
// later change of the VirtualMesh is known to be an exchange of roots, and for which
// trust domains (D73).
func (e *Env) recordDeployed(ctx context.Context, v *Survey, actions []Action) error {
	if e.History == nil || v.Position.Rotating() || v.Pending != "" {
		return nil
	}
	if v.Trail.Deployed == nil && Changes(actions) == 0 && len(v.observed()) == 0 {
		return nil
	}
	return e.History.Change(ctx, v.Resource, func(t *Trail) (bool, error) {
		accepted := t.accept(v.Subject.Meshes)
		if t.Deployed != nil && sameTrust(t.Deployed, v.Shared) {
			return accepted, nil
		}
		t.Deployed = v.Shared
		v.Trail.Deployed = v.Shared
		return true, nil
	})
}

func sameTrust(a, b *networkingv1.SharedTrust) bool {
	var x, y any
	if convert(a, &x) != nil || convert(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

func (e *Env) execute(ctx context.Context, v *Survey, a *Action, dryRun kube.DryRun) Outcome {
	outcome := Outcome{Action: *a, Bundle: a.Mesh.Bundle}
	if !a.Writes() {
		return outcome
	}
	bundle, err := e.bundleFor(ctx, v, a)
	if err == nil {
		err = e.writeSecret(ctx, v, a, bundle, dryRun)
	}
	if err != nil {
		outcome.Err = err
		e.observe(a.Mesh.Cluster, fmt.Sprintf("%s certificate of %s", a.Kind, a.Mesh.Ref.Name), err)
		return outcome
	}
	outcome.Changed, outcome.Bundle = true, bundle
	e.observe(a.Mesh.Cluster, successText(a, bundle), nil)
	return outcome
}

// successText describes what was written to a mesh.
func successText(a *Action, bundle *trust.Bundle) string {
	if a.Kind == ActionUpdate {
		return fmt.Sprintf("%s trusts %s", a.Mesh.Ref.Name, trust.RootsText(bundle.Roots))
	}
	return fmt.Sprintf("%s has an intermediate certificate of root %s, valid until %s",
		a.Mesh.Ref.Name, trust.Short(bundle.Signer()), timeText(bundle.Certificate.NotAfter))
}

// bundleFor returns the desired content of the Secret of a mesh.
func (e *Env) bundleFor(ctx context.Context, v *Survey, a *Action) (*trust.Bundle, error) {
	roots := v.roots()
	if a.Kind == ActionUpdate {
		return a.Mesh.Bundle.WithRoots(roots), nil
	}
	signer := v.signer()
	if err := signer.usable(); err != nil {
		return nil, err
	}
	key, err := e.newKey(v.Intermediate.KeyBits)
	if err != nil {
		return nil, err
	}
	chain, err := signer.signer.Sign(ctx, &a.Mesh.request, key)
	if err != nil {
		return nil, err
	}
	return trust.NewBundle(chain, key, roots), nil
}

// writeSecret writes the Secret of a mesh.
func (e *Env) writeSecret(ctx context.Context, v *Survey, a *Action, bundle *trust.Bundle, dryRun kube.DryRun) error {
	data, err := bundle.Data()
	if err != nil {
		return err
	}
	m := a.Mesh
	secret := &kube.Secret{
		Namespace: m.Namespace, Name: trust.CASecretName, Type: trust.CASecretType, Labels: e.owner(m.Cluster), Annotations: v.parents(), Data: data,
	}
	// Fail if the Secret has changed since it was read: a plan for an earlier step of a rotation
	// would leave the mesh without the roots of the others.
	how := Write{Owner: e.owner(m.Cluster), Version: kube.VersionOfNone, DryRun: dryRun}
	if m.secret != nil {
		how.Version = m.secret.Version
		// The type of a Secret cannot be changed.
		secret.Type = m.secret.Type
	}
	if m.Foreign != "" {
		how.Owner = nil
	}
	if a.Kind == ActionTakeOver {
		if err := e.backUp(ctx, m, dryRun); err != nil {
			return err
		}
	}
	_, err = e.Store.Write(ctx, m.Cluster, secret, how)
	return err
}

// backUp copies the Secret that is about to be replaced. It never overwrites a different
// backup.
func (e *Env) backUp(ctx context.Context, m *MeshState, dryRun kube.DryRun) error {
	kept, err := e.Store.Read(ctx, m.Cluster, m.Namespace, BackupName)
	if err != nil {
		return err
	}
	if kept != nil {
		if maps.EqualFunc(kept.Data, m.secret.Data, bytes.Equal) {
			return nil
		}
		return fmt.Errorf("backup of an earlier takeover found: rename or delete Secret %s in %s on cluster %s first", BackupName, m.Namespace, m.Cluster)
	}
	backup := &kube.Secret{
		Namespace: m.Namespace, Name: BackupName, Type: m.secret.Type, Data: m.secret.Data,
		Annotations: map[string]string{"meshctl.io/backup-of": trust.CASecretName},
	}
	_, err = e.Store.Write(ctx, m.Cluster, backup, Write{DryRun: dryRun})
	return err
}

// errChanged reports a concurrent change of the trust of a VirtualMesh.
var errChanged = errors.New("its trust was changed concurrently: check 'meshctl trust status', and try again")

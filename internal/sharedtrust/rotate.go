package sharedtrust

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// Step is one step of a rotation.
type Step struct {
	// State is the state to record before the step; empty if it has been recorded.
	State certificatesv1.CertificateRotationState
	// Message describes the step.
	Message string

	// roots are recorded with the first step.
	roots *certificatesv1.CertificateRotationRoots
}

// NextStep returns the next step of a rotation. It returns an error if there is nothing to do,
// or if the step is not allowed yet.
func (v *Survey) NextStep() (Step, error) {
	p := &v.Position
	switch {
	case len(v.Missing) > 0:
		return Step{}, fmt.Errorf("cannot rotate the root CA of VirtualMesh %s: meshes not found (%s) would no longer trust the others; discover them, or remove them from spec.meshes", v.Name(), strings.Join(v.Missing, ", "))
	case !p.Rotating() && v.Pending == "" && v.Current.Source.Kind != SourceGenerated:
		return Step{}, fmt.Errorf("nothing to rotate to: the meshes already have the root of %s; change spec.mtlsConfig.shared, or store a new root there", v.Current.Source)
	case !p.Rotating() && v.Current.Certificate == nil && v.Current.Err != nil:
		return Step{}, v.Current.Err
	case !p.Rotating() && v.Current.Certificate == nil:
		return Step{}, fmt.Errorf("nothing to rotate: no mesh of VirtualMesh %s has a certificate yet; run 'meshctl trust issue %s'", v.Name(), v.Name())
	case !p.Rotating():
		state := trust.Begin(v.Strategy)
		return Step{State: state, Message: MessageOf(state, v.Strategy)}, nil
	case p.Stage == trust.StageVerifying && v.Manual:
		return Step{}, &WaitingError{VirtualMesh: v.Name(), Position: p.String()}
	case p.Stage != trust.StageVerified:
		return Step{Message: MessageOf(p.Phase().State, v.Strategy)}, nil
	default:
		state := p.Next()
		return Step{State: state, Message: MessageOf(state, v.Strategy)}, nil
	}
}

// MessageOf returns a description of a state.
func MessageOf(state certificatesv1.CertificateRotationState, strategy certificatesv1.CertificateRotationStrategy) string {
	switch state {
	case trust.StateAddingNewRoot:
		return "all meshes trust both roots"
	case trust.StatePropagatingIntermediate:
		return "all meshes get an intermediate certificate of the new root"
	case trust.StateDeletingOldRoot:
		if strategy == certificatesv1.CertificateRotationStrategyNone {
			return "all meshes get the new root instead of the old one at once"
		}
		return "no mesh trusts the old root"
	case trust.StateRollingBack:
		return "all meshes go one step back to the old root"
	case trust.StateFinished:
		return "the new root has replaced the old one"
	case trust.StateNotRotating:
		return "the meshes have the old root again"
	default:
		return string(state)
	}
}

// WaitingError says that an operator must confirm a step first.
type WaitingError struct{ VirtualMesh, Position string }

// Error implements error. It says which commands to run.
func (e *WaitingError) Error() string {
	return fmt.Sprintf("the rotation step requires confirmation (%s): check 'meshctl trust status %s', then run 'meshctl trust verify %s'", e.Position, e.VirtualMesh, e.VirtualMesh)
}

// Advance executes one step of a rotation: it records the state, writes the certificates of
// every mesh, and records that the step awaits verification or, if that is automatic, that it
// is verified. It continues an interrupted step. After the last step it finishes the rotation.
//
// The survey must be current. If a mesh cannot be written, the others are still written, the
// state FAILED is recorded, and the outcomes have the errors; calling Advance again continues.
func (e *Env) Advance(ctx context.Context, v *Survey) ([]Outcome, error) {
	step, err := v.NextStep()
	if err != nil {
		return nil, err
	}
	switch step.State {
	case trust.StateFinished, trust.StateNotRotating:
		return nil, e.finish(ctx, v)
	case "":
	default:
		if !v.Position.Rotating() {
			coming, err := e.prepare(ctx, v)
			if err != nil {
				return nil, err
			}
			step.Message += rootsMessage(v.Current.Certificate, coming.Certificate)
			step.roots = rootsOf(v.Current.Certificate, coming.Certificate)
		} else if err := v.checkCurrentStep(); err != nil {
			return nil, err
		}
		if v, err = e.enterState(ctx, v, step); err != nil {
			return nil, err
		}
	}
	return e.distribute(ctx, v)
}

// checkCurrentStep returns an error if the next step would isolate a mesh, because its certificates were
// changed after the current step wrote them. Meshes without a readable Secret cannot be
// isolated. Meshes with unknown roots are refused later, when they are written.
func (v *Survey) checkCurrentStep() error {
	signer, roots := v.signer(), v.roots()
	for i := range v.Meshes {
		m := &v.Meshes[i]
		if m.Bundle == nil || len(v.unknownRoots(m)) > 0 {
			continue
		}
		lacks := slices.ContainsFunc(roots, func(root *x509.Certificate) bool { return !m.Bundle.Accepts(root) })
		if lacks || !signer.is(m.Bundle.Signer()) {
			return fmt.Errorf("mesh %s on cluster %s no longer has the certificates of the current step (%s): run 'meshctl trust issue %s' and restart its workloads before the next step",
				m.Ref.Name, m.Cluster, cmp.Or(m.Verdict.Reissue, m.Verdict.Rewrite), v.Name())
		}
	}
	return nil
}

// RollBack starts to roll back a rotation, or executes the next step of that. Advance also
// continues a rollback once it has started. It returns an error if no rotation is in progress
// or the old root cannot be used; for others see Advance.
func (e *Env) RollBack(ctx context.Context, v *Survey) ([]Outcome, error) {
	switch {
	case !v.Position.Rotating():
		return nil, fmt.Errorf("nothing to roll back: VirtualMesh %s has no rotation in progress", v.Name())
	case v.Position.RollingBack:
		return e.Advance(ctx, v)
	}
	if err := v.checkRollback(); err != nil {
		return nil, err
	}
	v, err := e.enterState(ctx, v, Step{State: trust.StateRollingBack, Message: MessageOf(trust.StateRollingBack, v.Strategy)})
	if err != nil {
		return nil, err
	}
	return e.distribute(ctx, v)
}

// checkRollback returns why a rotation cannot be rolled back.
func (v *Survey) checkRollback() error {
	if v.Current.Certificate == nil {
		return errors.New("cannot roll back: the old root no longer exists")
	}
	if signed := v.signedByNew(); len(signed) > 0 {
		if err := v.Current.usable(); err != nil {
			return fmt.Errorf("cannot issue intermediate certificates of the old root to %s: %w", strings.Join(signed, ", "), err)
		}
	}
	return nil
}

// signedByNew returns the names of the meshes whose intermediates are issued by the new root.
func (v *Survey) signedByNew() []string {
	var names []string
	for i := range v.Meshes {
		if m := &v.Meshes[i]; m.ours() && !v.Current.is(m.Bundle.Signer()) {
			names = append(names, m.Ref.Name)
		}
	}
	return names
}

// prepare ensures that the new root is usable before anything changes, and returns it.
func (e *Env) prepare(ctx context.Context, v *Survey) (Root, error) {
	if err := v.checkMeshes(); err != nil {
		return Root{}, err
	}
	from, to := v.sourceOf(v.deployed(), e.Namespace), v.sourceOf(v.Shared, e.Namespace)
	if to.same(from) && to.Kind == SourceGenerated {
		to = to.next()
		if err := e.deleteStaleNext(ctx, v, to); err != nil {
			return Root{}, err
		}
	}
	coming := e.readRoot(ctx, to)
	if coming.Missing {
		var err error
		if coming, err = e.generate(ctx, v.Subject, to, kube.DryRunNone); err != nil {
			return Root{}, err
		}
		e.observe(Management, fmt.Sprintf("created root %s, valid until %s", trust.Short(coming.Certificate), timeText(coming.Certificate.NotAfter)), nil)
	}
	return coming, v.checkComing(&coming)
}

// checkMeshes returns why a rotation cannot start: a mesh that cannot be written would be
// isolated from the others.
func (v *Survey) checkMeshes() error {
	if refused := Refused(v.Plan(false)); len(refused) > 0 {
		return fmt.Errorf("mesh %s on cluster %s: %s; all meshes need certificates before a rotation ('meshctl trust issue %s')",
			refused[0].Mesh.Ref.Name, refused[0].Mesh.Cluster, refused[0].Reason, v.Name())
	}
	return nil
}

// checkComing returns why a rotation to a root is not possible.
func (v *Survey) checkComing(coming *Root) error {
	if err := coming.usable(); err != nil {
		return err
	}
	if v.Current.is(coming.Certificate) {
		return fmt.Errorf("nothing to rotate: the meshes already have the root of %s", coming.Source)
	}
	return nil
}

// deleteStaleNext deletes a leftover of an earlier rotation that has ended: the root that is now
// in use or, after a rollback, the one that was retired.
func (e *Env) deleteStaleNext(ctx context.Context, v *Survey, next Source) error {
	stale := e.readRoot(ctx, next)
	if stale.Certificate == nil {
		return nil
	}
	if !v.Current.is(stale.Certificate) {
		kept, err := e.Store.Read(ctx, Management, next.Namespace, v.retiredName(stale.Certificate))
		if err != nil || kept == nil {
			return err // the root was generated for a rotation that did not start
		}
	}
	return e.Store.Delete(ctx, Management, next.Namespace, next.Name, e.owner(""))
}

// enterState records a state, unless someone else has changed it, and reads a new survey.
func (e *Env) enterState(ctx context.Context, v *Survey, step Step) (*Survey, error) {
	if err := e.record(ctx, v, step.State, step.Message, nil, func(t *Trail) {
		t.Conditions[len(t.Conditions)-1].Roots = step.roots
	}); err != nil {
		return nil, err
	}
	e.observe(Management, fmt.Sprintf("%s: %s", step.State, step.Message), nil)
	return Look(ctx, e, v.Subject)
}

// record appends a condition. It returns an error if the trail has changed since the survey.
func (e *Env) record(
	ctx context.Context, v *Survey, state certificatesv1.CertificateRotationState, message string, errs []string, also func(*Trail),
) error {
	if e.History == nil {
		return errors.New("rotations need the management cluster: add --context")
	}
	before := v.Trail.Conditions
	var after Trail
	err := e.History.Change(ctx, v.Resource, func(t *Trail) (bool, error) {
		if !slices.EqualFunc(t.Conditions, before, sameCondition) {
			return false, fmt.Errorf("VirtualMesh %s: %w", v.Name(), errChanged)
		}
		t.Conditions = trust.Record(t.Conditions, state, message, errs, e.Now())
		if also != nil {
			also(t)
		}
		after = *t
		return true, nil
	})
	if err == nil {
		v.Trail = after
	}
	return err
}

func sameCondition(a, b certificatesv1.CertificateRotationCondition) bool {
	return a.State == b.State && a.Timestamp == b.Timestamp && a.Message == b.Message && slices.Equal(a.Errors, b.Errors)
}

// distribute writes the certificates of the current step to every mesh, and records the
// result.
func (e *Env) distribute(ctx context.Context, v *Survey) ([]Outcome, error) {
	outcomes, err := e.Issue(ctx, v, v.Plan(false), kube.DryRunNone)
	if err != nil {
		return outcomes, err
	}
	var errs []string
	for i := range outcomes {
		if o := &outcomes[i]; o.Failed() {
			why := o.Action.Reason
			if o.Err != nil {
				why = o.Err.Error()
			}
			errs = append(errs, fmt.Sprintf("mesh %s on cluster %s: %s", o.Action.Mesh.Ref.Name, o.Action.Mesh.Cluster, why))
		}
	}
	if len(errs) > 0 {
		return outcomes, e.record(ctx, v, trust.StateFailed, fmt.Sprintf("failed to write the certificates of %d of %d meshes", len(errs), len(outcomes)), errs, nil)
	}
	if err := e.record(ctx, v, trust.StateVerifying, "all meshes have the certificates of this step", nil, nil); err != nil {
		return outcomes, err
	}
	if v.Manual {
		return outcomes, nil
	}
	return outcomes, e.verified(ctx, v, "automatic verification")
}

// verified records that a step is verified, and finishes the rotation after the last step.
func (e *Env) verified(ctx context.Context, v *Survey, message string) error {
	if err := e.record(ctx, v, trust.StateVerified, message, nil, nil); err != nil {
		return err
	}
	e.observe(Management, string(trust.StateVerified)+": "+message, nil)
	again, err := Look(ctx, e, v.Subject)
	if err != nil {
		return err
	}
	if !again.Position.Last() {
		return nil
	}
	return e.finish(ctx, again)
}

// Verify records that an operator confirmed a step. The survey must be current. It returns an
// error if no step awaits verification.
func (e *Env) Verify(ctx context.Context, v *Survey) error {
	p := &v.Position
	switch {
	case !p.Rotating():
		return fmt.Errorf("nothing to verify: VirtualMesh %s has no rotation in progress", v.Name())
	case p.Stage == trust.StageDistributing:
		return fmt.Errorf("the step is not complete (%s): continue it with 'meshctl trust rotate %s'", p.String(), v.Name())
	case p.Stage == trust.StageVerified && !p.Last():
		return nil // already verified
	}
	return e.verified(ctx, v, "confirmed by an operator")
}

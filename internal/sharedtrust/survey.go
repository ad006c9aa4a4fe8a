package sharedtrust

import (
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Survey is how the trust of a VirtualMesh stands.
type Survey struct {
	*Subject
	Trail    Trail
	Position trust.Position
	// Current is the root that the meshes have; while roots are exchanged, the old
	// one.
	Current Root
	// Coming is the root that replaces it; nil unless roots are exchanged.
	Coming *Root
	// Pending says why the root should be exchanged, for example because the
	// VirtualMesh asks for another source than the deployed one; empty if not.
	Pending string
	Meshes  []MeshState
}

// MeshState is what the Secret cacerts of a mesh holds.
type MeshState struct {
	Mesh
	// Err says why it is not known.
	Err error
	// Missing says that there is no Secret.
	Missing bool
	// Foreign says why the Secret is not meshctl's; empty if it is.
	Foreign string
	// Other is the VirtualMesh that meshctl's Secret was issued for, as
	// NAME.NAMESPACE, if that is not this one: the mesh was moved.
	Other string
	// Bundle is what it holds, BundleErr why that cannot be read.
	Bundle    *trust.Bundle
	BundleErr error
	// Verdict says how it differs from what it should be; only with a Bundle.
	Verdict trust.Verdict

	secret *kube.Secret
}

// Look reads how the trust of a VirtualMesh stands. What cannot be read of a mesh
// is part of the answer; the error is about what concerns all of them.
func Look(ctx context.Context, e *Env, s *Subject) (*Survey, error) {
	v := &Survey{Subject: s, Trail: Trail{Conditions: s.Resource.Status.Conditions, Deployed: s.Resource.Status.DeployedSharedTrust}}
	if e.History != nil {
		if err := e.History.Change(ctx, s.Resource, func(t *Trail) (bool, error) { v.Trail = *t; return false, nil }); err != nil {
			return nil, err
		}
	}
	var err error
	if v.Position, err = trust.Locate(v.Trail.Conditions); err != nil {
		return nil, &StatusError{VirtualMesh: s.Name(), Cause: err}
	}
	v.readMeshes(ctx, e)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.readRoots(ctx, e)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.judge(e)
	return v, nil
}

// StatusError says that the conditions of a VirtualMesh are none that a rotation
// can have led to.
type StatusError struct {
	VirtualMesh string
	// Cause says which condition it is.
	Cause error
}

// Error says what to do.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the status of VirtualMesh %s does not say where its rotation stands: %s; correct its conditions, which are in the subresource status", e.VirtualMesh, e.Cause)
}

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Cause }

// deployed returns the configuration of the root that the meshes have.
func (v *Survey) deployed() *networkingv1.SharedTrust {
	if v.Trail.Deployed != nil {
		return v.Trail.Deployed
	}
	return v.Shared
}

// readMeshes reads the Secrets of all meshes at the same time.
func (v *Survey) readMeshes(ctx context.Context, e *Env) {
	v.Meshes = make([]MeshState, len(v.Subject.Meshes))
	e.each(len(v.Meshes), func(i int) {
		m := &v.Meshes[i]
		m.Mesh = v.Subject.Meshes[i]
		secret, err := e.Store.Read(ctx, m.Cluster, m.Namespace, trust.CASecretName)
		switch {
		case err != nil:
			m.Err = err
		case secret == nil:
			m.Missing = true
		default:
			m.take(e, secret)
			m.Other = v.otherIssuer(secret)
		}
	})
}

// each does something for so many meshes at the same time.
func (e *Env) each(count int, do func(int)) {
	limit := e.Parallel
	if limit <= 0 {
		limit = max(count, 1)
	}
	positions := make([]int, count)
	for i := range positions {
		positions[i] = i
	}
	kube.Parallel(limit, positions, func(i int) struct{} {
		do(i)
		return struct{}{}
	})
}

func (m *MeshState) take(e *Env, secret *kube.Secret) {
	m.secret = secret
	for _, key := range []string{ownerLabel, clusterLabel} {
		if want := e.owner(m.Cluster)[key]; m.Foreign == "" && secret.Labels[key] != want {
			m.Foreign = fmt.Sprintf("it lacks the label %s=%s", key, want)
		}
	}
	m.Bundle, m.BundleErr = trust.ParseBundle(secret.Data)
}

// ours reports whether the mesh has a Secret of meshctl for this VirtualMesh that
// can be read.
func (m *MeshState) ours() bool {
	return m.Err == nil && m.Foreign == "" && m.Other == "" && m.Bundle != nil
}

// readRoots finds out which root the meshes have and which one they are to get.
func (v *Survey) readRoots(ctx context.Context, e *Env) {
	from, to := v.sourceOf(v.deployed(), e.Namespace), v.sourceOf(v.Shared, e.Namespace)
	v.Current = e.readRoot(ctx, from)
	if v.Position.Rotating() {
		if to.same(from) && to.Kind == SourceGenerated {
			to = to.next()
		}
		coming := v.Current
		if !to.same(from) {
			coming = e.readRoot(ctx, to)
		}
		v.Coming = &coming
		v.settleRotation()
		return
	}
	observed := v.observed()
	var known *x509.Certificate
	if len(observed) == 1 {
		known = observed[0]
	}
	switch stored := v.Current.Certificate; {
	case known != nil && v.Current.Missing:
		v.Pending = fmt.Sprintf("the private key of root %s is missing: Secret %s in %s does not exist", trust.Short(known), from.Name, from.Namespace)
		v.Current = Root{Source: from, Certificate: known, Err: fmt.Errorf("%s; restore it, or rotate the root CA with 'meshctl trust rotate'", v.Pending)}
	case known != nil && stored == nil:
		v.Current.Certificate = known
	case known != nil && !known.Equal(stored):
		v.Pending = fmt.Sprintf("the meshes have root %s, and %s has root %s", trust.Short(known), from, trust.Short(stored))
		v.Current = Root{Source: from, Certificate: known}
	}
	if !to.same(from) {
		v.Pending = fmt.Sprintf("the root in the VirtualMesh (%s) differs from the deployed root (%s)", to, from)
	}
}

// settleRotation holds the two roots to those that the rotation began with. The
// sources may have changed since: a user put a new root into the Secret of the
// old one, which is how such a rotation begins, or asks for something else in
// the middle of it. The meshes know the certificates all the same, and that is
// enough to accept them; to sign with them it is not.
func (v *Survey) settleRotation() {
	old, coming, known := rotatedRoots(&v.Position)
	if !known {
		// Somebody else began it. Its new root is there, or else nothing is done.
		v.Coming.Missing = false
		return
	}
	v.Current = v.held(v.Current, old, "old")
	held := v.held(*v.Coming, coming, "new")
	v.Coming = &held
}

// held returns a root of a rotation with the key if its source still has it.
func (v *Survey) held(r Root, id rootID, which string) Root {
	if id.names(r.Certificate) {
		return r
	}
	held := Root{Source: r.Source, Err: r.Err}
	if held.Err == nil {
		held.Err = fmt.Errorf("the %s root of the rotation, %s, is no longer in %s: restore it, or the root in the VirtualMesh when the rotation began; 'meshctl trust rollback %s' works as long as the old root exists",
			which, id.short(), r.Source.place(), v.Name())
	}
	for _, c := range v.observed() {
		if id.names(c) {
			held.Certificate = c
		}
	}
	return held
}

// observed returns the roots that the meshes have, each once, in the order of
// the meshes.
func (v *Survey) observed() []*x509.Certificate {
	var found []*x509.Certificate
	note := func(c *x509.Certificate) {
		if c != nil && !slices.ContainsFunc(found, c.Equal) {
			found = append(found, c)
		}
	}
	for i := range v.Meshes {
		m := &v.Meshes[i]
		if !m.ours() {
			continue
		}
		note(m.Bundle.Signer())
		if v.Position.Rotating() {
			for _, root := range m.Bundle.Roots {
				note(root)
			}
		}
	}
	return found
}

// root returns one of the two roots of a rotation.
func (v *Survey) root(which trust.Which) *Root {
	if which == trust.New && v.Coming != nil {
		return v.Coming
	}
	return &v.Current
}

// roots returns the certificates that the meshes should accept now.
func (v *Survey) roots() []*x509.Certificate {
	var roots []*x509.Certificate
	for _, which := range v.Position.Distribution().Roots {
		if c := v.root(which).Certificate; c != nil {
			roots = append(roots, c)
		}
	}
	return roots
}

// signer returns the root that the intermediates should lead to now.
func (v *Survey) signer() *Root { return v.root(v.Position.Distribution().Signer) }

// judge compares what the meshes have with what they should have.
func (v *Survey) judge(e *Env) {
	signer := v.signer().Certificate
	if signer == nil {
		return
	}
	for i := range v.Meshes {
		m := &v.Meshes[i]
		if m.Err == nil && m.Bundle != nil {
			m.Verdict = m.Bundle.Judge(&trust.Expected{
				Identity: m.Identity, Roots: v.roots(), Signer: signer, RenewalRatio: v.Intermediate.RenewalRatio, Now: e.Now(),
			})
		}
	}
}

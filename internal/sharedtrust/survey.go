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

// Survey is the current state of the trust of a VirtualMesh.
type Survey struct {
	*Subject
	Trail    Trail
	Position trust.Position
	// Current is the root of the meshes; during a rotation, the old root.
	Current Root
	// Coming is the new root; nil unless a rotation is in progress.
	Coming *Root
	// Pending is why the root should be rotated, for example because the configured source
	// differs from the deployed one; empty if there is no reason.
	Pending string
	Meshes  []MeshState
}

// MeshState is the state of the Secret cacerts of a mesh.
type MeshState struct {
	Mesh
	// Err is why the state is not known.
	Err error
	// Missing is true if the Secret does not exist.
	Missing bool
	// Foreign says why the Secret does not belong to meshctl; empty if it does.
	Foreign string
	// Other is the VirtualMesh for which meshctl issued the Secret, as NAME.NAMESPACE, if it is
	// not this one; the mesh has been moved.
	Other string
	// Bundle is the content of the Secret. BundleErr is why it cannot be parsed.
	Bundle    *trust.Bundle
	BundleErr error
	// Verdict says how the Bundle differs from the desired one; only valid with a Bundle.
	Verdict trust.Verdict

	secret *kube.Secret
}

// Look reads the current state of the trust of a VirtualMesh. Errors about single meshes are
// part of the survey. Look returns an error if the trail cannot be read, a *StatusError if it
// is invalid, and the error of ctx.
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

// StatusError says that the conditions of a VirtualMesh do not describe a possible state of a
// rotation.
type StatusError struct {
	VirtualMesh string
	// Cause identifies the invalid condition.
	Cause error
}

// Error implements error. It says what to do.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the status of VirtualMesh %s has invalid rotation conditions: %s; correct them in the status subresource", e.VirtualMesh, e.Cause)
}

// Unwrap returns the cause.
func (e *StatusError) Unwrap() error { return e.Cause }

// deployed returns the configuration of the root of the meshes.
func (v *Survey) deployed() *networkingv1.SharedTrust {
	if v.Trail.Deployed != nil {
		return v.Trail.Deployed
	}
	return v.Shared
}

// readMeshes reads the Secrets of all meshes in parallel.
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
			m.setSecret(e, secret)
			m.Other = v.otherIssuer(secret)
		}
	})
}

// each calls a function for the positions of count meshes, in parallel.
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

func (m *MeshState) setSecret(e *Env, secret *kube.Secret) {
	m.secret = secret
	for _, key := range []string{ownerLabel, clusterLabel} {
		if want := e.owner(m.Cluster)[key]; m.Foreign == "" && secret.Labels[key] != want {
			m.Foreign = fmt.Sprintf("it lacks the label %s=%s", key, want)
		}
	}
	m.Bundle, m.BundleErr = trust.ParseBundle(secret.Data)
}

// ours reports whether the mesh has a readable Secret of meshctl for this VirtualMesh.
func (m *MeshState) ours() bool {
	return m.Err == nil && m.Foreign == "" && m.Other == "" && m.Bundle != nil
}

// readRoots determines the current root of the meshes and, during a rotation, the new one.
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

// settleRotation makes sure that the two roots are those with which the rotation started.
// Their sources may have changed since: a user may have stored a new root in the Secret of the
// old one, which is one way to start a rotation, or may have changed the configuration during
// the rotation. The certificates can still be found in the meshes. That is enough to trust
// them, but not to sign with them.
func (v *Survey) settleRotation() {
	old, coming, known := rotatedRoots(&v.Position)
	if !known {
		// Another tool started the rotation, so do not generate its new root.
		v.Coming.Missing = false
		return
	}
	v.Current = v.rootWithKey(v.Current, old, "old")
	held := v.rootWithKey(*v.Coming, coming, "new")
	v.Coming = &held
}

// rootWithKey returns a root of the rotation, with its key if the source still has it.
func (v *Survey) rootWithKey(r Root, id rootID, which string) Root {
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

// observed returns the distinct roots of the meshes, in the order of the meshes.
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

// root returns the old or the new root of a rotation.
func (v *Survey) root(which trust.Which) *Root {
	if which == trust.New && v.Coming != nil {
		return v.Coming
	}
	return &v.Current
}

// roots returns the roots that the meshes should currently trust.
func (v *Survey) roots() []*x509.Certificate {
	var roots []*x509.Certificate
	for _, which := range v.Position.Distribution().Roots {
		if c := v.root(which).Certificate; c != nil {
			roots = append(roots, c)
		}
	}
	return roots
}

// signer returns the root that should currently issue the intermediates.
func (v *Survey) signer() *Root { return v.root(v.Position.Distribution().Signer) }

// judge compares the certificates of the meshes with the desired ones.
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

package sharedtrust

import (
	"bytes"
	"context"
	"crypto/x509"
	"maps"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// finish ends a rotation after its last step. Signing keys are never deleted (D41):
// the root that is no longer in use is kept under its own name. finish can be repeated.
func (e *Env) finish(ctx context.Context, v *Survey) error {
	state, out := trust.StateFinished, trust.Old
	if v.Position.RollingBack {
		state, out = trust.StateNotRotating, trust.New
	}
	current := v.sourceOf(v.deployed(), e.Namespace)
	next := current.next()
	exchanged := current.Kind == SourceGenerated && v.Coming.Source.Name == next.Name
	if exchanged {
		if err := e.settleSecrets(ctx, v, current, next, out); err != nil {
			return err
		}
	}
	err := e.record(ctx, v, state, MessageOf(state, v.Strategy), nil, func(t *Trail) {
		if state == trust.StateFinished {
			t.Deployed = v.Shared
		}
	})
	if err != nil {
		return err
	}
	e.observe(Management, string(state)+": "+MessageOf(state, v.Strategy), nil)
	if exchanged {
		return e.Store.Delete(ctx, Management, next.Namespace, next.Name, e.owner(""))
	}
	return nil
}

// settleSecrets retires the root that is no longer in use, and stores the other one as the
// root of the VirtualMesh.
func (e *Env) settleSecrets(ctx context.Context, v *Survey, current, next Source, out trust.Which) error {
	coming, err := e.Store.Read(ctx, Management, next.Namespace, next.Name)
	if err != nil || coming == nil {
		return err // already done
	}
	stored, err := e.Store.Read(ctx, Management, current.Namespace, current.Name)
	if err != nil {
		return err
	}
	switch {
	case out == trust.New:
		return e.retire(ctx, v, coming)
	case stored == nil || maps.EqualFunc(stored.Data, coming.Data, bytes.Equal):
	default:
		if err := e.retire(ctx, v, stored); err != nil {
			return err
		}
	}
	_, err = e.Store.Write(ctx, Management, e.rootSecret(v.Subject, current.Name, coming.Data), Write{Owner: e.owner("")})
	return err
}

// retire keeps a root under a unique name.
func (e *Env) retire(ctx context.Context, v *Survey, root *kube.Secret) error {
	certificates, err := trust.ParseCertificates(root.Data[trust.RootCertKey])
	if err != nil {
		return err
	}
	_, err = e.Store.Write(ctx, Management, e.rootSecret(v.Subject, v.retiredName(certificates[0]), root.Data), Write{Owner: e.owner("")})
	return err
}

// retiredName returns the name of the Secret of a retired root.
func (s *Subject) retiredName(root *x509.Certificate) string {
	return s.Name() + ".retired-" + trust.Short(root)
}

package sharedtrust

import (
	"context"
	"encoding/json"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Env holds the dependencies of shared trust.
type Env struct {
	Store Store
	// History is nil if there is no management cluster to store it in; rotations are not
	// possible then.
	History History
	// Vault connects to Vaults; nil if none can be used.
	Vault Vaults
	// Namespace is the namespace of meshctl's resources in the management cluster.
	Namespace string
	Now       func() time.Time
	// NewKey creates private keys; nil for trust.NewKey.
	NewKey func(bits int) (trust.Key, error)
	// Observe is called for each event; it may be nil.
	Observe func(Event)
	// Parallel limits how many meshes are written in parallel; no limit if 0.
	Parallel int
}

// Event reports what was done for a mesh or in the management cluster.
type Event struct {
	// Cluster is the cluster; empty for the management cluster.
	Cluster string
	// What describes the operation in a few words. Err is why it failed.
	What string
	Err  error
}

func (e *Env) newKey(bits int) (trust.Key, error) {
	if e.NewKey == nil {
		return trust.NewKey(bits)
	}
	return e.NewKey(bits)
}

func (e *Env) observe(cluster, what string, err error) {
	if e.Observe != nil {
		e.Observe(Event{Cluster: cluster, What: what, Err: err})
	}
}

// Trail is the record of trust in the status of a VirtualMesh.
type Trail struct {
	Conditions []certificatesv1.CertificateRotationCondition
	// Deployed is the configuration whose root the meshes have; nil if no trust has been
	// established.
	Deployed *networkingv1.SharedTrust
	// TrustDomains are the accepted trust domains of its meshes, by
	// networkingv1.TrustDomainKey.
	TrustDomains map[string]string
}

// accept notes the accepted trust domains of meshes, and reports whether that is new.
func (t *Trail) accept(meshes []Mesh) bool {
	changed := false
	for i := range meshes {
		m := &meshes[i]
		key := networkingv1.TrustDomainKey(m.Ref)
		if m.TrustDomain != m.AcceptedDomain || t.TrustDomains[key] == m.TrustDomain {
			continue
		}
		if t.TrustDomains == nil {
			t.TrustDomains = map[string]string{}
		}
		t.TrustDomains[key], changed = m.TrustDomain, true
	}
	return changed
}

// History reads and changes the trail of a VirtualMesh.
type History interface {
	// Change calls change with the stored trail, and stores the result if change returns true.
	// It may call change more than once. An error of change is returned unmodified.
	Change(ctx context.Context, vm *networkingv1.VirtualMesh, change func(*Trail) (bool, error)) error
}

// ClusterHistory stores trails in the status of VirtualMeshes in the management cluster.
type ClusterHistory struct{ Management *kube.Connection }

// Change implements History.
func (h ClusterHistory) Change(ctx context.Context, vm *networkingv1.VirtualMesh, change func(*Trail) (bool, error)) error {
	key := kube.ObjectKey{GVK: networkingv1.GroupVersion().WithKind("VirtualMesh"), Namespace: vm.Namespace, Name: vm.Name}
	return kube.ChangeStatus(ctx, h.Management, key, func(status map[string]any) (bool, error) {
		var trail Trail
		record, _ := status["meshctl"].(map[string]any)
		stored := map[string]any{"Conditions": status["conditions"], "Deployed": status["deployedSharedTrust"], "TrustDomains": record["trustDomains"]}
		if err := convert(stored, &trail); err != nil {
			return false, err
		}
		write, err := change(&trail)
		if err != nil || !write {
			return false, err
		}
		var fields map[string]any
		if err := convert(trail, &fields); err != nil {
			return false, err
		}
		status["conditions"], status["deployedSharedTrust"] = fields["Conditions"], fields["Deployed"]
		for _, name := range []string{"conditions", "deployedSharedTrust"} {
			if status[name] == nil {
				delete(status, name)
			}
		}
		if domains := fields["TrustDomains"]; domains != nil {
			if record == nil {
				record = map[string]any{}
			}
			record["trustDomains"], status["meshctl"] = domains, record
		}
		return true, nil
	})
}

// convert converts a value to another type through JSON.
func convert(from, into any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// Labels and annotations of written objects.
const (
	ownerLabel        = "owner.networking.mesh.gloo.solo.io"
	clusterLabel      = "cluster.multicluster.solo.io"
	parentsAnnotation = "parents.networking.mesh.gloo.solo.io"
)

// owner returns the labels of objects that meshctl owns in a cluster.
func (e *Env) owner(cluster string) map[string]string {
	return map[string]string{ownerLabel: e.Namespace, clusterLabel: cluster}
}

// otherIssuer returns the VirtualMesh for which a Secret was issued, as NAME.NAMESPACE; empty
// if it is this one or is not recorded.
func (s *Subject) otherIssuer(secret *kube.Secret) string {
	var parents map[string][]struct{ Name, Namespace string }
	text := secret.Annotations[parentsAnnotation]
	if text == "" || text == s.parents()[parentsAnnotation] || json.Unmarshal([]byte(text), &parents) != nil {
		return ""
	}
	for _, ref := range parents[parentKind()] {
		return ref.Name + "." + ref.Namespace
	}
	return ""
}

// parentKind returns the kind of VirtualMeshes as written in annotations.
func parentKind() string { return networkingv1.GroupVersion().String() + ", Kind=VirtualMesh" }

// parents returns the annotation that refers to the VirtualMesh.
func (s *Subject) parents() map[string]string {
	type ref struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	}
	text, err := json.Marshal(map[string][]ref{parentKind(): {{s.Resource.Name, s.Resource.Namespace}}})
	if err != nil {
		return nil // cannot happen: strings can always be encoded
	}
	return map[string]string{parentsAnnotation: string(text)}
}

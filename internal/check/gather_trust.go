package check

import (
	"context"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// TrustFacts are the facts about the shared trust of a VirtualMesh.
type TrustFacts struct {
	// VirtualMesh is the name, as NAME.NAMESPACE.
	VirtualMesh string
	// Report is nil if shared trust cannot be judged; Err is then the reason.
	Report *sharedtrust.Report
	Err    error
}

// gatherTrust collects the certificates of all virtual meshes with shared trust.
func (f *Facts) gatherTrust(ctx context.Context, opts *Options) error {
	if f.World == nil || f.NoClusters {
		return nil
	}
	store := f.trustStore(opts)
	env := &sharedtrust.Env{Store: store, Vault: opts.Vault, Namespace: opts.Namespace, Now: func() time.Time { return f.Now }}
	for i := range f.World.VirtualMeshes {
		vm := &f.World.VirtualMeshes[i]
		if vm.Trust() != policy.TrustShared {
			continue
		}
		opts.Observe.begin("inspecting the trust of " + vm.Resource.Name + "." + vm.Resource.Namespace)
		facts := TrustFacts{VirtualMesh: vm.Resource.Name + "." + vm.Resource.Namespace}
		subject, err := sharedtrust.Of(f.World, i)
		if err == nil {
			limited, stop := context.WithTimeout(ctx, opts.deadline())
			facts.Report, err = sharedtrust.Inspect(limited, env, subject, f.World.World, store.Connection, opts.deadline())
			stop()
		}
		facts.Err = err
		f.Trust = append(f.Trust, facts)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// trustStore returns a store of the usable clusters.
func (f *Facts) trustStore(opts *Options) *sharedtrust.ClusterStore {
	store := &sharedtrust.ClusterStore{Members: kube.Members{Connections: map[string]*kube.Connection{}, Failures: map[string]error{}}}
	if f.Management != nil && f.Management.Err == nil {
		store.Management = opts.Management
	}
	for _, c := range f.connections {
		store.Members.Connections[c.Name] = c
	}
	for i := range f.Members {
		m := &f.Members[i]
		if m.usable() {
			continue
		}
		delete(store.Members.Connections, m.Cluster)
		store.Members.Failures[m.Cluster] = m.Err
		if m.RegistrationErr != nil {
			store.Members.Failures[m.Cluster] = m.RegistrationErr
		}
	}
	return store
}

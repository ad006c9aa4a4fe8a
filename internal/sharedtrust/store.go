package sharedtrust

import (
	"context"
	"errors"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
)

// Management is the name of the management cluster in a Store.
const Management = ""

// Write says how to write a Secret.
type Write struct {
	// Create fails if the Secret exists.
	Create bool
	// Owner are labels that an existing Secret must have; none trusts it.
	Owner map[string]string
	// Version is that of the Secret as it was read, kube.VersionOfNone if there
	// was none: it fails if the Secret is another one by now. Empty allows all.
	Version string
	// DryRun has the API server judge and writes nothing.
	DryRun kube.DryRun
}

// Store keeps the Secrets of the management cluster and of the clusters of
// meshes, which are called by their names.
type Store interface {
	// Read returns a Secret, nil if there is none.
	Read(ctx context.Context, cluster, namespace, name string) (*kube.Secret, error)
	// Write makes the Secret hold exactly its data.
	Write(ctx context.Context, cluster string, secret *kube.Secret, how Write) (kube.Outcome, error)
	// Delete removes a Secret that has the labels; one that is gone is no error.
	Delete(ctx context.Context, cluster, namespace, name string, owner map[string]string) error
}

// ClusterStore is the Store of real clusters.
type ClusterStore struct {
	// Management is nil if there is no management cluster.
	Management *kube.Connection
	// Members are the clusters of meshes.
	Members kube.Members
	// Deadline bounds how long a Secret is waited for, so that a cluster that does
	// not answer leaves time for the others; no bound of its own if 0.
	Deadline time.Duration
}

// errNoManagement says that there is no management cluster to ask.
var errNoManagement = errors.New("the root CA is stored on the management cluster: add --context")

// Connection returns the connection to a cluster, or why there is none.
func (s *ClusterStore) Connection(cluster string) (*kube.Connection, error) {
	if cluster == Management {
		if s.Management == nil {
			return nil, errNoManagement
		}
		return s.Management, nil
	}
	return s.Members.Connection(cluster)
}

// Read implements Store.
func (s *ClusterStore) Read(ctx context.Context, cluster, namespace, name string) (*kube.Secret, error) {
	c, err := s.Connection(cluster)
	if err != nil {
		return nil, err
	}
	limited, stop := within(ctx, s.Deadline)
	defer stop()
	return kube.ReadSecret(limited, c, namespace, name)
}

// within bounds a context by a time, if that is not 0.
func within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	if limit <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, limit)
}

// Write implements Store.
func (s *ClusterStore) Write(ctx context.Context, cluster string, secret *kube.Secret, how Write) (kube.Outcome, error) {
	c, err := s.Connection(cluster)
	if err != nil {
		return kube.Failed, err
	}
	return kube.WriteSecret(ctx, c, secret, kube.ApplyOptions{Create: how.Create, Owner: how.Owner, Version: how.Version, Force: true, DryRun: how.DryRun})
}

// Delete implements Store.
func (s *ClusterStore) Delete(ctx context.Context, cluster, namespace, name string, owner map[string]string) error {
	c, err := s.Connection(cluster)
	if err != nil {
		return err
	}
	return kube.DeleteSecret(ctx, c, namespace, name, owner)
}

package sharedtrust

import (
	"context"
	"errors"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
)

// Management is the name of the management cluster in a Store.
const Management = ""

// Write configures the writing of a Secret.
type Write struct {
	// Create makes the write fail if the Secret exists.
	Create bool
	// Owner are labels that an existing Secret must have; if empty, ownership is not checked.
	Owner map[string]string
	// Version is the version of the Secret when it was read, or kube.VersionOfNone if it did not
	// exist. The write fails if the Secret has changed since. If it is empty, there is no check.
	Version string
	// DryRun set to DryRunServer sends a server-side dry run, which writes nothing.
	DryRun kube.DryRun
}

// Store stores the Secrets of the management cluster and of the clusters of meshes, which are
// identified by name.
type Store interface {
	// Read returns a Secret, nil if it does not exist.
	Read(ctx context.Context, cluster, namespace, name string) (*kube.Secret, error)
	// Write makes the Secret contain exactly the given data.
	Write(ctx context.Context, cluster string, secret *kube.Secret, how Write) (kube.Outcome, error)
	// Delete deletes a Secret that has the owner labels. It is not an error if the Secret does
	// not exist.
	Delete(ctx context.Context, cluster, namespace, name string, owner map[string]string) error
}

// ClusterStore is a Store that accesses clusters.
type ClusterStore struct {
	// Management is nil if there is no management cluster.
	Management *kube.Connection
	// Members are the connections to the clusters of the meshes.
	Members kube.Members
	// Deadline limits the wait for a Secret, so that an unresponsive cluster leaves time for the
	// others; no limit if 0.
	Deadline time.Duration
}

// errNoManagement reports a missing connection to the management cluster.
var errNoManagement = errors.New("the root CA is stored on the management cluster: add --context")

// Connection returns the connection to a cluster, or an error if there is none.
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

// within limits a context to a duration, unless that is 0.
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

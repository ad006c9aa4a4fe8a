package cmdutil

import (
	"context"
	"errors"
	"slices"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
)

// MemberConnections are the connections to the clusters of a command's world.
type MemberConnections struct {
	// Management is the management cluster; nil if it is not a source.
	Management *kube.Connection
	kube.Members
}

// Members returns the connections to the registered clusters, if the management cluster is a
// source, and to those named with --clusters. It sends requests only to the management
// cluster. It returns cli.ErrReported if loading the world already reported why the management
// cluster cannot be read.
func (f *WorldFlags) Members(ctx context.Context, namespace string) (MemberConnections, error) {
	found := MemberConnections{Members: kube.Members{Connections: map[string]*kube.Connection{}, Failures: map[string]error{}}}
	if f.FromManagement() {
		if err := f.registered(ctx, namespace, &found); err != nil {
			if f.Kube.unread != nil && ctx.Err() == nil {
				err = cli.ErrReported
			}
			return found, err
		}
	}
	if len(f.Contexts) == 0 {
		return found, nil
	}
	named, err := f.Discovered()
	if err != nil {
		return found, err
	}
	for _, c := range named {
		found.Connections[c.Name] = c
		delete(found.Failures, c.Name)
	}
	return found, nil
}

func (f *WorldFlags) registered(ctx context.Context, namespace string, found *MemberConnections) error {
	management, err := f.Kube.Management()
	if err != nil {
		return err
	}
	found.Management = management
	opts, err := f.Kube.Options()
	if err != nil {
		return err
	}
	names, err := registration.RegisteredNames(ctx, management, namespace)
	var e *kube.Error
	if errors.As(err, &e) && e.Reason == kube.ReasonNoSuchKind && len(f.Contexts) > 0 {
		return nil // meshctl need not be installed there
	}
	if err != nil {
		return err
	}
	registered, failed, err := kube.Registered(ctx, management, namespace, nil, opts)
	if err != nil {
		return err
	}
	for _, c := range registered {
		found.Connections[c.Name] = c
	}
	unusable := slices.DeleteFunc(slices.Sorted(slices.Values(names)), func(name string) bool { return found.Connections[name] != nil })
	for i, name := range unusable {
		if i < len(failed) { // both lists are sorted by cluster
			found.Failures[name] = failed[i]
		}
	}
	return nil
}

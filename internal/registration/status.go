package registration

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// MemberStatus is the status of a registered cluster.
type MemberStatus struct {
	// Cluster is the name of the registered cluster, Namespace the namespace of its
	// registration.
	Cluster, Namespace string
	// UID is the unique ID of the cluster; empty if not known.
	UID string
	// Created is when it was registered.
	Created time.Time
	// Server is the address of the API server; empty if not known.
	Server string
	// InsecureSkipTLSVerify is true if the certificate of the API server is not verified.
	InsecureSkipTLSVerify bool
	// TokenExpires is when the credentials expire; nil if never or not known.
	TokenExpires *time.Time
	// Reachable is true if the API server accepted the credentials and answered all requests.
	// Err is why not.
	Reachable bool
	Err       *kube.Error
	// Version is the Kubernetes version, Latency the duration of a small request.
	Version string
	Latency time.Duration
	// Meshes are the service meshes found in the cluster. MeshesKnown is true if the list is
	// complete.
	Meshes      []string
	MeshesKnown bool
	// Notes are errors about what could not be determined.
	Notes []*kube.Error
}

// StatusOptions configure Statuses.
type StatusOptions struct {
	// Namespace is the namespace of the registrations.
	Namespace string
	// Names are the clusters to query; empty means all.
	Names []string
	// Deadline limits all requests to a cluster; DefaultDeadline if 0.
	Deadline time.Duration
	// Meshes finds the service meshes of a cluster; if nil, they are not queried.
	Meshes func(context.Context, *kube.Connection) ([]string, error)
	// Clock returns the current time, to measure latency.
	Clock func() time.Time
	// Connection configures the connections to the clusters.
	Connection kube.Options
}

// Statuses queries the status of registered clusters in parallel, and returns the results
// sorted by name. An unreachable cluster is part of the result. Statuses returns an error if
// the registrations cannot be read, if a name is not registered, or if ctx ends.
func Statuses(ctx context.Context, management *kube.Connection, opts StatusOptions) ([]MemberStatus, error) {
	statuses, err := listMembers(ctx, management, opts)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(statuses))
	index := map[string]int{}
	for i, s := range statuses {
		names = append(names, s.Cluster)
		index[s.Cluster] = i
	}
	if len(names) == 0 {
		return statuses, nil
	}
	connections, failed, err := kube.Registered(ctx, management, opts.Namespace, names, opts.Connection)
	if err != nil {
		return nil, err
	}
	kube.Each(connections, func(c *kube.Connection) struct{} {
		statuses[index[c.Name]].ask(ctx, c, opts)
		return struct{}{}
	})
	answered := map[string]bool{}
	for _, c := range connections {
		answered[c.Name] = true
	}
	// Clusters without a connection are in the same order as their errors.
	i := 0
	for _, name := range names {
		if !answered[name] && i < len(failed) {
			statuses[index[name]].Err = failed[i]
			i++
		}
	}
	return statuses, ctx.Err()
}

func listMembers(ctx context.Context, management *kube.Connection, opts StatusOptions) ([]MemberStatus, error) {
	statuses, err := kube.List(ctx, management, kube.KubernetesClusters(), kube.ListOptions{Namespace: opts.Namespace}, func(u *unstructured.Unstructured) MemberStatus {
		return MemberStatus{
			Cluster: u.GetName(), Namespace: u.GetNamespace(), UID: u.GetLabels()[ClusterUIDLabel], Created: u.GetCreationTimestamp().Time,
		}
	})
	if err != nil || len(opts.Names) == 0 {
		return statuses, err
	}
	var chosen []MemberStatus
	wanted := map[string]bool{}
	for _, name := range opts.Names {
		wanted[name] = true
	}
	for _, s := range statuses {
		if wanted[s.Cluster] {
			chosen = append(chosen, s)
			delete(wanted, s.Cluster)
		}
	}
	for _, name := range opts.Names {
		if wanted[name] {
			return nil, notRegistered(ctx, management, opts.Namespace, name)
		}
	}
	return chosen, nil
}

// ask queries one cluster.
func (s *MemberStatus) ask(ctx context.Context, c *kube.Connection, opts StatusOptions) {
	config := c.RESTConfig()
	s.Server, s.InsecureSkipTLSVerify, s.TokenExpires = c.Server(), config.Insecure, TokenExpiry(config.BearerToken)
	var (
		version string
		latency time.Duration
		uid     string
		meshes  []string
		known   bool
	)
	questions := []kube.Question{
		func(ctx context.Context) error {
			start := opts.Clock()
			info, err := c.ServerVersion(ctx)
			version, latency = info.GitVersion, opts.Clock().Sub(start)
			return err
		},
		func(ctx context.Context) error {
			var err error
			uid, err = c.UID(ctx)
			return err
		},
	}
	if opts.Meshes != nil {
		questions = append(questions, func(ctx context.Context) error {
			var err error
			meshes, err = opts.Meshes(ctx, c)
			known = err == nil
			return err
		})
	}
	notes, err := kube.Ask(ctx, c, opts.Deadline, questions...)
	if err != nil {
		s.Err = c.Translate("", err)
		return
	}
	for _, note := range notes {
		if !harmless(note) {
			s.Err = note
			return
		}
	}
	s.Reachable, s.Version, s.Latency, s.Meshes, s.MeshesKnown, s.Notes = true, version, latency, meshes, known, notes
	if s.UID != "" && uid != "" && uid != s.UID {
		s.Notes = append(s.Notes, &kube.Error{
			Cluster: c.Name, Action: "trust the registration", Reason: kube.ReasonConflict,
			Why: c.Server() + " is a different cluster than the one that was registered", Hint: "deregister it, then register it again",
		})
	}
	if uid != "" {
		s.UID = uid
	}
}

// harmless reports whether an error affects only the one request, for example because of
// missing permissions. An API server that fails even one request is not ready.
func harmless(e *kube.Error) bool {
	switch e.Reason {
	case kube.ReasonForbidden, kube.ReasonNoSuchKind, kube.ReasonNotFound:
		return true
	default:
		return false
	}
}

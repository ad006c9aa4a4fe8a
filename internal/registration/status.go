package registration

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// MemberStatus is how a registered cluster is at the moment.
type MemberStatus struct {
	// Cluster is the name that the cluster is registered under, Namespace that of
	// its registration.
	Cluster, Namespace string
	// UID identifies the cluster; empty if neither the cluster nor its
	// registration says.
	UID string
	// Created is when it was registered.
	Created time.Time
	// Server is the address of the API server; empty if it is not known.
	Server string
	// InsecureSkipTLSVerify says that the certificate of the API server is not
	// verified.
	InsecureSkipTLSVerify bool
	// TokenExpires is when the credentials do; nil for never, or if they do not
	// say.
	TokenExpires *time.Time
	// Reachable says that the API server accepted the credentials and answered
	// what it was asked; Err is why not.
	Reachable bool
	Err       *kube.Error
	// Version is that of Kubernetes, Latency what a small request took.
	Version string
	Latency time.Duration
	// Meshes are the service meshes that were found there; MeshesKnown says that
	// they are all.
	Meshes      []string
	MeshesKnown bool
	// Notes say what could not be found out.
	Notes []*kube.Error
}

// StatusOptions say what to find out about registered clusters.
type StatusOptions struct {
	// Namespace is that of the registrations.
	Namespace string
	// Names are the clusters to look at; all if there are none.
	Names []string
	// Deadline bounds all questions to one cluster; DefaultDeadline if 0.
	Deadline time.Duration
	// Meshes finds the service meshes of a cluster; nil looks for none.
	Meshes func(context.Context, *kube.Connection) ([]string, error)
	// Clock tells the time, to measure latency.
	Clock func() time.Time
	// Connection is for the connections to the clusters.
	Connection kube.Options
}

// Statuses asks all registered clusters at the same time how they are, and
// returns the answers sorted by name. A cluster that cannot be reached is an
// answer, not an error.
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
	// Those without a connection come in the same order as their errors.
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

// ask asks one cluster.
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
			Why: "another cluster is at " + c.Server() + " than the one that was registered", Hint: "deregister it, then register it again",
		})
	}
	if uid != "" {
		s.UID = uid
	}
}

// harmless reports whether a question that was not answered says nothing about
// the rest: the credentials may just not be allowed to ask it. An API server that
// fails, even with one question only, is not ready.
func harmless(e *kube.Error) bool {
	switch e.Reason {
	case kube.ReasonForbidden, kube.ReasonNoSuchKind, kube.ReasonNotFound:
		return true
	default:
		return false
	}
}

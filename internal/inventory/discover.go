package inventory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// DiscoverOptions selects the clusters to discover.
type DiscoverOptions struct {
	Connections []*kube.Connection
	// ManagementNamespace is the namespace of the results; world.DefaultNamespace if empty.
	ManagementNamespace string
	// Settings determine how gateways are recognised; nil for the defaults.
	Settings *settingsv1.Settings
	// Deadline limits the reading of each cluster; kube.DefaultDeadline if 0.
	Deadline time.Duration
	// Members requests that Cluster.Input and Cluster.Members are filled in.
	Members bool
	// Done is called for each cluster as soon as it is discovered, from several goroutines; it
	// may be nil.
	Done func(*Cluster)
}

// Cluster is the result of discovering one cluster.
type Cluster struct {
	Name   string
	Output discovery.Output
	// Err is why the cluster cannot be used; nothing is known about it then.
	Err *kube.Error
	// Unlisted are the resources that are forbidden or not served, in the order of
	// discovery.Kinds.
	Unlisted []Unlisted
	// Dumped is true if the cluster was discovered from files, which never prove that something
	// does not exist. Problems are what the files lack.
	Dumped   bool
	Problems []world.Problem
	// Input is what was read, and Members are the pods of each mesh. Both are only set if
	// DiscoverOptions.Members requests them.
	Input   discovery.Input
	Members []discovery.MeshMembers
}

// Unlisted is a resource that could not be listed.
type Unlisted struct {
	Kind discovery.Kind
	Err  *kube.Error
}

// Message returns why the resource could not be listed and what is unknown as a result.
func (u Unlisted) Message() string {
	return u.Err.Message() + "; not known: " + u.Kind.Without
}

// Unseen returns Unlisted as shown to users: resources that could not be listed for lack of
// the same permission are combined into one entry.
func (c *Cluster) Unseen() []Unlisted {
	errs := make([]*kube.Error, len(c.Unlisted))
	for i := range c.Unlisted {
		errs[i] = c.Unlisted[i].Err
	}
	var unseen []Unlisted
	for _, e := range kube.FoldForbidden(errs) {
		var without []string
		for _, u := range c.Unlisted {
			if folded := e.Reason == kube.ReasonForbidden && u.Err.Reason == e.Reason && u.Err.Hint == e.Hint; folded || u.Err == e {
				without = append(without, u.Kind.Without)
			}
		}
		unseen = append(unseen, Unlisted{Kind: discovery.Kind{Without: strings.Join(without, "; ")}, Err: e})
	}
	return unseen
}

// Partial reports whether the Output may be incomplete.
func (c *Cluster) Partial() bool {
	return c.Err != nil || len(c.Unlisted) > 0 ||
		slices.ContainsFunc(c.Problems, func(p world.Problem) bool { return p.HidesInput() || p.Kind == world.UnlistedKind }) ||
		slices.ContainsFunc(c.Output.Notes, func(n discovery.Note) bool { return n.Skipped })
}

// Complete reports whether everything was read, so that objects which are not in the Output do
// not exist.
func (c *Cluster) Complete() bool { return !c.Partial() && !c.Dumped }

// Discover discovers the clusters in parallel and returns the results in the order of the
// connections. An unusable cluster does not prevent the others from being discovered; its
// result has Err. Discover returns an error only if ctx is cancelled.
func Discover(ctx context.Context, opts DiscoverOptions) ([]Cluster, error) {
	scheme, err := discoveryScheme()
	if err != nil {
		return nil, err
	}
	found := kube.Each(opts.Connections, func(c *kube.Connection) Cluster {
		found := discoverCluster(ctx, c, scheme, opts)
		if opts.Done != nil {
			opts.Done(&found)
		}
		return found
	})
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, err
	}
	return found, nil
}

func discoverCluster(ctx context.Context, c *kube.Connection, scheme *runtime.Scheme, opts DiscoverOptions) Cluster {
	r := newRawReader(c, scheme)
	found := Cluster{Name: c.Name}
	if _, err := kube.Ask(ctx, c, opts.Deadline, r.questions()...); err != nil {
		if !errors.As(err, &found.Err) {
			found.Err = &kube.Error{Cluster: c.Name, Reason: kube.ReasonCancelled, Why: err.Error()}
		}
		return found
	}
	found.Unlisted = r.unlisted()
	if at := slices.IndexFunc(found.Unlisted, func(u Unlisted) bool { return !u.Err.Skippable() }); at >= 0 {
		// Without the list, destinations would appear to have no endpoints, or meshes no gateways
		// (D71).
		return Cluster{Name: c.Name, Err: found.Unlisted[at].Err}
	}
	if e := (*kube.Error)(nil); errors.As(r.failedRemoteSecrets, &e) {
		return Cluster{Name: c.Name, Err: e}
	}
	if r.sawNothing() && len(found.Unlisted) > 0 {
		// Credentials that may not read anything are as bad as none.
		found.Err = found.Unlisted[0].Err
		return found
	}
	r.input.Settings = opts.Settings
	r.input.ManagementNamespace = opts.ManagementNamespace
	if r.input.ManagementNamespace == "" {
		r.input.ManagementNamespace = world.DefaultNamespace
	}
	found.Output = discovery.Discover(r.input)
	if opts.Members {
		found.Input, found.Members = r.input, discovery.Members(r.input)
	}
	return found
}

// DiscoverDump discovers a cluster from files with its objects. It returns an error if one of
// the paths cannot be read at all, or if ctx ends.
func DiscoverDump(ctx context.Context, opts load.DumpOptions) (Cluster, error) {
	dump, err := load.DiscoverDump(ctx, opts)
	if err != nil {
		return Cluster{}, err
	}
	return Cluster{Name: opts.Cluster, Output: dump.Output, Dumped: true, Problems: dump.Problems}, nil
}

// Merge combines the results of the usable clusters.
func Merge(clusters []Cluster) discovery.Output {
	var outputs []discovery.Output
	for i := range clusters {
		if clusters[i].Err == nil {
			outputs = append(outputs, clusters[i].Output)
		}
	}
	return discovery.Merge(outputs...)
}

// Objects discovers the clusters and returns their meshes, workloads and destinations as if
// they had been read from the management cluster. Notes of discovery, resources that cannot be
// listed, and unusable clusters become Problems. It returns an error if ctx is cancelled or a
// discovered object occurs twice.
func Objects(ctx context.Context, opts DiscoverOptions, v *validation.Validator) (world.Objects, error) {
	found, err := Discover(ctx, opts)
	if err != nil {
		return world.Objects{}, err
	}
	var problems []world.Problem
	for i := range found {
		c, origin := &found[i], load.ClusterOrigin(found[i].Name)
		if c.Err != nil {
			problems = append(problems, world.Problem{Kind: world.UnusableCluster, Origin: origin, Message: c.Err.Local(), Hint: c.Err.Hint})
			continue
		}
		for _, u := range c.Unseen() {
			problems = append(problems, world.Problem{Kind: world.UnlistedKind, Origin: origin, Message: u.Message(), Hint: u.Err.Hint})
		}
		for _, n := range c.Output.Notes {
			problems = append(problems, world.Problem{Kind: world.DiscoveryNote, Origin: origin, Object: n.Object, Message: n.Message, Hint: n.Hint})
		}
	}
	objects, err := load.Discovered(Merge(found), v)
	objects.Problems = slices.Concat(problems, objects.Problems)
	return objects, err
}

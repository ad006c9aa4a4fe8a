package load

import (
	"context"
	"errors"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// DiscoverOptions selects the clusters to discover.
type DiscoverOptions struct {
	Connections []*kube.Connection
	// ManagementNamespace is that of the results; world.DefaultNamespace if empty.
	ManagementNamespace string
	// Settings say how gateways are recognised; nil for the defaults.
	Settings *settingsv1.Settings
	// Deadline bounds what is read of each cluster, kube.DefaultDeadline if 0.
	Deadline time.Duration
	// Members asks for Discovered.Input and Discovered.Members, too.
	Members bool
}

// Discovered is what came of one cluster.
type Discovered struct {
	Cluster string
	Output  meshdiscovery.Output
	// Err is why the cluster cannot be used; nothing is known of it then.
	Err *kube.Error
	// Unlisted are the resources that could not be listed, in the order of
	// meshdiscovery.Kinds.
	Unlisted []Unlisted
	// Input is what was read, and Members which pods belong to which mesh, if
	// DiscoverOptions.Members asks for them.
	Input   meshdiscovery.Input
	Members []meshdiscovery.MeshMembers
}

// Unlisted is a resource that could not be listed.
type Unlisted struct {
	Kind meshdiscovery.Kind
	Err  *kube.Error
}

// Complete reports whether everything was seen, so that what is not in the
// Output does not exist.
func (d Discovered) Complete() bool { return d.Err == nil && len(d.Unlisted) == 0 }

// Discover looks at what runs in the clusters, all at the same time, and
// returns what it found in the order of the connections. A cluster that cannot
// be used does not keep the others from being discovered. The error is that of
// ctx.
func Discover(ctx context.Context, opts DiscoverOptions) ([]Discovered, error) {
	scheme, err := discoveryScheme()
	if err != nil {
		return nil, err
	}
	found := kube.Each(opts.Connections, func(c *kube.Connection) Discovered {
		return discoverCluster(ctx, c, scheme, opts)
	})
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, err
	}
	return found, nil
}

func discoverCluster(ctx context.Context, c *kube.Connection, scheme *runtime.Scheme, opts DiscoverOptions) Discovered {
	r := newRawReader(c, scheme)
	found := Discovered{Cluster: c.Name}
	if _, err := kube.Ask(ctx, c, opts.Deadline, r.questions()...); err != nil {
		if !errors.As(err, &found.Err) {
			found.Err = &kube.Error{Cluster: c.Name, Reason: kube.ReasonCancelled, Why: err.Error()}
		}
		return found
	}
	found.Unlisted = r.unlisted()
	if r.sawNothing() && len(found.Unlisted) > 0 {
		// Credentials that may see nothing are no better than none.
		found.Err = found.Unlisted[0].Err
		return found
	}
	r.input.Settings = opts.Settings
	r.input.ManagementNamespace = opts.ManagementNamespace
	if r.input.ManagementNamespace == "" {
		r.input.ManagementNamespace = world.DefaultNamespace
	}
	found.Output = meshdiscovery.Discover(r.input)
	if opts.Members {
		found.Input, found.Members = r.input, meshdiscovery.Members(r.input)
	}
	return found
}

// Clusters discovers the clusters and returns meshes, workloads and
// destinations as if they had been read from the management cluster. What is
// noteworthy, may not be listed, or cannot be reached becomes a Problem. The
// error is that of ctx.
func Clusters(ctx context.Context, opts DiscoverOptions, v *validation.Validator) (world.Objects, error) {
	found, err := Discover(ctx, opts)
	if err != nil {
		return world.Objects{}, err
	}
	return discoveredObjects(found, v)
}

// discoveredObjects unites what was discovered.
func discoveredObjects(found []Discovered, c checker) (world.Objects, error) {
	var (
		outputs  []meshdiscovery.Output
		problems []world.Problem
	)
	for _, d := range found {
		if d.Err != nil {
			problems = append(problems, world.Problem{
				Kind: world.UnusableCluster, Origin: clusterOrigin(d.Cluster), Message: d.Err.Message(), Hint: d.Err.Hint,
			})
			continue
		}
		for _, u := range d.Unlisted {
			p := unlisted(clusterOrigin(d.Cluster), u.Err, false)
			p.Message += "; so these are unknown: " + u.Kind.Without
			problems = append(problems, p)
		}
		for _, n := range d.Output.Notes {
			problems = append(problems, noted(d.Cluster, n))
		}
		outputs = append(outputs, d.Output)
	}
	merged := meshdiscovery.Merge(outputs...)
	a := &assembler{origins: map[objectID]world.Origin{}}
	d := &decoder{parser: newParser(), kinds: newKindTable(), checker: c, namespace: world.DefaultNamespace}
	for _, err := range []error{
		addDiscovered(a, d, merged.Meshes), addDiscovered(a, d, merged.Workloads), addDiscovered(a, d, merged.Destinations),
	} {
		if err != nil {
			return world.Objects{}, err
		}
	}
	a.objects.Problems = slices.Concat(problems, a.objects.Problems)
	return a.objects, a.duplicateError()
}

// addDiscovered sends resources through the checks that those of files pass, so
// that writing them to a file first would change nothing.
func addDiscovered[T any, P resource[T]](a *assembler, d *decoder, resources []T) error {
	for i := range resources {
		object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&resources[i])
		if err != nil {
			return err
		}
		origin := world.Origin{File: "several clusters"} // an App Mesh
		if cluster := P(&resources[i]).GetObjectMeta().GetLabels()[meshdiscovery.ClusterLabel]; cluster != "" {
			origin = clusterOrigin(cluster)
		}
		a.addEntry(d.object(object, origin, listType{}))
	}
	return nil
}

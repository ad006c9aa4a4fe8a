package check

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
)

// DefaultDeadline is the default time limit for the requests to one cluster.
const DefaultDeadline = 15 * time.Second

// Options configure what to check.
type Options struct {
	// Categories are those to check; all if empty.
	Categories []string
	// Namespace is the namespace of meshctl's resources.
	Namespace string
	// Management is nil if the management cluster is not used. Contexts are
	// clusters to discover directly. Without both, no cluster is contacted.
	Management *kube.Connection
	Contexts   []*kube.Connection
	// Connection holds the options for connections to registered clusters.
	Connection kube.Options
	// Load loads the objects of the world; its context has the deadline of a
	// cluster.
	Load func(context.Context) (world.Objects, error)
	// Complete says that the world has all virtual meshes and policies that there are,
	// as rollout.Input has it.
	Complete bool
	// Vault connects to the Vaults that sign certificates; it may be nil.
	Vault sharedtrust.Vaults
	// Deadline limits the requests to each cluster; DefaultDeadline if 0.
	Deadline time.Duration
	// ExpiryWarning is the remaining lifetime of a token or certificate below
	// which it causes a warning.
	ExpiryWarning time.Duration
	// Clock returns the current time.
	Clock func() time.Time
	// Observe is called with the progress; it may be nil.
	Observe Observer
}

// Observer is called with the next phase, from one goroutine.
type Observer func(phase string)

func (o Observer) begin(phase string) {
	if o != nil {
		o(phase)
	}
}

func (o *Options) deadline() time.Duration {
	if o.Deadline <= 0 {
		return DefaultDeadline
	}
	return o.Deadline
}

// includes reports whether any of the categories is selected.
func (o *Options) includes(categories ...string) bool {
	return len(o.Categories) == 0 || slices.ContainsFunc(categories, func(c string) bool { return slices.Contains(o.Categories, c) })
}

// Gather collects the facts for the checks. A failure of a cluster is a fact, not
// an error; errors are those of ctx and of loading manifests.
func Gather(ctx context.Context, opts Options) (*Facts, error) {
	f := &Facts{
		Now: opts.Clock(), Namespace: opts.Namespace, ExpiryWarning: opts.ExpiryWarning,
		NoClusters: opts.Management == nil && len(opts.Contexts) == 0,
	}
	f.MeshesJudged = opts.includes(CategoryMeshes) && !f.NoClusters
	f.ClustersJudged = opts.includes(CategoryClusters) && !f.NoClusters
	if opts.Management != nil {
		opts.Observe.begin("checking cluster " + opts.Management.Name)
		f.Management = gatherManagement(ctx, opts.Management, &opts)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if opts.includes(CategoryMeshes, CategoryTrust, CategoryConfiguration) {
		if err := f.gatherWorld(ctx, &opts); err != nil {
			return nil, err
		}
	}
	if opts.includes(CategoryClusters, CategoryMeshes, CategoryTrust, CategoryConfiguration) {
		if err := f.gatherMembers(ctx, &opts); err != nil {
			return nil, err
		}
	}
	if opts.includes(CategoryConfiguration) && f.World != nil {
		if err := f.gatherWritten(ctx, &opts); err != nil {
			return nil, err
		}
	}
	if opts.includes(CategoryTrust) {
		if err := f.gatherTrust(ctx, &opts); err != nil {
			return nil, err
		}
	}
	return f, ctx.Err()
}

// gatherWorld loads the world, unless the management cluster that holds it is
// unusable.
func (f *Facts) gatherWorld(ctx context.Context, opts *Options) error {
	if m := f.Management; m != nil && (m.Err != nil || m.notInstalled()) {
		return nil
	}
	from := "the manifests"
	if opts.Management != nil {
		from = "cluster " + opts.Management.Name
	}
	opts.Observe.begin("reading the configuration of " + from)
	load := ctx
	if !f.NoClusters {
		limited, stop := context.WithTimeout(ctx, opts.deadline())
		defer stop()
		load = limited
	}
	objects, err := opts.Load(load)
	if err != nil {
		return err
	}
	f.Stored, f.World = objects, policy.Evaluate(world.New(objects))
	return nil
}

// gatherMembers collects the facts of all clusters in parallel.
func (f *Facts) gatherMembers(ctx context.Context, opts *Options) error {
	connections := slices.Clone(opts.Contexts)
	if m := f.Management; m != nil && m.Err == nil {
		registered, err := f.readRegistrations(ctx, opts)
		if err != nil {
			return err
		}
		connections = append(connections, registered...)
	}
	f.connections = connections
	if len(connections) > 0 {
		opts.Observe.begin(askText(connections))
	}
	asked := kube.Each(connections, func(c *kube.Connection) MemberFacts { return gatherMember(ctx, c, f, opts) })
	f.Members = append(f.Members, asked...)
	slices.SortStableFunc(f.Members, func(a, b MemberFacts) int { return compareMembers(&a, &b) })
	return ctx.Err()
}

// readRegistrations returns connections to the registered clusters. Unusable
// registrations are added as facts.
func (f *Facts) readRegistrations(ctx context.Context, opts *Options) ([]*kube.Connection, error) {
	limited, stop := context.WithTimeout(ctx, opts.deadline())
	defer stop()
	registrations, err := kube.ListMetadata(limited, opts.Management,
		multiclusterv1alpha1.GroupVersion().WithResource("kubernetesclusters"), kube.ListOptions{Namespace: opts.Namespace})
	if err == nil && len(registrations) == 0 {
		return nil, nil
	}
	var names []string
	f.registeredUIDs = map[string]string{}
	for i := range registrations {
		names = append(names, registrations[i].Name)
		f.registeredUIDs[registrations[i].Name] = registrations[i].Labels[registration.ClusterUIDLabel]
	}
	slices.Sort(names)
	var (
		connections []*kube.Connection
		failed      []*kube.Error
	)
	if err == nil {
		connections, failed, err = kube.Registered(limited, opts.Management, opts.Namespace, names, opts.Connection)
	}
	if err != nil {
		if !errors.As(err, &f.MembersErr) {
			f.MembersErr = &kube.Error{
				Cluster: opts.Management.Name, Action: "read the registrations", Reason: kube.ReasonTimeout, Why: err.Error(),
			}
		}
		return nil, ctx.Err()
	}
	usable := map[string]bool{}
	for _, c := range connections {
		usable[c.Name] = true
	}
	// Clusters without a connection are sorted by name, like the errors.
	for _, name := range names {
		if usable[name] || len(failed) == 0 {
			continue
		}
		f.Members = append(f.Members, MemberFacts{
			Cluster: name, Registered: true, RegisteredUID: f.registeredUIDs[name], RegistrationErr: failed[0],
		})
		failed = failed[1:]
	}
	return connections, nil
}

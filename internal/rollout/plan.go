package rollout

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// Input is the world to roll out, and the clusters to write to.
type Input struct {
	World *world.World
	// Result is the evaluated World if somebody evaluated it already; nil otherwise.
	Result *policy.Result
	// Management is the management cluster, whose resources get a status; nil if there
	// is none.
	Management *kube.Connection
	// Members are the connections to the clusters, by name. Failures are the clusters that
	// cannot be connected to, and why.
	Members  map[string]*kube.Connection
	Failures map[string]error
	// Complete says that the World has all virtual meshes and policies, so that a missing one
	// has been deleted. Manifests do not prove that.
	Complete bool
}

// evaluate returns the Result of the World, which may differ from the one that was
// evaluated.
func (in *Input) evaluate() *policy.Result {
	if in.Result != nil && in.Result.World == in.World {
		return in.Result
	}
	return policy.Evaluate(in.World)
}

// Options say what to plan.
type Options struct {
	// Namespace is the namespace of meshctl's resources in the management cluster.
	Namespace string
	// Only names the clusters to write to; empty means all.
	Only []string
	// Keep disables pruning.
	Keep bool
	// AllowIncomplete allows planning although part of the input is missing. Nothing is pruned
	// then.
	AllowIncomplete bool
	// AcceptLoss allows changes that remove protection because input is invalid, incomplete or
	// unreachable, or is missing from the manifests (D70).
	AcceptLoss bool
	// Deadline limits the requests to each cluster; kube.DefaultDeadline if 0.
	Deadline time.Duration
}

// CheckInput returns ErrIncomplete if the world must not be rolled out because part of the
// input is missing.
func (o *Options) CheckInput(w *world.World) error {
	if w.Incomplete() && !o.AllowIncomplete {
		return ErrIncomplete
	}
	return nil
}

func (o *Options) selects(cluster string) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, cluster)
}

// ErrIncomplete says that part of the input is missing. Pruning could delete objects that are
// still wanted.
var ErrIncomplete = errors.New("part of the input is missing")

// UnknownClusterError says that Options.Only names a cluster that has no known Istio mesh.
type UnknownClusterError struct {
	Name string
	// Known are the clusters that have one, sorted.
	Known []string
}

// Error implements error.
func (e *UnknownClusterError) Error() string {
	return fmt.Sprintf("no Istio mesh is known in cluster %q", e.Name)
}

// Plan is the set of changes after which the clusters have exactly the objects rendered for
// them. Run executes it, once, and records the outcomes in it.
type Plan struct {
	// Result is the evaluated world.
	Result *policy.Result
	// Clusters are the clusters with an Istio mesh or rendered objects, sorted by name.
	Clusters []Cluster
	// Idle are the usable clusters without an Istio mesh, sorted.
	Idle []string
	// Omissions are the objects that could not be rendered, and why.
	Omissions []istio.Omission
	// Incomplete is true if part of the input is missing; nothing is pruned then.
	Incomplete bool
	// Statuses are the results of status updates that were needed. StatusErr is why no update
	// was attempted.
	Statuses  []kube.Result
	StatusErr error

	management *kube.Connection
	opts       Options
}

// NewPlan renders the Istio configuration of the world and compares it with that of the
// clusters, in parallel. It writes nothing. An unusable cluster does not prevent the others
// from being planned; it has an Err.
//
// NewPlan returns ErrIncomplete if part of the input is missing and Options do not allow that,
// UnknownClusterError, and the error of ctx.
func NewPlan(ctx context.Context, in Input, opts Options) (*Plan, error) {
	if err := opts.CheckInput(in.World); err != nil {
		return nil, err
	}
	opts.Keep = opts.Keep || in.World.Incomplete()
	in.Failures = withChangedTrustDomains(in)
	in.World = in.World.WithAcceptedTrustDomains()
	p := &Plan{Result: in.evaluate(), Incomplete: in.World.Incomplete(), management: in.Management, opts: opts}
	foreign := p.findForeignGateways(ctx, in.Members)
	if err := p.render(in, foreign); err != nil {
		return nil, err
	}
	var guard *istio.Guard
	if !opts.AcceptLoss {
		guard = istio.NewGuard(p.Result, in.Complete && !in.World.Incomplete())
	}
	p.each(func(c *Cluster) bool { return c.Err == nil }, func(c *Cluster) {
		compare := compareOptions{deadline: opts.Deadline, keep: opts.Keep, guard: guard}
		if err := foreign.unlisted[c.Name]; err != nil {
			compare.unlisted = map[schema.GroupKind]error{istio.KindGateway.GVK().GroupKind(): err}
		}
		c.Err = c.compare(ctx, compare)
		c.markLosses(p.Result)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// render determines the desired objects of each cluster.
func (p *Plan) render(in Input, foreign foreignGateways) error {
	renderer := istio.New(p.Result, istio.Options{Namespace: p.opts.Namespace, Foreign: foreign.byCluster})
	p.Omissions = renderer.Omissions()
	known := map[string]bool{}
	for _, name := range renderer.Clusters() {
		objects, omissions := renderer.Cluster(name)
		if p.opts.selects(name) {
			p.Omissions = append(p.Omissions, omissions...)
		}
		if len(objects) == 0 && !hasIstio(in.World, name) {
			continue // nothing to do in a cluster without Istio
		}
		known[name] = true
		if p.opts.selects(name) {
			p.Clusters = append(p.Clusters, p.newCluster(name, objects, in))
		}
	}
	for _, name := range p.opts.Only {
		if !known[name] {
			return &UnknownClusterError{Name: name, Known: slices.Sorted(maps.Keys(known))}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.Members)) {
		if !known[name] && p.opts.selects(name) {
			p.Idle = append(p.Idle, name)
		}
	}
	return nil
}

func (p *Plan) newCluster(name string, objects []istio.Object, in Input) Cluster {
	c := Cluster{Name: name, Objects: objects, connection: in.Members[name], Err: in.Failures[name], owner: istio.OwnerLabels(p.opts.Namespace, name)}
	if c.connection == nil && c.Err == nil {
		c.Err = kube.NotRegistered(name)
	}
	return c
}

func hasIstio(w *world.World, cluster string) bool {
	return slices.ContainsFunc(w.Meshes, func(m world.Mesh) bool {
		return m.Type == world.MeshIstio && m.Cluster == cluster
	})
}

// each runs a function for all clusters that take part, in parallel.
func (p *Plan) each(takesPart func(*Cluster) bool, do func(*Cluster)) {
	var connections []*kube.Connection
	byConnection := map[*kube.Connection]*Cluster{}
	for i := range p.Clusters {
		if c := &p.Clusters[i]; c.connection != nil && takesPart(c) {
			connections = append(connections, c.connection)
			byConnection[c.connection] = c
		}
	}
	kube.Each(connections, func(c *kube.Connection) struct{} {
		do(byConnection[c])
		return struct{}{}
	})
}

// Writes returns the number of objects to create, change or delete.
func (p *Plan) Writes() int {
	sum := 0
	for i := range p.Clusters {
		sum += p.Clusters[i].Writes()
	}
	return sum
}

// FailedClusters returns the names of the clusters that do not, or would not, match what is
// rendered for them.
func (p *Plan) FailedClusters() []string {
	var failed []string
	for i := range p.Clusters {
		if p.Clusters[i].Failed() {
			failed = append(failed, p.Clusters[i].Name)
		}
	}
	return failed
}

// Failed reports whether a cluster or a status failed, or whether part of the input is
// missing.
func (p *Plan) Failed() bool {
	return len(p.FailedClusters()) > 0 || p.statusFailed() || p.Incomplete
}

func (p *Plan) statusFailed() bool {
	return p.StatusErr != nil || slices.ContainsFunc(p.Statuses, func(r kube.Result) bool {
		return r.Err != nil && r.Err.Reason != kube.ReasonCancelled
	})
}

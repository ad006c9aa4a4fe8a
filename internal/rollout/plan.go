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

// Input is what to roll out, and the clusters to write to.
type Input struct {
	World *world.World
	// Result is the evaluated World if somebody evaluated it already; nil otherwise.
	Result *policy.Result
	// Management is the management cluster, whose resources get a status; nil if there
	// is none.
	Management *kube.Connection
	// Members are the clusters that can be tried, by name, and Failures why others
	// cannot.
	Members  map[string]*kube.Connection
	Failures map[string]error
	// Complete says that the World has all virtual meshes and policies that there are:
	// one that is not in it was deleted. Manifests are no proof of that.
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
	// Namespace is that of meshctl's resources on the management cluster.
	Namespace string
	// Only names the clusters to write to; empty for all.
	Only []string
	// Keep leaves what is not wanted any more.
	Keep bool
	// AllowIncomplete plans although part of the input is missing; as Keep does.
	AllowIncomplete bool
	// AcceptLoss gives up protection that nobody asked to give up: what became invalid,
	// incomplete or unreachable, or is not in the manifests.
	AcceptLoss bool
	// Deadline bounds what each cluster is asked; kube.DefaultDeadline if 0.
	Deadline time.Duration
}

// CheckInput returns ErrIncomplete if the world must not be rolled out.
func (o *Options) CheckInput(w *world.World) error {
	if w.Incomplete() && !o.AllowIncomplete {
		return ErrIncomplete
	}
	return nil
}

func (o *Options) selects(cluster string) bool {
	return len(o.Only) == 0 || slices.Contains(o.Only, cluster)
}

// ErrIncomplete says that part of the input is missing. What only seems to be gone
// would be deleted.
var ErrIncomplete = errors.New("part of the input is missing")

// UnknownClusterError says that Options.Only names a cluster without an Istio mesh.
type UnknownClusterError struct {
	Name string
	// Known are the clusters that have one, sorted.
	Known []string
}

// Error implements error.
func (e *UnknownClusterError) Error() string {
	return fmt.Sprintf("no Istio mesh is known in cluster %q", e.Name)
}

// Plan is what it takes to make clusters have what is rendered for them and
// nothing else of meshctl's. Run carries it out, once, and notes in it what came of
// everything.
type Plan struct {
	// Result is the evaluated world.
	Result *policy.Result
	// Clusters are those that take part, sorted by name.
	Clusters []Cluster
	// Idle are the clusters that could be written to but have no Istio mesh, sorted.
	Idle []string
	// Omissions are what is not rendered for the clusters, and why.
	Omissions []istio.Omission
	// Incomplete says that part of the input is missing, and so nothing is deleted.
	Incomplete bool
	// Statuses are the results of writing those that had to change, or could not be
	// written, and StatusErr why it was not even tried.
	Statuses  []kube.Result
	StatusErr error

	management *kube.Connection
	opts       Options
}

// NewPlan renders the Istio configuration of the world, and compares it with what
// the clusters have, all at the same time. A cluster that cannot be used does not
// keep the others from being planned; it has an Err. Nothing is written.
//
// A world of which part is missing is ErrIncomplete, unless that is allowed.
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
		c.noteLosses(p.Result)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// render finds out which objects which clusters should have.
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
			continue // it takes no part (semantics, section 0)
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

// each does the same for all clusters that take part, at the same time.
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

// Writes counts the objects to create, change and delete.
func (p *Plan) Writes() int {
	sum := 0
	for i := range p.Clusters {
		sum += p.Clusters[i].Writes()
	}
	return sum
}

// FailedClusters returns the names of the clusters in which not everything is, or
// would be, as it should.
func (p *Plan) FailedClusters() []string {
	var failed []string
	for i := range p.Clusters {
		if p.Clusters[i].Failed() {
			failed = append(failed, p.Clusters[i].Name)
		}
	}
	return failed
}

// Failed reports whether not everything is, or would be, as it should, or whether
// that is not known because part of the input is missing.
func (p *Plan) Failed() bool {
	return len(p.FailedClusters()) > 0 || p.statusFailed() || p.Incomplete
}

func (p *Plan) statusFailed() bool {
	return p.StatusErr != nil || slices.ContainsFunc(p.Statuses, func(r kube.Result) bool {
		return r.Err != nil && r.Err.Reason != kube.ReasonCancelled
	})
}

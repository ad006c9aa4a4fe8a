package rollout

import (
	"context"
	"math"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// RunOptions say how to carry out a Plan.
type RunOptions struct {
	// DryRun DryRunServer has the API servers judge and writes nothing.
	DryRun kube.DryRun
	// Begun is told of each cluster before it is written to, and Done when all of it
	// is written; both may be nil. They are called from several goroutines.
	Begun, Done func(*Cluster)
}

// Run carries out the plans of all clusters at the same time. What clusters
// need of each other is there before they use it, and stays as long as they do: all
// of them wait until each has come as far. Routes to what could not be written in
// another cluster are held back, and what routes of another cluster may still lead
// to is kept. At the end the resources of the management cluster say what became of
// them.
//
// What came of everything is noted in the plan. When ctx is cancelled, what was not
// finished is kube.Cancelled, and a later run continues.
func (p *Plan) Run(ctx context.Context, opts RunOptions) {
	if opts.DryRun == "" {
		opts.DryRun = kube.DryRunNone
	}
	writers := map[*Cluster]*writer{}
	for i := range p.Clusters {
		if c := &p.Clusters[i]; c.TakesPart() {
			writers[c] = newWriter(c, opts.DryRun)
		}
	}
	each := func(do func(*writer)) { p.each((*Cluster).TakesPart, func(c *Cluster) { do(writers[c]) }) }
	each(func(w *writer) {
		if opts.Begun != nil {
			opts.Begun(w.Cluster)
		}
		w.write(ctx, istio.LastExportStage)
	})
	p.holdRoutes(writers)
	each(func(w *writer) { w.write(ctx, math.MaxInt) })
	each(func(w *writer) { w.reduce(ctx, istio.LastExportStage+1) })
	p.keepExports(writers)
	each(func(w *writer) {
		w.reduce(ctx, math.MinInt)
		if opts.Done != nil {
			opts.Done(w.Cluster)
		}
	})
	if opts.DryRun == kube.DryRunNone {
		p.writeStatuses(ctx)
	}
}

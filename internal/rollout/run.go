package rollout

import (
	"context"
	"math"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// RunOptions say how to execute a Plan.
type RunOptions struct {
	// DryRun set to DryRunServer sends the requests as a server-side dry run, which writes
	// nothing.
	DryRun kube.DryRun
	// Begun is called for each cluster before it is written to, and Done when it is finished;
	// both may be nil. They are called from several goroutines.
	Begun, Done func(*Cluster)
}

// Run executes the plans of all clusters in parallel. The clusters proceed in step, so that
// whatever one cluster needs of another exists before it is used, and is removed only when it
// is no longer used. Routes to objects that could not be written in another cluster are
// withheld, and objects that routes of another cluster may still need are kept. Finally, Run
// updates the statuses of the resources in the management cluster.
//
// Outcomes are recorded in the plan. If ctx is cancelled, unfinished changes are
// kube.Cancelled; a later run continues.
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
	p.withholdRoutes(writers)
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

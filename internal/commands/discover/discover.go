// Package discover implements `meshctl discover`, which discovers the meshes, workloads and
// destinations of clusters and stores or prints them.
package discover

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
)

type options struct {
	streams *cli.Streams
	kube    *cmdutil.KubeFlags

	// names are registered clusters, contexts are kubeconfig contexts as CONTEXT or
	// NAME=CONTEXT, and dumps are files as NAME=PATH.
	names, contexts, dumps []string
	// onTop is true if the user specified the management cluster explicitly.
	onTop bool

	namespace      string
	prune          bool
	forceConflicts bool
	dryRun         *cmdutil.EnumValue
	output         *cmdutil.EnumValue
	timeout        time.Duration
	// maxObjects limits the objects of the files of --from.
	maxObjects int
}

// NewCmd returns the command `meshctl discover`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &options{
		streams: f.Streams, kube: cmdutil.NewKubeFlags(f),
		dryRun: cmdutil.NewEnumValue("none", "none", "client", "server"), output: cmdutil.NewOutput(""),
	}
	cmd := &cobra.Command{
		Use:     "discover [CLUSTER...]",
		Short:   "Discover the meshes, workloads and services of clusters",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			Find service meshes, workloads and Services in clusters, and store them on the
			management cluster as Mesh, Workload and Destination objects, which policies
			refer to. By default all registered clusters are discovered; --contexts and
			--from discover clusters that are not registered.

			With -o, the result is printed and nothing is written. Otherwise new and changed
			objects are written and stale ones are removed. An object is stale if it carries
			the label of an earlier discovery, and its cluster was read completely and no
			longer has it. Objects with another owner are left alone. If a cluster is
			unreachable, or any list fails, its stored objects are kept as they are.

			--from reads files written by kubectl, and contacts no cluster unless --context
			names one to write to. Such files may be incomplete, so nothing is removed
			because of them. A Settings object among the files of a cluster counts for that
			cluster, unless the management cluster has one. These commands write all the
			objects that discovery needs:

			  kubectl --context east get ns,no,deploy,ds,sts,rs,po,svc,endpointslices -A -o yaml > east/all.yaml
			  kubectl --context east get cm -n istio-system -o yaml > east/istio.yaml`),
		Example: cmdutil.Dedent(`
			# discover all registered clusters
			meshctl discover

			# show what would change on the management cluster
			meshctl discover --dry-run

			# print what runs in two clusters that are not registered
			meshctl discover --contexts east=kind-east,west=kind-west -o yaml

			# discover from files written by kubectl, without a cluster
			meshctl discover --from east=dumps/east --from west=dumps/west -o yaml > discovered.yaml

			# show the mesh of each workload
			meshctl discover --from east=dumps/east -o yaml | meshctl describe workload -f -`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names, opts.onTop = args, cmd.Flags().Changed("context")
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.completeRegistered
	opts.kube.Register(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&opts.contexts, "contexts", nil,
		"discover the clusters of these kubeconfig `CONTEXTS` instead of registered ones; NAME=CONTEXT sets the name of a cluster")
	flags.Lookup("contexts").Annotations = map[string][]string{cmdutil.FlagGroup: {cmdutil.ClusterFlagGroup}}
	cmdutil.CompleteFlag(cmd, "contexts", opts.kube.CompleteContexts)
	flags.StringArrayVar(&opts.dumps, "from", nil,
		"discover the cluster `NAME=PATH` from a file or directory written by kubectl as YAML or JSON, or from standard input if PATH is -; repeatable")
	cmdutil.RegisterMaxObjects(cmd, &opts.maxObjects)
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources")
	flags.BoolVar(&opts.prune, "prune", true, "remove stale objects: those that their cluster no longer has")
	flags.BoolVar(&opts.forceConflicts, "force-conflicts", false, "take over fields that another field manager owns")
	cmdutil.AddDryRunFlag(cmd, opts.dryRun)
	flags.Lookup("dry-run").Usage = "show what would change, and write nothing; server validates with the API server"
	cmdutil.AddOutputFlag(cmd, opts.output, "print the result in this format and write nothing")
	flags.DurationVar(&opts.timeout, "timeout", kube.DefaultDeadline, "how long to wait before treating a cluster as unreachable (`DURATION`)")
	return cmd
}

// completeRegistered completes the names of registered clusters.
func (o *options) completeRegistered(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return (&cmdutil.ClusterCommand{Kube: o.kube, Namespace: o.namespace}).CompleteRegistered(cmd, args[:0], typed)
}

// check validates the combination of arguments and flags.
func (o *options) check() error {
	if o.writes() && len(o.dumps) > 0 && len(o.contexts) == 0 && len(o.names) == 0 && !o.onTop {
		return cli.Usagef("--from needs a destination: print the result with -o, or add --context to write to the management cluster")
	}
	return nil
}

// writes reports whether the result is stored in the management cluster, or would be without
// --dry-run.
func (o *options) writes() bool { return o.output.String() == "" }

// registered reports whether registered clusters are to be discovered.
func (o *options) registered() bool {
	return len(o.names) > 0 || len(o.contexts) == 0 && len(o.dumps) == 0
}

func (o *options) run(ctx context.Context) error {
	d := &discovering{options: o}
	if err := d.prepare(ctx); err != nil {
		return err
	}
	if err := d.discover(ctx); err != nil {
		return err
	}
	incomplete := d.reportMissing()
	var err error
	if o.writes() {
		err = d.write(ctx)
	} else {
		err = d.print()
	}
	if err != nil {
		return err
	}
	return incomplete
}

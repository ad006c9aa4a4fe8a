package commands

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
)

type discoverOptions struct {
	streams *cli.Streams
	kube    *kubeFlags

	// names are registered clusters, contexts clusters of the kubeconfig as
	// CONTEXT or NAME=CONTEXT, dumps files as NAME=PATH.
	names, contexts, dumps []string
	// onTop says that the user named the management cluster explicitly.
	onTop bool

	namespace      string
	prune          bool
	forceConflicts bool
	dryRun         *enumValue
	output         *enumValue
	timeout        time.Duration
}

func newDiscoverCmd(f *Factory) *cobra.Command {
	opts := &discoverOptions{
		streams: f.Streams, kube: newKubeFlags(f),
		dryRun: newEnumValue("none", "none", "client", "server"), output: newOutput(""),
	}
	cmd := &cobra.Command{
		Use:     "discover [CLUSTER...]",
		Short:   "Find the meshes, workloads and services of clusters",
		GroupID: groupClusters,
		Long: dedent(`
			Look at clusters for service meshes, their workloads and their services, and
			keep what is found on the management cluster as Mesh, Workload and Destination
			objects, which policies are about. Without arguments all registered clusters
			are discovered; --contexts and --from take clusters that are not registered.

			With -o, what is found is printed and nothing is written. Otherwise objects
			that are new or differ are written, and those that are stale are removed: they
			carry the label of an earlier discovery, and their cluster was seen completely
			and does not have them any more. Objects that something else made are left as
			they are. A cluster that cannot be reached keeps what is stored about it.

			--from reads what kubectl printed, and contacts no cluster unless --context
			names one to write to. What is in such files may be incomplete, so nothing is
			removed because of them. These commands make files with all that discovery
			looks at:

			  kubectl get ns,no,deploy,ds,sts,rs,po,svc,endpointslices -A -o yaml > east/all.yaml
			  kubectl get cm -n istio-system -o yaml > east/istio.yaml`),
		Example: dedent(`
			# discover all registered clusters
			meshctl discover

			# what would change on the management cluster?
			meshctl discover --dry-run

			# only print what runs in two clusters that need not be registered
			meshctl discover --contexts east=kind-east,west=kind-west -o yaml

			# the same without any cluster, from files that kubectl wrote
			meshctl discover --from east=dumps/east --from west=dumps/west -o yaml > discovered.yaml

			# which workloads are in which mesh?
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
	opts.kube.register(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&opts.contexts, "contexts", nil,
		"discover the clusters of these `CONTEXTS` of the kubeconfig instead of registered ones; NAME=CONTEXT names one")
	flags.Lookup("contexts").Annotations = map[string][]string{flagGroup: {clusterFlagGroup}}
	completeFlag(cmd, "contexts", opts.kube.completeContexts)
	flags.StringArrayVar(&opts.dumps, "from", nil,
		"discover the cluster `NAME=PATH` from a file or directory of YAML or JSON that kubectl wrote, or from standard input if PATH is -; repeatable")
	registerNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources")
	flags.BoolVar(&opts.prune, "prune", true, "remove stored objects of clusters that do not have them any more")
	flags.BoolVar(&opts.forceConflicts, "force-conflicts", false, "take over fields that something else wrote")
	addDryRunFlag(cmd, opts.dryRun)
	flags.Lookup("dry-run").Usage = "show what would change, and write nothing; with server, let the API server judge"
	addOutputFlag(cmd, opts.output, "print what is found in this format, and write nothing")
	flags.DurationVar(&opts.timeout, "timeout", kube.DefaultDeadline, "`DURATION` after which a cluster is taken for dead")
	return cmd
}

// completeRegistered offers the names of registered clusters that were not
// typed yet.
func (o *discoverOptions) completeRegistered(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return (&clusterCommand{kube: o.kube, namespace: o.namespace}).completeRegistered(cmd, args[:0], typed)
}

// check refuses what cannot be meant.
func (o *discoverOptions) check() error {
	if o.writes() && len(o.dumps) > 0 && len(o.contexts) == 0 && len(o.names) == 0 && !o.onTop {
		return cli.Usagef("--from contacts no cluster: print what is found with -o, or name the management cluster to write to with --context")
	}
	return nil
}

// writes reports whether the result is kept on the management cluster, or would
// be but for a dry run.
func (o *discoverOptions) writes() bool { return o.output.String() == "" }

// registered reports whether registered clusters are among the sources.
func (o *discoverOptions) registered() bool {
	return len(o.names) > 0 || len(o.contexts) == 0 && len(o.dumps) == 0
}

func (o *discoverOptions) run(ctx context.Context) error {
	d := &discovering{discoverOptions: o}
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

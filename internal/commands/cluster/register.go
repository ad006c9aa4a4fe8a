package cluster

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

type registerOptions struct {
	cmdutil.ClusterCommand
	remote remoteFlags

	remoteNamespace  string
	clusterDomain    string
	access           *cmdutil.EnumValue
	apiServerAddress string
	insecure         bool
	tokenTTL         time.Duration
	tokenTTLGiven    bool
	adopt            bool
	dryRun           *cmdutil.EnumValue
	output           *cmdutil.EnumValue
	outputDir        string
}

func newRegisterCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &registerOptions{
		ClusterCommand: cmdutil.NewClusterCommand(f),
		access:         cmdutil.NewEnumValue("", registration.Accesses()...),
		dryRun:         cmdutil.NewEnumValue("none", "none", "client", "server"),
		output:         cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "register [NAME]",
		Short: "Register a cluster",
		Long: cmdutil.Dedent(`
			Register the cluster of a kubeconfig context: create a service account there
			with the permissions of --access, test its token, and store the token on the
			management cluster. Your own credentials are used once and never stored.

			You can run the command again: existing objects are kept, missing ones are
			added, and flags that you do not pass keep their values. If a step fails, the
			objects created so far are removed.

			On a terminal, the command asks for the context and the name if you leave them
			out.

			With --dry-run nothing is written; -o yaml or --output-dir give the manifests of
			both clusters, for a repository. The token is not included: it exists only on
			the cluster.`),
		Example: cmdutil.Dedent(`
			# register the cluster of a context as east
			meshctl cluster register east --remote-context kind-east

			# use an address that is reachable from everywhere, and a token that expires
			meshctl cluster register west --remote-context kind-west --api-server-address west.example.com:6443 --token-ttl 720h

			# show the manifests without writing anything
			meshctl cluster register east --remote-context kind-east --dry-run -o yaml

			# keep the manifests of both clusters in a repository
			meshctl cluster register east --remote-context kind-east --dry-run --output-dir clusters/east`),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && f.Streams.CanPrompt() {
				return nil // the command asks for the name
			}
			return oneCluster(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Cluster = strings.Join(args, "")
			opts.tokenTTLGiven = cmd.Flags().Changed("token-ttl")
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	opts.Register(cmd)
	opts.remote.register(cmd, opts.Kube, "`CONTEXT` of the cluster to register")
	flags := cmd.Flags()
	flags.StringVar(&opts.remoteNamespace, "remote-namespace", "", "`NAMESPACE` of the service account on the cluster (default: --namespace)")
	flags.StringVar(&opts.clusterDomain, "cluster-domain", "", "DNS `DOMAIN` of the cluster (default "+registration.DefaultClusterDomain+")")
	cmdutil.AddEnumFlag(cmd, opts.access, "access", "", "permissions of the token: read the cluster, configure Istio as well, or also manage shared trust (the Secret cacerts, restarts) (default full)")
	flags.StringVar(&opts.apiServerAddress, "api-server-address", "", "`ADDRESS` of the API server to store, as HOST, HOST:PORT or https URL (default: that of the context)")
	flags.BoolVar(&opts.insecure, "insecure-skip-tls-verify", false, "do not verify the certificate of the API server, now and later (insecure: the token can be stolen)")
	flags.DurationVar(&opts.tokenTTL, "token-ttl", 0, "`DURATION` after which the token expires, 10m or more; 0 for a token that does not expire (default 0)")
	flags.BoolVar(&opts.adopt, "adopt", false, "take over objects left by a registration of this name with another management cluster")
	cmdutil.AddDryRunFlag(cmd, opts.dryRun)
	cmdutil.AddOutputFlag(cmd, opts.output, "output format, with --output-dir of the list of files; json and yaml need --dry-run")
	flags.StringVar(&opts.outputDir, "output-dir", "", "`DIR` for the manifests of a dry run: remote.yaml and management.yaml")
	_ = cmd.MarkFlagDirname("output-dir")
	return cmd
}

func (o *registerOptions) check() error {
	var errs []error
	if why := registration.CheckClusterName(o.Cluster); why != "" && o.Cluster != "" {
		errs = append(errs, cli.Usagef("%s", why))
	}
	errs = append(errs, checkTokenTTL(o.tokenTTL))
	manifests := o.output.String() == "yaml" || o.output.String() == "json"
	if o.dryRun.String() == "none" && (manifests || o.outputDir != "") {
		errs = append(errs, cli.Usagef("-o %s and --output-dir require --dry-run", o.output))
	}
	return errors.Join(errs...)
}

// checkTokenTTL returns a usage error for a lifetime that is too short.
func checkTokenTTL(ttl time.Duration) error {
	if ttl != 0 && ttl < registration.MinTokenTTL {
		return cli.Usagef("invalid value %s for --token-ttl: must be at least %s", ttl, registration.MinTokenTTL)
	}
	return nil
}

func (o *registerOptions) run(ctx context.Context) error {
	management, err := o.Kube.Management()
	if err != nil {
		return err
	}
	if err := o.askMissing(ctx, management); err != nil {
		return err
	}
	remote, err := o.remote.connect(o.Kube, o.Cluster)
	if err != nil {
		return err
	}
	connection, err := o.Kube.Options()
	if err != nil {
		return err
	}
	opts := registration.RegisterOptions{
		Cluster: o.Cluster, Namespace: o.Namespace, RemoteNamespace: o.remoteNamespace, ClusterDomain: o.clusterDomain,
		Access: registration.Access(o.access.String()), APIServerAddress: o.apiServerAddress, InsecureSkipTLSVerify: o.insecure,
		Adopt:      o.adopt,
		Kubeconfig: o.Kube.KubeconfigPath(), RemoteKubeconfig: o.remote.path(o.Kube), Connection: connection,
	}
	if o.tokenTTLGiven {
		opts.TokenTTL = &o.tokenTTL
	}
	ctx, stop := o.Limited(ctx)
	defer stop()
	if o.dryRun.String() != "none" {
		plan, err := registration.PlanRegistration(ctx, management, remote, opts, o.dryRun.String() == "server", cmdutil.ObservePhases(o.Streams))
		if err != nil {
			return err
		}
		return o.printPlan(plan)
	}
	made, err := registration.Register(ctx, management, remote, opts, cmdutil.ObservePhases(o.Streams))
	if err != nil {
		return cmdutil.ReportLeftovers(o.Streams, err)
	}
	if err := cmdutil.PrintResults(o.Streams, o.output.Format(), kube.DryRunNone, made.Results); err != nil {
		return err
	}
	o.Streams.Say("Registered cluster %s (Kubernetes %s, %s).", made.Cluster, made.Version, made.Server)
	o.Streams.Say("Next: find its meshes, workloads and Services with 'meshctl discover'.")
	return nil
}

// askMissing asks for missing arguments.
func (o *registerOptions) askMissing(ctx context.Context, management *kube.Connection) error {
	if o.Cluster != "" && o.remote.context != "" {
		return nil
	}
	chooser := newChooser(ctx, &o.ClusterCommand, &o.remote, management)
	if chooser == nil {
		return errNoContext()
	}
	return chooser.toRegister(ctx)
}

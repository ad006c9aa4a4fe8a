package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/clusters"
)

type installOptions struct {
	streams *cli.Streams
	kube    *kubeFlags

	namespace      string
	forceConflicts bool
	dryRun         *enumValue
	output         *enumValue
	timeout        time.Duration
}

func newInstallCmd(f *Factory, runF func(*installOptions) error) *cobra.Command {
	opts := &installOptions{
		streams: f.Streams, kube: newKubeFlags(f),
		dryRun: newEnumValue("none", "none", "client", "server"), output: newEnumValue("", "json", "yaml", "name"),
	}
	cmd := &cobra.Command{
		Use:     "install",
		Short:   "Install the definitions of meshctl's resources on the management cluster",
		GroupID: groupClusters,
		Long: dedent(`
			Install on the management cluster what is needed to keep meshctl's resources
			there: their definitions, a namespace, and roles that Kubernetes adds to its
			own view, edit and admin. Nothing runs in the cluster because of it.

			It may be repeated, to upgrade or to repair. Definitions that someone else
			installed are left as they are if they serve the right version.`),
		Example: dedent(`
			# install on the cluster of the current context
			meshctl install

			# look at what would be installed; this contacts no cluster
			meshctl install --dry-run -o yaml`),
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return err
			}
			if runF != nil {
				return runF(opts)
			}
			return opts.run(cmd.Context())
		},
	}
	opts.kube.register(cmd)
	registerNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources")
	cmd.Flags().BoolVar(&opts.forceConflicts, "force-conflicts", false, "replace definitions and roles that someone else installed")
	addDryRunFlag(cmd, opts.dryRun)
	addEnumFlag(cmd, opts.output, "output", "o", "output format; json and yaml need --dry-run=client")
	cmd.Flags().DurationVar(&opts.timeout, "timeout", defaultClusterTimeout, "`DURATION` after which to give up")
	return cmd
}

func (o *installOptions) check() error {
	if format := o.output.String(); (format == "json" || format == "yaml") && o.dryRun.String() != "client" {
		return cli.Usagef("-o %s is for --dry-run=client", format)
	}
	return nil
}

func (o *installOptions) run(ctx context.Context) error {
	if o.dryRun.String() == "client" {
		return o.print()
	}
	management, err := o.kube.management()
	if err != nil {
		return err
	}
	dryRun := clusters.DryRun(o.dryRun.String())
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	results, err := clusters.Install(ctx, management, clusters.InstallOptions{
		Namespace: o.namespace, Force: o.forceConflicts, DryRun: dryRun,
	}, newProgress(o.streams).observe)
	var written []clusters.Result
	for _, r := range results {
		if r.Err == nil {
			written = append(written, r)
		}
	}
	if err := errors.Join(err, printResults(o.streams, o.output.String(), dryRun, written)); err != nil {
		return err
	}
	if dryRun != clusters.DryRunServer {
		fmt.Fprintf(o.streams.Err, "meshctl's resources can be kept on cluster %s, in namespace %s.\n", management.Name, o.namespace)
	}
	return nil
}

// print prints what would be installed.
func (o *installOptions) print() error {
	objects, err := clusters.InstallObjects(o.namespace)
	if err != nil {
		return err
	}
	switch o.output.String() {
	case "json":
		return printManifestList(o.streams.Out.Write, objects)
	case "yaml":
		text, err := manifests(objects)
		if err != nil {
			return err
		}
		_, err = o.streams.Out.Write(text)
		return err
	default:
		for _, object := range objects {
			line := objectName(object.GroupVersionKind().GroupKind(), object.GetName())
			if o.output.String() == "" {
				line += " applied (client dry run)"
			}
			if _, err := fmt.Fprintln(o.streams.Out, line); err != nil {
				return err
			}
		}
		return nil
	}
}

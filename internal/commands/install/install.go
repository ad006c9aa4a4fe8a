// Package install implements `meshctl install` and `meshctl uninstall`.
package install

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/registration"
)

type installOptions struct {
	streams *cli.Streams
	kube    *cmdutil.KubeFlags
	build   func() buildinfo.Info

	namespace      string
	forceConflicts bool
	// policyNamespaces are additional namespaces from which policies take effect; nil without
	// the flag.
	policyNamespaces []string
	// controller installs the controller with the given image and number of replicas.
	controller         bool
	controllerImage    string
	controllerReplicas int32

	dryRun  *cmdutil.EnumValue
	output  *cmdutil.EnumValue
	timeout time.Duration
}

// NewCmd returns the command `meshctl install`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &installOptions{
		streams: f.Streams, kube: cmdutil.NewKubeFlags(f), build: f.Build,
		dryRun: cmdutil.NewEnumValue("none", "none", "client", "server"), output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "install",
		Short:   "Install the CRDs of meshctl on the management cluster",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			Install the CRDs of meshctl on the management cluster, with a namespace and the
			ClusterRoles meshctl-view, meshctl-edit and meshctl-admin. No component runs in
			the cluster, unless --with-controller adds a Deployment of 'meshctl apply
			--watch', which keeps the configuration of all registered clusters up to date.

			Virtual meshes and policies govern all clusters. They take effect from meshctl's
			namespace only, and from those that you list with --policy-namespaces.

			Run it again to upgrade or repair. CRDs installed by others are kept if they
			serve the required version.`),
		Example: cmdutil.Dedent(`
			# install on the cluster of the current context
			meshctl install

			# print the manifests without contacting a cluster
			meshctl install --dry-run -o yaml

			# let policies take effect from two more namespaces
			meshctl install --policy-namespaces team-a,team-b

			# print all manifests, with a controller, for a GitOps repository
			meshctl install --with-controller -o yaml`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := opts.check(); err != nil {
				return err
			}
			if cmd.Flags().Changed("policy-namespaces") && opts.policyNamespaces == nil {
				opts.policyNamespaces = []string{}
			}
			return opts.run(cmd.Context())
		},
	}
	opts.kube.Register(cmd)
	cmdutil.RegisterNamespace(cmd, &opts.namespace, "`NAMESPACE` of meshctl's resources")
	cmd.Flags().StringSliceVar(&opts.policyNamespaces, "policy-namespaces", nil,
		"`NAMESPACES` from which virtual meshes and policies take effect besides meshctl's own; without the flag, they stay as they are; empty for none")
	cmd.Flags().BoolVar(&opts.forceConflicts, "force-conflicts", false, "replace CRDs and roles installed by others")
	cmd.Flags().BoolVar(&opts.controller, "with-controller", false, "also run 'meshctl apply --watch' in the cluster, as a Deployment")
	cmd.Flags().StringVar(&opts.controllerImage, "controller-image", "", "container `IMAGE` of the controller (default: meshctl:VERSION)")
	cmd.Flags().Int32Var(&opts.controllerReplicas, "controller-replicas", 1, "`NUMBER` of replicas of the controller; one is active, the others stand by")
	cmdutil.AddDryRunFlag(cmd, opts.dryRun)
	cmdutil.AddOutputFlag(cmd, opts.output, "output format; json and yaml print the manifests without installing them")
	cmd.Flags().DurationVar(&opts.timeout, "timeout", cmdutil.DefaultClusterTimeout, "`DURATION` after which to give up")
	return cmd
}

func (o *installOptions) check() error {
	switch format := o.output.String(); {
	case (format == "json" || format == "yaml") && o.dryRun.String() == "server":
		return cli.Usagef("-o %s and --dry-run=server cannot be combined", format)
	case !o.controller && o.controllerImage != "":
		return cli.Usagef("--controller-image requires --with-controller")
	case wrongNamespace(o.policyNamespaces) != "":
		return cli.Usagef("invalid value %s for --policy-namespaces: not a name of a namespace", wrongNamespace(o.policyNamespaces))
	case o.controllerReplicas < 0:
		return cli.Usagef("--controller-replicas must not be negative")
	default:
		return nil
	}
}

// wrongNamespace returns the first invalid namespace name; empty if all are valid.
func wrongNamespace(names []string) string {
	for _, name := range names {
		if len(validation.IsDNS1123Label(name)) > 0 {
			return strconv.Quote(name)
		}
	}
	return ""
}

// prints reports whether manifests are printed instead of installed.
func (o *installOptions) prints() bool {
	format := o.output.Format()
	return o.dryRun.String() == "client" || format == output.FormatJSON || format == output.FormatYAML
}

// controllerOptions returns the options of the controller; nil if it is not to be installed.
func (o *installOptions) controllerOptions() *registration.ControllerOptions {
	if !o.controller {
		return nil
	}
	image := o.controllerImage
	if image == "" {
		image = "meshctl:" + strings.NewReplacer("+", "-").Replace(strings.TrimPrefix(o.build().Version, "v"))
	}
	return &registration.ControllerOptions{Namespace: o.namespace, Image: image, Replicas: o.controllerReplicas}
}

func (o *installOptions) run(ctx context.Context) error {
	if o.prints() {
		return o.print()
	}
	management, err := o.kube.Management()
	if err != nil {
		return err
	}
	dryRun := kube.DryRun(o.dryRun.String())
	ctx, stop := context.WithTimeout(ctx, o.timeout)
	defer stop()
	results, err := registration.Install(ctx, management, registration.InstallOptions{
		Namespace: o.namespace, PolicyNamespaces: o.policyNamespaces, Force: o.forceConflicts, DryRun: dryRun, Controller: o.controllerOptions(),
	}, cmdutil.ObservePhases(o.streams))
	var written []kube.Result
	for _, r := range results {
		if r.Err == nil {
			written = append(written, r)
		}
	}
	if err := errors.Join(err, cmdutil.PrintResults(o.streams, o.output.Format(), dryRun, written)); err != nil {
		return err
	}
	if dryRun != kube.DryRunServer {
		o.streams.Say("Installed on cluster %s, in namespace %s.", management.Name, o.namespace)
	}
	return nil
}

// print prints the manifests of the installation.
func (o *installOptions) print() error {
	objects, err := registration.InstallObjects(o.namespace, o.policyNamespaces)
	if err != nil {
		return err
	}
	if controller := o.controllerOptions(); controller != nil {
		objects = append(objects, registration.ControllerObjects(*controller)...)
	}
	v := cmdutil.ManifestsView(objects, nil)
	v.Text = view.Lines(func(t *view.Text) {
		for _, object := range objects {
			t.Linef("%s applied (client dry run)", cmdutil.ObjectName(object.GroupVersionKind().GroupKind(), object.GetName()))
		}
	})
	return output.Print(o.streams, o.output.Format(), v)
}

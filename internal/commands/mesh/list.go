package mesh

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/world"
)

type listOptions struct {
	streams  *cli.Streams
	load     cmdutil.WorldLoader
	settings func() (*settings.Settings, error)

	world        cmdutil.WorldFlags
	names        []string
	needsRestart bool
	output       *cmdutil.EnumValue
}

func newListCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &listOptions{
		streams: f.Streams, load: f.LoadWorld, settings: f.Settings, output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:     "list [NAME...]",
		Aliases: []string{"ls"},
		Short:   "List meshes",
		Long: cmdutil.Dedent(`
			List meshes with their cluster, their virtual mesh, and their number of
			workloads. With --needs-restart, also show how many workloads may use outdated
			certificates, because they are older than the CA of their mesh.`),
		Example: cmdutil.Dedent(`
			# list all meshes
			meshctl mesh list -f manifests -R

			# print only names, as other commands take them
			meshctl mesh list -f manifests -R -o name`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.Settle(cmd)
			if opts.needsRestart && !opts.world.FromManagement() && len(opts.world.Contexts) == 0 {
				return cli.Usagef("--needs-restart needs clusters: use --clusters or --context")
			}
			return opts.run(cmd.Context())
		},
	}
	opts.world.Register(cmd, f)
	cmd.ValidArgsFunction = f.CompleteFromWorld(func(result *policy.Result, args []string, _ string) []cobra.Completion {
		return offerMeshNames(result, args)
	})
	cmd.Flags().BoolVar(&opts.needsRestart, "needs-restart", false, "show how many workloads need a restart (contacts the clusters)")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

// meshList is the JSON and YAML document of the command.
type meshList struct {
	APIVersion string       `json:"apiVersion"`
	Kind       string       `json:"kind"`
	Items      []listedMesh `json:"items"`
}

// listedMesh is one mesh of a list.
type listedMesh struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster,omitempty"`
	Type      string `json:"type"`
	Version   string `json:"version,omitempty"`
	// InstallationNamespace is the namespace of the control plane.
	InstallationNamespace string                       `json:"installationNamespace,omitempty"`
	TrustDomain           string                       `json:"trustDomain,omitempty"`
	VirtualMesh           *describe.VirtualMeshSummary `json:"virtualMesh,omitempty"`
	WorkloadCount         int                          `json:"workloadCount"`
	// NeedRestartCount is the number of workloads that need a restart, including the control
	// plane and gateways; absent if not requested or not known.
	NeedRestartCount *int `json:"needRestartCount,omitempty"`
}

func (o *listOptions) run(ctx context.Context) error {
	w, err := o.load(ctx, o.world, o.streams.In)
	if err != nil {
		return err
	}
	incomplete := cmdutil.ReportProblems(o.streams, w)
	meshes := w.MeshPointers()
	if len(o.names) > 0 {
		if meshes, err = meshesNamed(w, o.names); err != nil {
			return errors.Join(err, incomplete)
		}
	}
	var needs map[*world.Mesh]int
	if o.needsRestart {
		var failed error
		if needs, failed, err = o.countNeeds(ctx, w, meshes); err != nil {
			return err
		}
		incomplete = errors.Join(incomplete, failed)
	}
	described := describe.Meshes(policy.Evaluate(w), meshes, describe.Options{})
	list := meshList{APIVersion: describe.APIVersion, Kind: "MeshList", Items: []listedMesh{}}
	for i, m := range described.Items {
		item := listedMesh{
			Name: m.Name, Namespace: m.Namespace, Cluster: m.Cluster, Type: m.Type, Version: m.Version,
			InstallationNamespace: m.InstallationNamespace, TrustDomain: m.TrustDomain, VirtualMesh: m.VirtualMesh, WorkloadCount: m.WorkloadCount,
		}
		if count, known := needs[meshes[i]]; known {
			item.NeedRestartCount = &count
		}
		list.Items = append(list.Items, item)
	}
	if len(list.Items) == 0 && incomplete == nil {
		o.streams.Say("No meshes found.")
	}
	return errors.Join(output.Print(o.streams, o.output.Format(), list.view(o.needsRestart)), incomplete)
}

// meshesNamed returns the named meshes without duplicates, in the order of the world.
func meshesNamed(w *world.World, names []string) ([]*world.Mesh, error) {
	wanted := map[*world.Mesh]bool{}
	var errs []error
	for _, name := range names {
		mesh, err := world.Resolve("mesh", w.MeshPointers(), (*world.Mesh).Names, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		wanted[mesh] = true
	}
	var found []*world.Mesh
	for _, mesh := range w.MeshPointers() {
		if wanted[mesh] {
			found = append(found, mesh)
		}
	}
	return found, errors.Join(errs...)
}

// countNeeds reads the clusters of Istio meshes and returns how many workloads of each mesh
// need a restart. failed is cli.ErrReported if some clusters could not be read, which has been
// printed.
func (o *listOptions) countNeeds(ctx context.Context, w *world.World, meshes []*world.Mesh) (needs map[*world.Mesh]int, failed, err error) {
	chosen, err := o.settings()
	if err != nil {
		return nil, nil, err
	}
	members, err := o.world.Members(ctx, chosen.Namespace())
	if err != nil {
		return nil, nil, err
	}
	byCluster := map[string][]*world.Mesh{}
	for _, mesh := range meshes {
		if mesh.Type == world.MeshIstio {
			byCluster[mesh.Cluster] = append(byCluster[mesh.Cluster], mesh)
		}
	}
	var connections []*kube.Connection
	complain := func(err error) {
		o.streams.Error(err)
		failed = cli.ErrReported
	}
	for _, name := range slices.Sorted(maps.Keys(byCluster)) {
		c, err := members.Connection(name)
		if err != nil {
			complain(err)
			continue
		}
		connections = append(connections, c)
	}
	opts := restart.InspectOptions{ManagementNamespace: chosen.Namespace(), Settings: w.Settings}
	needs = map[*world.Mesh]int{}
	for i, found := range restart.InspectAll(ctx, connections, opts) {
		if found.Err != nil {
			complain(found.Err)
			continue
		}
		for _, mesh := range byCluster[connections[i].Name] {
			plan, err := restart.NewPlan(&found.Facts, mesh.Ref.Name, mesh.Ref.Namespace, restart.PlanOptions{})
			if err != nil {
				complain(err)
				continue
			}
			if plan.TrustChanged.IsZero() {
				continue // with a self-generated CA, outdated certificates cannot be detected
			}
			needs[mesh] = len(plan.Items) - plan.Count(restart.ActionNone)
		}
	}
	return needs, failed, ctx.Err()
}

// view returns the list in all output formats.
func (l meshList) view(needs bool) view.View {
	v := view.View{
		Document: view.Value(l),
		Names:    view.NameEach(l.Items, func(item *listedMesh) string { return "mesh/" + item.Name + "." + item.Namespace }),
	}
	if len(l.Items) > 0 {
		v.Table = view.Rows(l.table(needs))
	}
	return v
}

// table returns a table with one row per mesh.
func (l meshList) table(needs bool) view.Table {
	table := view.Table{Columns: []view.Column{
		{Name: "NAMESPACE"}, {Name: "NAME"}, {Name: "CLUSTER"}, {Name: "TYPE", Priority: 3}, {Name: "VERSION", Priority: 2}, {Name: "VIRTUAL-MESH"}, {Name: "WORKLOADS", Priority: 1},
	}}
	if needs {
		table.Columns = append(table.Columns, view.Column{Name: "NEED-RESTART"})
	}
	table.Columns = append(table.Columns, view.WideColumns("INSTALLED-IN", "TRUST-DOMAIN")...)
	for _, item := range l.Items {
		virtualMesh := view.None
		if item.VirtualMesh != nil {
			virtualMesh = item.VirtualMesh.Name + "." + item.VirtualMesh.Namespace
		}
		row := []string{
			item.Namespace, item.Name, view.OrUnknown(item.Cluster), item.Type, view.OrUnknown(item.Version), virtualMesh, strconv.Itoa(item.WorkloadCount),
		}
		if needs {
			count := view.Unknown
			if item.NeedRestartCount != nil {
				count = strconv.Itoa(*item.NeedRestartCount)
			}
			row = append(row, count)
		}
		trustDomain := view.OrNone(item.TrustDomain)
		if item.Type == string(world.MeshIstio) {
			trustDomain = view.OrUnknown(item.TrustDomain)
		}
		table.Add(append(row, view.OrUnknown(item.InstallationNamespace), trustDomain)...)
	}
	return table
}

package cluster

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/registration"
)

type listOptions struct {
	cmdutil.ClusterCommand
	names  []string
	output *cmdutil.EnumValue
}

// defaultListTimeout limits the requests to one cluster.
const defaultListTimeout = 15 * time.Second

func newListCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &listOptions{ClusterCommand: cmdutil.NewClusterCommand(f), output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:     "list [NAME...]",
		Aliases: []string{"ls"},
		Short:   "List registered clusters and their current state",
		Long: cmdutil.Dedent(`
			List the registered clusters with their current state: whether they are
			reachable, their versions, and when the registered token expires. All clusters
			are contacted in parallel, and an unreachable cluster does not block the others.`),
		Example: cmdutil.Dedent(`
			# list all registered clusters
			meshctl cluster list

			# list the clusters whose token expires, and when
			meshctl cluster list -o json | jq -r '.items[] | select(.tokenExpires) | [.name, .tokenExpires] | @tsv'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.CompleteRegistered
	opts.Register(cmd)
	timeout := cmd.Flags().Lookup("timeout")
	timeout.Usage = "how long to wait before treating a cluster as unreachable (`DURATION`)"
	timeout.DefValue, opts.Timeout = defaultListTimeout.String(), defaultListTimeout
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

func (o *listOptions) run(ctx context.Context) error {
	management, err := o.Kube.Management()
	if err != nil {
		return err
	}
	connection, err := o.Kube.Options()
	if err != nil {
		return err
	}
	statuses, err := registration.Statuses(ctx, management, registration.StatusOptions{
		Namespace: o.Namespace, Names: o.names, Deadline: o.Timeout, Meshes: meshesOf, Clock: o.Clock, Connection: connection,
	})
	if err != nil {
		return err
	}
	if len(statuses) == 0 {
		o.Streams.Say("No clusters registered in namespace %s of cluster %s.", o.Namespace, management.Name)
	}
	list := clusterStatusList{APIVersion: describe.APIVersion, Kind: "ClusterStatusList", Items: []clusterStatus{}}
	for i := range statuses {
		list.Items = append(list.Items, newClusterStatus(&statuses[i]))
	}
	list.explain(o.Streams)
	return output.Print(o.Streams, o.output.Format(), list.view(o.Clock()))
}

// clusterStatusList is the JSON and YAML document of the command.
type clusterStatusList struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Items      []clusterStatus `json:"items"`
}

// clusterStatus is the status of one registered cluster.
type clusterStatus struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	UID       string `json:"uid,omitempty"`
	Server    string `json:"server,omitempty"`
	// InsecureSkipTLSVerify is true if the certificate of the API server is not verified.
	InsecureSkipTLSVerify bool      `json:"insecureSkipTLSVerify,omitempty"`
	Registered            time.Time `json:"registered"`
	Reachable             bool      `json:"reachable"`
	// Status is Ready, or why the cluster cannot be used; Message has the details.
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
	Version string `json:"version,omitempty"`
	// Latency is the duration of a small request.
	Latency string `json:"latency,omitempty"`
	// Meshes is absent if there are none or they are not known; MeshesUnknown is true in the
	// latter case.
	Meshes        []string `json:"meshes,omitempty"`
	MeshesUnknown bool     `json:"meshesUnknown,omitempty"`
	// TokenExpires is absent if the token does not expire.
	TokenExpires *time.Time `json:"tokenExpires,omitempty"`
	// Notes are errors about what could not be determined.
	Notes []string `json:"notes,omitempty"`
}

// statusReady is the status of a usable cluster.
const statusReady = "Ready"

func newClusterStatus(s *registration.MemberStatus) clusterStatus {
	view := clusterStatus{
		Name: s.Cluster, Namespace: s.Namespace, UID: s.UID, Server: s.Server, InsecureSkipTLSVerify: s.InsecureSkipTLSVerify,
		Registered: s.Created.UTC(), Reachable: s.Reachable, Status: statusReady, Version: s.Version,
		Meshes: s.Meshes, MeshesUnknown: !s.MeshesKnown, TokenExpires: s.TokenExpires,
	}
	if s.Reachable {
		view.Latency = s.Latency.Round(time.Millisecond).String()
	}
	if s.Err != nil {
		view.Status, view.Message = string(s.Err.Reason), s.Err.Error()
	}
	for _, note := range s.Notes {
		view.Notes = append(view.Notes, note.Error())
	}
	return view
}

// explain prints the errors of clusters on standard error.
func (l clusterStatusList) explain(streams *cli.Streams) {
	for _, item := range l.Items {
		if item.Message != "" {
			streams.Warn("%s", item.Message)
		}
		for _, note := range item.Notes {
			streams.Warn("%s", note)
		}
	}
}

// view returns the list in all output formats.
func (l clusterStatusList) view(now time.Time) view.View {
	v := view.View{
		Document: view.Value(l),
		Names:    view.NameEach(l.Items, func(item *clusterStatus) string { return "kubernetescluster.multicluster.solo.io/" + item.Name }),
	}
	if len(l.Items) > 0 {
		v.Table = view.Rows(l.table(now))
	}
	return v
}

// table returns a table with one row per cluster.
func (l clusterStatusList) table(now time.Time) view.Table {
	table := view.Table{Columns: append(
		[]view.Column{
			{Name: "NAME"}, {Name: "STATUS"}, {Name: "VERSION", Priority: 2}, {Name: "MESHES", Content: view.ItemList}, {Name: "TOKEN-EXPIRES", Priority: 1}, {Name: "AGE", Priority: 3},
		},
		view.WideColumns("LATENCY", "SERVER", "UID")...)}
	for _, item := range l.Items {
		meshes := view.Items(item.Meshes)
		if item.MeshesUnknown {
			meshes = view.Unknown
		}
		table.Add(
			item.Name, item.Status, view.OrUnknown(item.Version), meshes, item.expiryText(now),
			duration.HumanDuration(now.Sub(item.Registered)),
			view.OrUnknown(item.Latency), view.OrUnknown(item.Server), view.OrUnknown(item.UID))
	}
	return table
}

// expiryText returns when a token expires, relative to now.
func (s clusterStatus) expiryText(now time.Time) string {
	switch {
	case s.Server == "":
		return view.Unknown
	case s.TokenExpires == nil:
		return "never"
	case !s.TokenExpires.After(now):
		return "expired " + duration.HumanDuration(now.Sub(*s.TokenExpires)) + " ago"
	default:
		return "in " + duration.HumanDuration(s.TokenExpires.Sub(now))
	}
}

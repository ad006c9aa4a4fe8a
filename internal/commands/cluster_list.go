package commands

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/registration"
)

type clusterListOptions struct {
	clusterCommand
	names  []string
	output *enumValue
}

// defaultListTimeout bounds what is asked of one cluster.
const defaultListTimeout = 15 * time.Second

func newClusterListCmd(f *Factory) *cobra.Command {
	opts := &clusterListOptions{clusterCommand: newClusterCommand(f), output: newEnumValue(string(describe.FormatTable), describe.Formats()...)}
	cmd := &cobra.Command{
		Use:     "list [NAME...]",
		Aliases: []string{"ls"},
		Short:   "List the registered clusters and how they are right now",
		Long: dedent(`
			List the registered clusters and how they are right now: whether they answer,
			what they run, and when the registered token expires. All are asked at the same
			time, and one that does not answer does not keep the others from being listed.`),
		Example: dedent(`
			# all registered clusters
			meshctl cluster list

			# those whose token expires, and when
			meshctl cluster list -o json | jq -r '.items[] | select(.tokenExpires) | [.name, .tokenExpires] | @tsv'`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			return opts.run(cmd.Context())
		},
	}
	cmd.ValidArgsFunction = opts.completeRegistered
	opts.register(cmd)
	timeout := cmd.Flags().Lookup("timeout")
	timeout.Usage = "`DURATION` after which a cluster is taken for dead"
	timeout.DefValue, opts.timeout = defaultListTimeout.String(), defaultListTimeout
	addEnumFlag(cmd, opts.output, "output", "o", "output format")
	return cmd
}

func (o *clusterListOptions) run(ctx context.Context) error {
	management, err := o.kube.management()
	if err != nil {
		return err
	}
	connection, err := o.kube.options()
	if err != nil {
		return err
	}
	statuses, err := registration.Statuses(ctx, management, registration.StatusOptions{
		Namespace: o.namespace, Names: o.names, Deadline: o.timeout, Meshes: meshesOf, Clock: o.clock, Connection: connection,
	})
	if err != nil {
		return err
	}
	if len(statuses) == 0 {
		fmt.Fprintf(o.streams.Err, "No clusters are registered in namespace %s of cluster %s.\n", o.namespace, management.Name)
	}
	view := clusterStatusList{APIVersion: "describe.meshctl.io/v1alpha1", Kind: "ClusterStatusList", Items: []clusterStatus{}}
	for i := range statuses {
		view.Items = append(view.Items, newClusterStatus(&statuses[i]))
	}
	view.explain(o.streams)
	return o.print(view)
}

// clusterStatusList is the documented form of -o json and -o yaml.
type clusterStatusList struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Items      []clusterStatus `json:"items"`
}

// clusterStatus is how one registered cluster is.
type clusterStatus struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	UID       string `json:"uid,omitempty"`
	Server    string `json:"server,omitempty"`
	// InsecureSkipTLSVerify says that the certificate of the API server is not
	// verified.
	InsecureSkipTLSVerify bool      `json:"insecureSkipTLSVerify,omitempty"`
	Registered            time.Time `json:"registered"`
	Reachable             bool      `json:"reachable"`
	// Status is Ready, or why the cluster cannot be used; Message says more.
	Status  string `json:"status"`
	Message string `json:"message,omitempty"`
	Version string `json:"version,omitempty"`
	// Latency is what a small request took.
	Latency string   `json:"latency,omitempty"`
	Meshes  []string `json:"meshes,omitempty"`
	// TokenExpires is absent if the token does not expire.
	TokenExpires *time.Time `json:"tokenExpires,omitempty"`
	// Notes say what could not be found out.
	Notes []string `json:"notes,omitempty"`
}

// statusReady is the status of a cluster that answers.
const statusReady = "Ready"

func newClusterStatus(s *registration.MemberStatus) clusterStatus {
	view := clusterStatus{
		Name: s.Cluster, Namespace: s.Namespace, UID: s.UID, Server: s.Server, InsecureSkipTLSVerify: s.InsecureSkipTLSVerify,
		Registered: s.Created.UTC(), Reachable: s.Reachable, Status: statusReady, Version: s.Version, Meshes: s.Meshes, TokenExpires: s.TokenExpires,
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

// explain says on standard error what is wrong with clusters.
func (l clusterStatusList) explain(streams *cli.Streams) {
	for _, item := range l.Items {
		if item.Message != "" {
			fmt.Fprintf(streams.Err, "warning: %s: %s\n", item.Name, printable(item.Message))
		}
		for _, note := range item.Notes {
			fmt.Fprintf(streams.Err, "warning: %s: %s\n", item.Name, printable(note))
		}
	}
}

func (o *clusterListOptions) print(view clusterStatusList) error {
	switch describe.Format(o.output.String()) {
	case describe.FormatJSON, describe.FormatYAML:
		return printDocument(o.streams.Out, o.output.String(), view)
	case describe.FormatName:
		for _, item := range view.Items {
			if _, err := fmt.Fprintln(o.streams.Out, "kubernetescluster.multicluster.solo.io/"+item.Name); err != nil {
				return err
			}
		}
		return nil
	case describe.FormatTable, describe.FormatWide:
	}
	if len(view.Items) == 0 {
		return nil
	}
	return view.writeTable(o.streams.Out, o.output.String() == string(describe.FormatWide), o.clock())
}

// writeTable writes one row for each cluster, in the manner of kubectl.
func (l clusterStatusList) writeTable(out io.Writer, wide bool, now time.Time) error {
	const columnGap = 3
	w := tabwriter.NewWriter(out, 0, 0, columnGap, ' ', 0)
	header := []string{"NAME", "STATUS", "VERSION", "MESHES", "TOKEN-EXPIRES", "AGE"}
	if wide {
		header = append(header, "LATENCY", "SERVER", "UID")
	}
	rows := [][]string{header}
	for _, item := range l.Items {
		row := []string{
			item.Name, item.Status, orNone(item.Version), orNone(strings.Join(item.Meshes, ", ")), item.expiryText(now),
			duration.HumanDuration(now.Sub(item.Registered)),
		}
		if wide {
			row = append(row, orNone(item.Latency), orNone(item.Server), orNone(item.UID))
		}
		rows = append(rows, row)
	}
	for _, row := range rows {
		if _, err := fmt.Fprintln(w, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// expiryText says when a token expires, as people say it.
func (s clusterStatus) expiryText(now time.Time) string {
	switch {
	case s.Server == "":
		return "<unknown>"
	case s.TokenExpires == nil:
		return "never"
	case !s.TokenExpires.After(now):
		return "expired " + duration.HumanDuration(now.Sub(*s.TokenExpires)) + " ago"
	default:
		return "in " + duration.HumanDuration(s.TokenExpires.Sub(now))
	}
}

// orNone stands for a value that is not known.
func orNone(text string) string {
	if text == "" {
		return "<none>"
	}
	return text
}

package describe

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestDescribeNounFlags checks the parsing of the command line.
func TestDescribeNounFlags(t *testing.T) {
	t.Parallel()
	streams, _, _ := cli.Test("")
	var got *query
	cmd := newNounCmd(cmdutil.NewFactory(streams), destinationNoun(), func(q *query) error {
		got = q
		return nil
	})
	cmd.SetArgs([]string{
		"a", "b.shop", "-f", "x.yaml", "-R", "-n", "shop", "--cluster", "east,west", "-l", "app=api", "--search", "ap,we",
		"--details", "--status", "--fail-on-findings", "-o", "yaml",
	})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	want := cmdutil.ObjectFilter{Namespace: "shop", Clusters: []string{"east", "west"}, Selector: "app=api", Search: []string{"ap", "we"}}
	if diff := cmp.Diff(want, got.filter, cmp.AllowUnexported(cmdutil.ObjectFilter{})); diff != "" {
		t.Errorf("filter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a", "b.shop"}, got.names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if !got.details || !got.status || !got.failOnFindings || got.format.String() != "yaml" || !got.world.Recursive {
		t.Errorf("details %v, status %v, failOnFindings %v, format %s, recursive %v; want all set and yaml",
			got.details, got.status, got.failOnFindings, got.format, got.world.Recursive)
	}
}

// parsedDescribeWorkload is a parsed command line of describe workload.
type parsedDescribeWorkload struct {
	Names, Filenames                         []string
	Recursive                                bool
	Namespace, Selector                      string
	Clusters, Search                         []string
	Output                                   string
	Details, AllDestinations, FailOnFindings bool
}

func TestDescribeWorkloadFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, args string
		want       parsedDescribeWorkload
		wantErr    string
	}{
		{
			name: "files only", args: "-f a.yaml",
			want: parsedDescribeWorkload{Filenames: []string{"a.yaml"}, Output: "table"},
		},
		{
			name: "names, and flags between them", args: "web.shop -f a.yaml api.shop.east",
			want: parsedDescribeWorkload{Names: []string{"web.shop", "api.shop.east"}, Filenames: []string{"a.yaml"}, Output: "table"},
		},
		{
			name: "several files, from several flags", args: "-f a.yaml,b.yaml --filename=dir -R -f -",
			want: parsedDescribeWorkload{Filenames: []string{"a.yaml", "b.yaml", "dir", "-"}, Recursive: true, Output: "table"},
		},
		{
			name: "filters", args: "-f a -n shop --cluster east --cluster west,north -l app=web,tier!=back --search api,web",
			want: parsedDescribeWorkload{
				Filenames: []string{"a"}, Namespace: "shop", Clusters: []string{"east", "west", "north"},
				Selector: "app=web,tier!=back", Search: []string{"api", "web"}, Output: "table",
			},
		},
		{
			name: "filters by their long names", args: "--filename a --recursive --namespace shop --selector app",
			want: parsedDescribeWorkload{Filenames: []string{"a"}, Recursive: true, Namespace: "shop", Selector: "app", Output: "table"},
		},
		{
			name: "how much, and how", args: "-f a --details --all-destinations --fail-on-findings -ojson",
			want: parsedDescribeWorkload{Filenames: []string{"a"}, Output: "json", Details: true, AllDestinations: true, FailOnFindings: true},
		},
		{
			name: "after -- everything is a name", args: "-f a -- -n",
			want: parsedDescribeWorkload{Names: []string{"-n"}, Filenames: []string{"a"}, Output: "table"},
		},
		{name: "no files, so the management cluster", args: "web", want: parsedDescribeWorkload{Names: []string{"web"}, Output: "table"}},
		{
			name: "unknown format", args: "-f a -o xml",
			wantErr: `invalid value "xml" for --output: must be one of: table, wide, json, yaml, name`,
		},
		{name: "unknown flag", args: "-f a --namespaces x", wantErr: "unknown flag --namespaces, did you mean --namespace?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseDescribeWorkload(t, strings.Fields(tt.args))
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr || cli.ExitCode(err) != cli.ExitUsage {
					t.Fatalf("error = %v with exit code %d, want %s with %d", err, cli.ExitCode(err), tt.wantErr, cli.ExitUsage)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("options (-want +got):\n%s", diff)
			}
		})
	}
}

// parseDescribeWorkload parses a command line without running the command.
func parseDescribeWorkload(t *testing.T, args []string) (parsed parsedDescribeWorkload, err error) {
	t.Helper()
	streams, _, _ := cli.Test("")
	cmd := newNounCmd(cmdutil.NewFactory(streams), workloadNoun(), func(opts *query) error {
		parsed = parsedDescribeWorkload{
			Filenames: opts.world.Filenames, Recursive: opts.world.Recursive,
			Namespace: opts.filter.Namespace, Selector: opts.filter.Selector,
			Clusters: opts.filter.Clusters, Search: opts.filter.Search,
			Output: opts.format.String(), Details: opts.details,
			AllDestinations: opts.allDestinations, FailOnFindings: opts.failOnFindings,
		}
		if len(opts.names) > 0 {
			parsed.Names = opts.names
		}
		return nil
	})
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetFlagErrorFunc(cmdutil.ExplainFlagError)
	cmd.SetArgs(args)
	return parsed, cmd.ExecuteContext(t.Context())
}

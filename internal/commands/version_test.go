package commands

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

func TestVersionFlags(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		args       []string
		wantClient bool
		wantOutput string
		wantErr    string
	}{
		{name: "nothing", wantOutput: "table"},
		{name: "client", args: []string{"--client"}, wantClient: true, wantOutput: "table"},
		{name: "json", args: []string{"-o", "json"}, wantOutput: "json"},
		{name: "yaml", args: []string{"--output=yaml"}, wantOutput: "yaml"},
		{name: "argument", args: []string{"a", "b"}, wantErr: `version takes no arguments, got "a", "b"`},
		{
			name: "unknown format", args: []string{"-o", "text"},
			wantErr: `invalid value "text" for --output: must be one of: table, wide, json, yaml, name`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, _ := cli.Test("")
			var got *versionOptions
			cmd := newVersionCmd(cmdutil.NewFactory(streams), func(opts *versionOptions) error {
				got = opts
				return nil
			})
			cmd.SilenceErrors, cmd.SilenceUsage = true, true
			cmd.SetFlagErrorFunc(cmdutil.ExplainFlagError)
			cmd.SetArgs(tt.args)
			err := cmd.ExecuteContext(t.Context())
			if tt.wantErr != "" {
				if err == nil || err.Error() != tt.wantErr || cli.ExitCode(err) != cli.ExitUsage {
					t.Fatalf("error = %v with exit code %d, want %s with %d", err, cli.ExitCode(err), tt.wantErr, cli.ExitUsage)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.client != tt.wantClient || got.output.String() != tt.wantOutput {
				t.Errorf("client = %t and output = %q, want %t and %q", got.client, got.output, tt.wantClient, tt.wantOutput)
			}
		})
	}
}

func TestRunVersion(t *testing.T) {
	t.Parallel()
	release := buildinfo.Info{
		Version: "v0.1.0", Commit: "0123456789abcdef0123", Date: "2026-11-22T18:00:00Z",
		GoVersion: "go1.26.0", Platform: "linux/amd64",
	}
	tests := []struct {
		name   string
		info   buildinfo.Info
		output string
		want   string
	}{
		{name: "line", info: release, output: "table", want: "meshctl v0.1.0 (0123456789ab, go1.26.0, linux/amd64)\n"},
		{
			name: "line without a commit", output: "table",
			info: buildinfo.Info{Version: "v0.1.0", GoVersion: "go1.26.0", Platform: "linux/amd64"},
			want: "meshctl v0.1.0 (go1.26.0, linux/amd64)\n",
		},
		{
			name: "line with changed files", output: "wide",
			info: buildinfo.Info{Version: "v0.1.0", Commit: "0123456789abcdef0123-dirty", GoVersion: "go1.26.0", Platform: "linux/amd64"},
			want: "meshctl v0.1.0 (0123456789ab-dirty, go1.26.0, linux/amd64)\n",
		},
		{name: "json", info: release, output: "json", want: `{
  "clientVersion": {
    "version": "v0.1.0",
    "commit": "0123456789abcdef0123",
    "date": "2026-11-22T18:00:00Z",
    "goVersion": "go1.26.0",
    "platform": "linux/amd64"
  }
}
`},
		{name: "yaml", info: release, output: "yaml", want: `clientVersion:
  commit: 0123456789abcdef0123
  date: "2026-11-22T18:00:00Z"
  goVersion: go1.26.0
  platform: linux/amd64
  version: v0.1.0
`},
		{name: "name", info: release, output: "name", want: "meshctl/v0.1.0\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, out, _ := cli.Test("")
			opts := &versionOptions{
				streams: streams,
				build:   func() buildinfo.Info { return tt.info },
				output:  cmdutil.NewEnumValue(tt.output),
			}
			if err := runVersion(t.Context(), opts); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
		})
	}
}

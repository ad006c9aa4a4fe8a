package commands

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/apply"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/diff"
	"github.com/meshctl/meshctl/internal/commands/mesh"
	trust "github.com/meshctl/meshctl/internal/commands/trust/report"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/output"
)

// TestOutputFlags checks that every command with results offers the same formats and, apart
// from the exceptions below, has the same default.
func TestOutputFlags(t *testing.T) {
	t.Parallel()
	defaults := map[string]string{
		"meshctl render istio": "yaml", // the result is manifests
		// Without -o, a manifest is printed or applied.
		"meshctl create accesspolicy": "", "meshctl create trafficpolicy": "", "meshctl create virtualmesh": "",
		"meshctl discover": "", // without -o, the result is stored
	}
	more := map[string][]string{"meshctl check": {"short"}}
	without := []string{
		// These print input for shells.
		"meshctl completion bash", "meshctl completion fish", "meshctl completion powershell", "meshctl completion zsh",
		// These change or name a file of the user.
		"meshctl config path", "meshctl config set", "meshctl config unset",
		"meshctl help",
	}
	streams, _, _ := cli.Test("")
	var got []string
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, child := range cmd.Commands() {
			walk(child)
		}
		if cmd.HasSubCommands() || !cmd.Runnable() {
			return
		}
		path := cmd.CommandPath()
		flag := cmd.Flags().Lookup("output")
		if flag == nil {
			got = append(got, path)
			return
		}
		want, known := defaults[path]
		if !known {
			want = string(output.FormatTable)
		}
		if flag.DefValue != want || flag.Shorthand != "o" {
			t.Errorf("%s: -%s is %q by default, want -o and %q", path, flag.Shorthand, flag.DefValue, want)
		}
		if diff := cmp.Diff(append(output.Formats(), more[path]...), strings.Split(flag.Value.Type(), "|")); diff != "" {
			t.Errorf("%s: values of -o (-want +got)\n%s", path, diff)
		}
	}
	walk(newRootCmd(cmdutil.NewFactory(streams)))
	slices.Sort(got)
	if diff := cmp.Diff(without, got); diff != "" {
		t.Errorf("commands without -o (-want +got)\n%s", diff)
	}
}

// TestStabilityNamesVersions compares docs/stability.md with the versions of the documents.
func TestStabilityNamesVersions(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/stability.md")
	if err != nil {
		t.Fatal(err)
	}
	for kind, version := range map[string]string{
		"WorkloadDescriptionList": describe.APIVersion, "MeshList": describe.APIVersion, "ClusterStatusList": describe.APIVersion,
		"RenderedObjectList": describe.APIVersion, "WorldDiff": diff.APIVersion, "ApplyReport": apply.APIVersion, "MeshRestart": mesh.APIVersion,
		"TrustReport": trust.APIVersion, "TrustStatusList": trust.APIVersion, "ResultList": cmdutil.ResultVersion, "FileList": cmdutil.FilesVersion,
	} {
		if row := "| `" + version + "` | " + kind + " |"; !strings.Contains(string(page), row) {
			t.Errorf("docs/stability.md has no row with %s", row)
		}
	}
}

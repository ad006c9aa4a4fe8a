package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

type versionOptions struct {
	streams *cli.Streams
	build   func() buildinfo.Info

	// client is accepted for compatibility with kubectl; there is no server version.
	client bool
	output *cmdutil.EnumValue
}

func newVersionCmd(f *cmdutil.Factory, runF func(*versionOptions) error) *cobra.Command {
	opts := &versionOptions{streams: f.Streams, build: f.Build, output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:     "version [flags]",
		Short:   "Print the version of meshctl",
		GroupID: cmdutil.GroupOther,
		Long: cmdutil.Dedent(`
			Print the version and the commit of this binary. No cluster is contacted.`),
		Example: cmdutil.Dedent(`
			# print the version
			meshctl version

			# print only the version number
			meshctl version -o json | jq -r .clientVersion.version`),
		Args:                  cmdutil.NoArgs,
		DisableFlagsInUseLine: true,
		Annotations:           map[string]string{cmdutil.WithoutSettings: "true"},
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runVersion(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.client, "client", false, "print the version of this binary only")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

// versionView is the JSON and YAML document of the command.
type versionView struct {
	ClientVersion buildinfo.Info `json:"clientVersion"`
}

func runVersion(_ context.Context, opts *versionOptions) error {
	info := opts.build()
	return output.Print(opts.streams, opts.output.Format(), view.View{
		Document: view.Value(versionView{info}),
		Text:     view.Lines(func(t *view.Text) { t.Line(versionLine(info)) }),
		Names:    view.NameEach([]buildinfo.Info{info}, func(info *buildinfo.Info) string { return "meshctl/" + info.Version }),
	})
}

// shortCommit is the length of commit hashes in text output.
const shortCommit = 12

// versionLine returns the version as text.
func versionLine(info buildinfo.Info) string {
	var details []string
	if info.Commit != "" {
		hash, dirty := strings.CutSuffix(info.Commit, buildinfo.DirtySuffix)
		short := hash[:min(len(hash), shortCommit)]
		if dirty {
			short += buildinfo.DirtySuffix
		}
		details = append(details, short)
	}
	details = append(details, info.GoVersion, info.Platform)
	return fmt.Sprintf("meshctl %s (%s)", info.Version, strings.Join(details, ", "))
}

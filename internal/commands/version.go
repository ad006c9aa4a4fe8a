package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

type versionOptions struct {
	streams *cli.Streams
	build   func() BuildInfo

	// client is accepted for the habit of kubectl's users; there is no other
	// version yet.
	client bool
	output *enumValue
}

func newVersionCmd(f *Factory, runF func(*versionOptions) error) *cobra.Command {
	opts := &versionOptions{streams: f.Streams, build: f.Build, output: newOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:     "version [flags]",
		Short:   "Print the version of meshctl",
		GroupID: groupOther,
		Long: dedent(`
			Print the version and the commit of this binary. No cluster is contacted.`),
		Example: dedent(`
			# print the version
			meshctl version

			# print only the version number
			meshctl version -o json | jq -r .clientVersion.version`),
		Args:                  noArgs,
		DisableFlagsInUseLine: true,
		Annotations:           map[string]string{withoutSettings: "true"},
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runF != nil {
				return runF(opts)
			}
			return runVersion(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.client, "client", false, "print the version of this binary only")
	addOutputFlag(cmd, opts.output, "output format")
	return cmd
}

// versionView is the documented form of -o json and -o yaml.
type versionView struct {
	ClientVersion BuildInfo `json:"clientVersion"`
}

func runVersion(_ context.Context, opts *versionOptions) error {
	info := opts.build()
	return output.Print(opts.streams, opts.output.format(), view.View{
		Document: view.Value(versionView{info}),
		Text:     view.Lines(func(t *view.Text) { t.Line(versionLine(info)) }),
		Names:    view.NameEach([]BuildInfo{info}, func(info *BuildInfo) string { return "meshctl/" + info.Version }),
	})
}

// shortCommit is how many digits of a commit people read.
const shortCommit = 12

// versionLine is for people.
func versionLine(info BuildInfo) string {
	var details []string
	if info.Commit != "" {
		hash, dirty := strings.CutSuffix(info.Commit, dirtySuffix)
		short := hash[:min(len(hash), shortCommit)]
		if dirty {
			short += dirtySuffix
		}
		details = append(details, short)
	}
	details = append(details, info.GoVersion, info.Platform)
	return fmt.Sprintf("meshctl %s (%s)", info.Version, strings.Join(details, ", "))
}

package commands

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli"
)

type versionOptions struct {
	streams *cli.Streams
	build   func() BuildInfo

	// client is accepted for the habit of kubectl's users; there is no other
	// version yet.
	client bool
	// output is json, yaml, or empty for a line for people.
	output *enumValue
}

func newVersionCmd(f *Factory, runF func(*versionOptions) error) *cobra.Command {
	opts := &versionOptions{streams: f.Streams, build: f.Build, output: newEnumValue("", "json", "yaml")}
	cmd := &cobra.Command{
		Use:     "version [flags]",
		Short:   "Print the version of meshctl",
		GroupID: groupOther,
		Long: dedent(`
			Print the version of this binary and what it was built from. No cluster and no
			network is contacted.`),
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
	addEnumFlag(cmd, opts.output, "output", "o", "output format")
	return cmd
}

// versionView is the documented form of -o json and -o yaml.
type versionView struct {
	ClientVersion BuildInfo `json:"clientVersion"`
}

func runVersion(_ context.Context, opts *versionOptions) error {
	info := opts.build()
	switch opts.output.String() {
	case "json":
		text, err := json.MarshalIndent(versionView{info}, "", "  ")
		if err != nil {
			return fmt.Errorf("encode the version as JSON: %w", err)
		}
		_, err = fmt.Fprintf(opts.streams.Out, "%s\n", text)
		return err
	case "yaml":
		text, err := yaml.Marshal(versionView{info})
		if err != nil {
			return fmt.Errorf("encode the version as YAML: %w", err)
		}
		_, err = opts.streams.Out.Write(text)
		return err
	default:
		return writeVersionLine(opts.streams.Out, info)
	}
}

// shortCommit is how many digits of a commit people read.
const shortCommit = 12

func writeVersionLine(w io.Writer, info BuildInfo) error {
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
	_, err := fmt.Fprintf(w, "meshctl %s (%s)\n", info.Version, strings.Join(details, ", "))
	return err
}

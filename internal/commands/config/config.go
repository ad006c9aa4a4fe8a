// Package config implements `meshctl config`, which shows and edits the settings.
package config

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// NewCmd returns the command `meshctl config` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show and change default settings",
		GroupID: cmdutil.GroupOther,
		Long:    configHelp(),
		Example: cmdutil.Dedent(`
			# show every setting and its source
			meshctl config view

			# use the same manifests by default
			meshctl config set filename manifests
			meshctl config set recursive true`),
	}
	cmd.AddCommand(
		newViewCmd(f),
		newSetCmd(f),
		newUnsetCmd(f),
		newPathCmd(f),
	)
	return cmdutil.WithSubcommands(cmd, "command")
}

// configHelp returns the help text with a list of all settings.
func configHelp() string {
	var b strings.Builder
	b.WriteString(cmdutil.Dedent(`
		Show and change default settings. Flags override environment variables, and
		environment variables override the configuration file. The file is
		$XDG_CONFIG_HOME/meshctl/config.yaml, or ~/.config/meshctl/config.yaml; use
		MESHCTL_CONFIG or --config FILE for another one.

		Settings and their variables:`))
	b.WriteString("\n")
	for _, s := range settings.Catalogue() {
		fmt.Fprintf(&b, "\n  %s, %s (%s)\n    %s", s.Key, s.Env(), s.Values(), s.Usage)
		if text := s.DefaultText(); text != "" {
			fmt.Fprintf(&b, "\n    default: %s", text)
		}
	}
	b.WriteString("\n\n")
	b.WriteString(cmdutil.Dedent(`
		Paths are relative to the working directory, as with -f. In one variable,
		separate several paths by commas or by the separator of PATH.`))
	return b.String()
}

func newPathCmd(f *cmdutil.Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "path",
		Short: "Print the path of the configuration file",
		Example: cmdutil.Dedent(`
			# print the path of the configuration file
			meshctl config path`),
		Args:              cmdutil.NoArgs,
		Annotations:       map[string]string{cmdutil.WithoutSettings: "true"},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			location := f.ConfigLocation()
			if location.Path == "" {
				return settings.ErrNoHome
			}
			paths := []string{location.Path}
			return output.Print(f.Streams, output.FormatName, view.View{Names: view.NameEach(paths, func(path *string) string { return *path })})
		},
	}
}

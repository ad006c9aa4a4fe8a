package commands

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/settings"
)

func newConfigCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "config",
		Short:   "Show and change the settings that commands start from",
		GroupID: groupOther,
		Long:    configHelp(),
		Example: dedent(`
			# every setting, and where its value comes from
			meshctl config view

			# read the same manifests without naming them each time
			meshctl config set filename manifests
			meshctl config set recursive true`),
	}
	cmd.AddCommand(
		newConfigViewCmd(f),
		newConfigSetCmd(f),
		newConfigUnsetCmd(f),
		newConfigPathCmd(f),
	)
	return withSubcommands(cmd, "command")
}

// configHelp explains the settings from their table.
func configHelp() string {
	var b strings.Builder
	b.WriteString(dedent(`
		Show and change the settings that commands start from. A value comes from the
		command line, else from the environment, else from the configuration file, else
		it is the default. The file is $XDG_CONFIG_HOME/meshctl/config.yaml, or
		~/.config/meshctl/config.yaml; MESHCTL_CONFIG or --config FILE names another.

		Settings and their variables:`))
	b.WriteString("\n")
	for _, s := range settings.Catalogue() {
		fmt.Fprintf(&b, "\n  %s, %s (%s)\n    %s", s.Key, s.Env(), s.Values(), s.Usage)
		if text := s.DefaultText(); text != "" {
			fmt.Fprintf(&b, "\n    default: %s", text)
		}
	}
	b.WriteString("\n\n")
	b.WriteString(dedent(`
		Paths are relative to the working directory, as with -f. Several paths in one
		variable are separated by commas, or by what separates the paths in PATH.`))
	return b.String()
}

func newConfigPathCmd(f *Factory) *cobra.Command {
	return &cobra.Command{
		Use:   "path",
		Short: "Print where the configuration file is, or would be",
		Example: dedent(`
			# where the configuration file is
			meshctl config path`),
		Args:              noArgs,
		Annotations:       map[string]string{withoutSettings: "true"},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			location := f.configLocation()
			if location.Path == "" {
				return settings.ErrNoHome
			}
			_, err := fmt.Fprintln(f.Streams.Out, location.Path)
			return err
		},
	}
}

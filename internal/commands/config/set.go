package config

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// configChange is an invocation of config set or config unset.
type configChange struct {
	streams  *cli.Streams
	getenv   func(name string) string
	location settings.Location

	key string
	// values are the values to set; none to unset.
	values []string
}

func newSetCmd(f *cmdutil.Factory) *cobra.Command {
	change := &configChange{streams: f.Streams, getenv: f.Getenv}
	return &cobra.Command{
		Use:   "set KEY VALUE...",
		Short: "Set a value in the configuration file",
		Long: cmdutil.Dedent(`
			Set a value in the configuration file. The file is created if it does not exist;
			its other contents and comments are preserved. A list takes several values.
			'meshctl config --help' lists the settings.`),
		Example: cmdutil.Dedent(`
			# read these manifests by default
			meshctl config set filename manifests/east manifests/west

			# never prompt
			meshctl config set no-input true`),
		Args:        setArgs,
		Annotations: map[string]string{cmdutil.WithoutSettings: "true"},
		RunE: func(cmd *cobra.Command, args []string) error {
			change.location, change.key, change.values = f.ConfigLocation(), args[0], args[1:]
			return change.set(cmd.Context())
		},
		ValidArgsFunction: completeSet,
	}
}

func newUnsetCmd(f *cmdutil.Factory) *cobra.Command {
	change := &configChange{streams: f.Streams, getenv: f.Getenv}
	return &cobra.Command{
		Use:   "unset KEY",
		Short: "Remove a setting from the configuration file",
		Example: cmdutil.Dedent(`
			# use the default for colour
			meshctl config unset color`),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return cli.Usagef("%s takes the key of one setting; 'meshctl config --help' lists them", cmd.CommandPath())
			}
			return nil
		},
		Annotations: map[string]string{cmdutil.WithoutSettings: "true"},
		RunE: func(cmd *cobra.Command, args []string) error {
			change.location, change.key = f.ConfigLocation(), args[0]
			return change.unset(cmd.Context())
		},
		ValidArgsFunction: completeUnset,
	}
}

// setArgs validates the key and the values of config set.
func setArgs(cmd *cobra.Command, args []string) error {
	if len(args) < 2 {
		return cli.Usagef("%s takes the key of a setting and its value; 'meshctl config --help' lists the settings", cmd.CommandPath())
	}
	s, known := settings.Find(args[0])
	if !known {
		return cli.Usagef("%w", settings.Unknown(args[0]))
	}
	if _, err := s.Parse(s.Items(args[1:])...); err != nil {
		return cli.Usagef("invalid value for %s: %w", s.Key, err)
	}
	return nil
}

func (c *configChange) set(ctx context.Context) error {
	s, _ := settings.Find(c.key)
	value, err := s.Parse(s.Items(c.values)...)
	if err != nil {
		return err
	}
	path, err := settings.Edit(ctx, c.location, func(config *settings.Document) error { return config.Set(c.key, value) })
	if err != nil {
		return err
	}
	if name := s.Env(); c.getenv(name) != "" {
		c.streams.Warn("%s is set in the environment and takes precedence", name)
	}
	return c.print("%s set in %s", c.key, path)
}

func (c *configChange) unset(ctx context.Context) error {
	_, known := settings.Find(c.key)
	if !known && !c.location.Exists() {
		return cli.Usagef("%w", settings.Unknown(c.key))
	}
	found, path := false, c.location.Path
	var err error
	if c.location.Exists() {
		path, err = settings.Edit(ctx, c.location, func(config *settings.Document) error {
			if found = config.Unset(c.key); !found && !known {
				return cli.Usagef("%w", settings.Unknown(c.key))
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	outcome := "removed from"
	if !found {
		outcome = "is not set in"
	}
	return c.print("%s %s %s", c.key, outcome, path)
}

// print prints the result as one line.
func (c *configChange) print(format string, args ...any) error {
	return output.Print(c.streams, output.FormatTable, view.View{Text: view.Lines(func(t *view.Text) { t.Linef(format, args...) })})
}

// completeSet completes the key, then its values.
func completeSet(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return describedSettings(settings.Catalogue()), cobra.ShellCompDirectiveNoFileComp
	}
	s, _ := settings.Find(args[0])
	switch {
	case s.Files:
		return nil, cobra.ShellCompDirectiveDefault
	case len(args) > 1:
		return nil, cobra.ShellCompDirectiveNoFileComp
	case s.Kind == settings.Switch:
		return []cobra.Completion{"true", "false"}, cobra.ShellCompDirectiveNoFileComp
	default:
		return s.Allowed, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeUnset completes the key.
func completeUnset(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return describedSettings(settings.Catalogue()), cobra.ShellCompDirectiveNoFileComp
}

func describedSettings(table []settings.Setting) []cobra.Completion {
	var words []cobra.Completion
	for _, s := range table {
		words = append(words, cobra.CompletionWithDesc(s.Key, s.Usage))
	}
	return words
}

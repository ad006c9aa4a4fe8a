package commands

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
)

// newRootCmd builds the tree of all commands.
func newRootCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "meshctl",
		Short: "Manage service meshes across Kubernetes clusters",
		Long: dedent(`
			meshctl groups the service meshes of several clusters into virtual meshes, and
			shows which policies affect each workload and why. It needs no controller in any
			cluster, and read-only commands also work on a directory of manifests.`),
		// Main prints errors, and usage only where usage was the error.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetIn(f.Streams.In)
	cmd.SetOut(f.Streams.Out)
	cmd.SetErr(f.Streams.Err)
	cmd.SetFlagErrorFunc(explainFlagError)
	setHelp(cmd, f.Streams)

	color := newEnumValue(string(cli.ColorAuto), settings.Allowed(settings.Color)...)
	color.onSet = func(mode string) { f.Streams.Color = cli.ColorMode(mode) }
	addPersistentEnumFlag(cmd, color, "color", "", settings.UsageOf(settings.Color))
	global := cmd.PersistentFlags()
	takeSetting(global, "color", settings.Color)
	global.StringVar(&f.ConfigFile, "config", "", "configuration `FILE` (default: ~/.config/meshctl/config.yaml)")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	global.BoolVar(&f.Streams.NoInput, "no-input", false, settings.UsageOf(settings.NoInput))
	takeSetting(global, "no-input", settings.NoInput)
	global.CountVarP(&f.Streams.Verbosity, "verbose", "v", "print more details to standard error; repeat for even more")

	cmd.AddGroup(
		&cobra.Group{ID: groupExplain, Title: "Explain what is configured"},
		&cobra.Group{ID: groupAuthor, Title: "Create virtual meshes and policies"},
		&cobra.Group{ID: groupRender, Title: "Render and apply"},
		&cobra.Group{ID: groupClusters, Title: "Manage clusters and trust"},
		&cobra.Group{ID: groupOther, Title: "Other commands"},
	)
	cmd.AddCommand(
		newApplyCmd(f),
		newCheckCmd(f),
		newClusterCmd(f),
		newCompletionCmd(f),
		newConfigCmd(f),
		newCreateCmd(f),
		newDescribeCmd(f),
		newDiffCmd(f),
		newDiscoverCmd(f),
		newInstallCmd(f),
		newMeshCmd(f),
		newRenderCmd(f),
		newTrustCmd(f),
		newUninstallCmd(f),
		newVersionCmd(f, nil),
	)
	addHelpCommand(cmd)
	loadSettingsFirst(cmd, f)
	return withTopics(withSubcommands(cmd, "command"))
}

// withTopics makes the root command point at the help command when its argument
// is a topic, and returns it.
func withTopics(root *cobra.Command) *cobra.Command {
	others := root.Args
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 && isTopic(args[0]) {
			return cli.Usagef("unknown command %q, did you mean '%s help %s'?", args[0], root.Name(), args[0])
		}
		return others(cmd, args)
	}
	return root
}

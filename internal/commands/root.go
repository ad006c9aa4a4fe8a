package commands

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/apply"
	"github.com/meshctl/meshctl/internal/commands/check"
	"github.com/meshctl/meshctl/internal/commands/cluster"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/config"
	"github.com/meshctl/meshctl/internal/commands/create"
	"github.com/meshctl/meshctl/internal/commands/describe"
	"github.com/meshctl/meshctl/internal/commands/diff"
	"github.com/meshctl/meshctl/internal/commands/discover"
	"github.com/meshctl/meshctl/internal/commands/install"
	"github.com/meshctl/meshctl/internal/commands/mesh"
	"github.com/meshctl/meshctl/internal/commands/render"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/commands/trust"
)

// newRootCmd builds the tree of all commands.
func newRootCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "meshctl",
		Short: "Manage service meshes across Kubernetes clusters",
		Long: cmdutil.Dedent(`
			meshctl groups the service meshes of several clusters into virtual meshes, and
			shows which policies affect each workload and why. It needs no controller in any
			cluster, and read-only commands also work on a directory of manifests.`),
		// Main prints errors, and the usage only for usage errors.
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	cmd.SetIn(f.Streams.In)
	cmd.SetOut(f.Streams.Out)
	cmd.SetErr(f.Streams.Err)
	cmd.SetFlagErrorFunc(cmdutil.ExplainFlagError)
	setHelp(cmd, f.Streams)

	color := cmdutil.NewEnumValue(string(cli.ColorAuto), settings.Allowed(settings.Color)...)
	color.OnSet = func(mode string) { f.Streams.Color = cli.ColorMode(mode) }
	cmdutil.AddPersistentEnumFlag(cmd, color, "color", "", settings.UsageOf(settings.Color))
	global := cmd.PersistentFlags()
	cmdutil.BindSetting(global, "color", settings.Color)
	global.StringVar(&f.ConfigFile, "config", "", "configuration `FILE` (default: ~/.config/meshctl/config.yaml)")
	_ = cmd.MarkPersistentFlagFilename("config", "yaml", "yml")
	global.BoolVar(&f.Streams.NoInput, "no-input", false, settings.UsageOf(settings.NoInput))
	cmdutil.BindSetting(global, "no-input", settings.NoInput)
	global.CountVarP(&f.Streams.Verbosity, "verbose", "v", "print more details to standard error; repeat for even more")

	cmd.AddGroup(
		&cobra.Group{ID: cmdutil.GroupExplain, Title: "Explain what is configured"},
		&cobra.Group{ID: cmdutil.GroupAuthor, Title: "Create virtual meshes and policies"},
		&cobra.Group{ID: cmdutil.GroupRender, Title: "Render and apply"},
		&cobra.Group{ID: cmdutil.GroupClusters, Title: "Manage clusters and trust"},
		&cobra.Group{ID: cmdutil.GroupOther, Title: "Other commands"},
	)
	cmd.AddCommand(
		apply.NewCmd(f),
		check.NewCmd(f),
		cluster.NewCmd(f),
		newCompletionCmd(f),
		config.NewCmd(f),
		create.NewCmd(f),
		describe.NewCmd(f),
		diff.NewCmd(f),
		discover.NewCmd(f),
		install.NewCmd(f),
		mesh.NewCmd(f),
		render.NewCmd(f),
		trust.NewCmd(f),
		install.NewUninstallCmd(f),
		newVersionCmd(f, nil),
	)
	addHelpCommand(cmd)
	cmdutil.LoadSettingsFirst(cmd, f)
	f.Streams.Complete = f.CompleteCommands(cmd)
	return withTopics(cmdutil.WithSubcommands(cmd, "command"))
}

// withTopics makes the root command suggest the help command if its argument is a topic, and
// returns it.
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

package create

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
)

// creation describes the create command of one kind: its help, its flags and
// questions, and how the resource is added to a world.
type creation[I any, O render.Object] struct {
	kind                 render.Kind[I, O]
	aliases              []string
	short, long, example string

	// questions asks for what the draft lacks; revisit asks what to change in a
	// complete draft.
	questions, revisit func(wizard.Prompter, wizard.Catalogue, *wizard.Draft[I]) error
	// missing names the flags that a valid resource still needs; empty if none.
	missing func(resource O) string
	// existing returns the names of the world's resources of the kind.
	existing func(w *world.World) []world.Names
	// joining returns a copy of the resource to add to a world, created now if it is
	// new.
	joining func(w *world.World, resource O, now time.Time) world.Objects
}

// The values of --dry-run.
const (
	dryRunNone   = "none"
	dryRunClient = "client"
	dryRunServer = "server"
)

// options is one use of a create command.
type options[I any, O render.Object] struct {
	streams *cli.Streams
	load    cmdutil.WorldLoader
	// policyNamespaces returns the namespace of meshctl's resources on the management
	// cluster, and the others from which policies take effect.
	policyNamespaces func(ctx context.Context) (home string, listed []string, err error)
	clock            cli.Clock
	edit             cmdutil.ManifestEditor
	prompter         func(ctx context.Context) wizard.Prompter

	creation[I, O]
	world     cmdutil.WorldFlags
	name      string
	namespace string
	// arguments are the flags of the kind in the order they were given.
	arguments   []render.Argument
	from        string
	save        string
	overwrite   bool
	editFirst   bool
	force       bool
	yes         bool
	interactive bool
	dryRun      *cmdutil.EnumValue
	format      *cmdutil.EnumValue
}

// newKindCmd returns the command that creates resources of one kind.
func newKindCmd[I any, O render.Object](f *cmdutil.Factory, c creation[I, O]) *cobra.Command {
	opts := &options[I, O]{
		streams: f.Streams, load: f.LoadWorld, clock: f.Clock, creation: c,
		edit: func(ctx context.Context, manifest []byte) (cmdutil.EditedManifest, error) {
			return cmdutil.EditManifest(ctx, f.Streams, &f.Interrupts, manifest)
		},
		prompter: func(ctx context.Context) wizard.Prompter { return cmdutil.NewPrompter(ctx, f.Streams) },
		world:    cmdutil.WorldFlags{NewObject: true},
		dryRun:   cmdutil.NewEnumValue(dryRunNone, dryRunNone, dryRunClient, dryRunServer),
		format:   cmdutil.NewOutput(""),
	}
	opts.policyNamespaces = opts.world.PolicyNamespaces
	cmd := &cobra.Command{
		Use: c.kind.Noun + " [NAME]", Aliases: c.aliases, Short: c.short, Long: c.long, Example: c.example,
		Args: atMostOneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				opts.name = args[0]
			}
			opts.world.Settle(cmd)
			if err := errors.Join(checkNotEmpty(cmd, "from", "save"), opts.check()); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	cmd.Flags().SortFlags = false // the fields' own order groups them
	for i := range c.kind.Fields {
		addFieldFlag(cmd, f, &c.kind.Fields[i], &opts.arguments)
	}
	opts.world.Register(cmd, f)
	flags := cmd.Flags()
	flags.StringVarP(&opts.namespace, "namespace", "n", "", "`NAMESPACE` of the new "+c.kind.Noun+" (default "+world.DefaultNamespace+")")
	cmdutil.BindSetting(flags, "namespace", settings.Namespace)
	flags.StringVar(&opts.from, "from", "", "start from the manifest in this `FILE` (- for standard input); flags override it")
	flags.BoolVarP(&opts.interactive, "interactive", "i", false, "prompt for everything that the flags leave open")
	flags.BoolVar(&opts.editFirst, "edit", false, "edit the manifest in $EDITOR first")
	flags.StringVar(&opts.save, "save", "", "write the manifest to this `FILE` instead of standard output")
	flags.BoolVar(&opts.overwrite, "overwrite", false, "let --save replace an existing file")
	flags.BoolVar(&opts.force, "force-conflicts", false, "take over fields that another field manager owns on the cluster")
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation before writing to the cluster")
	_ = cmd.MarkFlagFilename("from", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("save", "yaml", "yml", "json")
	cmdutil.AddEnumFlag(cmd, opts.dryRun, "dry-run", "", "write nothing: client validates locally, server validates with the API server")
	flags.Lookup("dry-run").NoOptDefVal = dryRunClient
	cmdutil.AddOutputFlag(cmd, opts.format, "output format (default: the manifest, or the result on the cluster)")
	return cmd
}

func atMostOneName(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usagef("%s takes one name, got %s", cmd.CommandPath(), cmdutil.QuoteAll(args))
	}
	return nil
}

// checkNotEmpty reports flags that name a file but are empty, as an unset variable
// of a script makes them: the command would do something else without the flag.
func checkNotEmpty(cmd *cobra.Command, names ...string) error {
	var errs []error
	for _, name := range names {
		if flag := cmd.Flags().Lookup(name); flag.Changed && flag.Value.String() == "" {
			errs = append(errs, cli.Usagef("--%s must not be empty", name))
		}
	}
	return errors.Join(errs...)
}

// check reports all invalid combinations of flags.
func (o *options[I, O]) check() error {
	var errs []error
	if o.overwrite && o.save == "" {
		errs = append(errs, cli.Usagef("--overwrite requires --save"))
	}
	if o.dryRun.String() == dryRunServer && !o.world.FromManagement() {
		errs = append(errs, cli.Usagef("--dry-run=server needs the management cluster: add --context, or use --dry-run=client"))
	}
	if o.save != "" && o.dryRun.String() != dryRunNone {
		errs = append(errs, cli.Usagef("--dry-run and --save cannot be combined"))
	}
	if o.save == "-" {
		errs = append(errs, cli.Usagef("--save needs a file name: without --save the manifest goes to standard output (for a file named -, use ./-)"))
	}
	if o.from == "-" && slices.Contains(o.world.Filenames, "-") {
		errs = append(errs, cli.Usagef("--from - and -f - cannot be combined: only one can read standard input"))
	}
	if o.from == "-" && o.interactive {
		errs = append(errs, cli.Usagef("--from - and --interactive cannot be combined: both read standard input"))
	}
	return errors.Join(errs...)
}

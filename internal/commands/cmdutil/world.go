package cmdutil

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// WorldFlags select the sources of a command's world: manifests, the management cluster,
// clusters discovered on the fly, or several of these.
type WorldFlags struct {
	Filenames []string
	Recursive bool
	// Contexts are the clusters to discover, as CONTEXT or NAME=CONTEXT.
	Contexts []string
	Kube     *KubeFlags
	// OnTop is true if the user specified the management cluster explicitly, so that it is used
	// in addition to other sources.
	OnTop bool
	// MaxObjects limits the objects of Filenames; world.DefaultMaxObjects if 0.
	MaxObjects int
	// Secrets receives the Secrets among Filenames; nil ignores them.
	Secrets *[]*kube.Secret
	// FilesFlag is the flag that Filenames come from; --filename if empty.
	FilesFlag string
	// needsClusters is true if manifests alone are not sufficient for the command.
	needsClusters bool
	// NewObject is true if --namespace is the namespace of an object to create, not that of
	// meshctl's resources.
	NewObject bool
	// home is the namespace of meshctl's resources, if it differs from the one passed to Load.
	home string
}

// Register adds the flags to a command, and enables completion from their world.
func (f *WorldFlags) Register(cmd *cobra.Command, factory *Factory) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.Filenames, "filename", "f", nil,
		"`FILE` or directory with manifests (YAML or JSON), or - for standard input, instead of a cluster; repeatable")
	flags.BoolVarP(&f.Recursive, "recursive", "R", false,
		"read the directories given with --filename recursively")
	flags.StringSliceVar(&f.Contexts, "clusters", nil,
		"discover the clusters of these kubeconfig `CONTEXTS` on the fly, without registration; NAME=CONTEXT sets the name of a cluster")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	BindSetting(flags, "filename", settings.Filename)
	BindSetting(flags, "recursive", settings.Recursive)
	RegisterMaxObjects(cmd, &f.MaxObjects)
	f.CompletesFor(cmd, factory)
	f.Kube = NewKubeFlags(factory)
	f.Kube.Register(cmd)
	// Examples of these commands need no cluster.
	delete(cmd.Annotations, NeedsCluster)
	flags.Lookup("clusters").Annotations = map[string][]string{FlagGroup: {ClusterFlagGroup}}
	CompleteFlag(cmd, "clusters", f.Kube.CompleteContexts)
}

// RegisterMaxObjects adds the flag --max-objects, of commands that read files.
func RegisterMaxObjects(cmd *cobra.Command, value *int) {
	flags := cmd.Flags()
	*value = world.DefaultMaxObjects
	flags.Var((*countValue)(value), "max-objects", "refuse files with more than this `NUMBER` of objects")
	BindSetting(flags, "max-objects", settings.MaxObjects)
	CompleteFlag(cmd, "max-objects", cobra.NoFileCompletions)
}

// countValue is a flag value that is a whole number above 0.
type countValue int

// String implements pflag.Value.
func (c *countValue) String() string { return strconv.Itoa(int(*c)) }

// Set implements pflag.Value.
func (c *countValue) Set(text string) error {
	number, err := strconv.Atoi(text)
	if err != nil || number <= 0 {
		return errors.New("must be a whole number above 0")
	}
	*c = countValue(number)
	return nil
}

// Type implements pflag.Value.
func (c *countValue) Type() string { return "int" }

// CompletesFor completes the command from the world of the flags, as Register does.
func (f *WorldFlags) CompletesFor(cmd *cobra.Command, factory *Factory) { factory.worlds[cmd] = f }

// Settle selects the sources after the flags were parsed: flags take precedence over manifests
// from the settings.
func (f *WorldFlags) Settle(cmd *cobra.Command) {
	f.OnTop = cmd.Flags().Changed("context")
	f.needsClusters = cmd.Annotations[NeedsCluster] != ""
	if !cmd.Flags().Changed(cmp.Or(f.FilesFlag, "filename")) && (f.OnTop || len(f.Contexts) > 0) {
		f.Filenames = nil
	}
}

// FromManagement reports whether the management cluster is a source.
func (f *WorldFlags) FromManagement() bool {
	return f.OnTop || (len(f.Filenames) == 0 && len(f.Contexts) == 0)
}

// IsDirectory reports whether a path is a directory.
func IsDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// ReportedProblems is the maximum number of problems printed on standard error. The findings
// of the result list all of them.
const ReportedProblems = 20

// ReportProblems prints input that could not be used on standard error. It returns
// cli.ErrReported if the result is incomplete because of it.
func ReportProblems(streams *cli.Streams, w *world.World) error {
	var result error
	for i, p := range w.Problems {
		report := streams.Warn
		if p.HidesInput() {
			report, result = streams.Fail, cli.ErrReported
		}
		if i < ReportedProblems {
			report("%s", ProblemText(p))
		}
	}
	if more := len(w.Problems) - ReportedProblems; more > 0 {
		streams.Say("... %s; the findings list all of them", text.More(more))
	}
	return result
}

// MissingInput returns the places of the input that could not be read, each once.
func MissingInput(w *world.World) []string {
	var places []string
	for _, p := range w.Problems {
		if place := p.Origin.String(); (p.HidesInput() || p.Kind == world.UnlistedKind) && !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// ProblemText returns a problem and its origin in one line.
func ProblemText(p world.Problem) string {
	text := p.Origin.String() + ": "
	if p.Object != "" {
		text += p.Object + ": "
	}
	text += p.Message
	if p.Hint != "" {
		text += " (" + p.Hint + ")"
	}
	return text
}

// WorldLoader loads a world. The default is Factory.loadWorld.
type WorldLoader func(ctx context.Context, flags WorldFlags, stdin io.Reader) (*world.World, error)

// loadingGCPercent is the garbage collection target percentage (GOGC) during loading.
const loadingGCPercent = 50

// loadWorld loads the world selected by the flags. It connects only to clusters that are
// selected.
func (f *Factory) loadWorld(ctx context.Context, flags WorldFlags, stdin io.Reader) (*world.World, error) {
	chosen, err := f.Settings()
	if err != nil {
		return nil, err
	}
	// Loading creates much garbage compared with the objects that remain. Collecting it more
	// often keeps the memory usage low.
	defer debug.SetGCPercent(debug.SetGCPercent(loadingGCPercent))
	if flags.NewObject {
		flags.home = chosen.ConfiguredNamespace()
	}
	objects, err := flags.Load(ctx, chosen.Namespace(), stdin)
	if err != nil {
		return nil, err
	}
	f.warnIfEmpty(flags, &objects)
	return world.New(objects), nil
}

// warnIfEmpty warns once if nothing has been discovered yet, and what to do: the results of the
// command will be empty too.
func (f *Factory) warnIfEmpty(flags WorldFlags, objects *world.Objects) {
	discovered := len(objects.Meshes) + len(objects.Workloads) + len(objects.Destinations)
	if f.warnedEmpty || !flags.FromManagement() || len(flags.Filenames)+len(flags.Contexts) > 0 || discovered+len(objects.Problems) > 0 {
		return
	}
	f.warnedEmpty = true
	next := "register clusters with 'meshctl cluster register', then run 'meshctl discover'"
	if len(objects.KubernetesClusters) > 0 {
		next = "run 'meshctl discover'"
	}
	f.Streams.Warn("%s has no discovered meshes, workloads and Services yet: %s", flags.Kube.Describe(), next)
}

package commands

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/world"
)

// worldFlags say what the world of a command is made of: manifests, the
// management cluster, clusters that are discovered on the fly, or several of
// these (design, section 4).
type worldFlags struct {
	filenames []string
	recursive bool
	// contexts are the clusters to discover, as CONTEXT or NAME=CONTEXT.
	contexts []string
	kube     *kubeFlags
	// onTop says that the user named the management cluster explicitly, so that it
	// takes part next to other sources.
	onTop bool
	// needsClusters says that manifests alone are not enough for the command.
	needsClusters bool
}

func (f *worldFlags) register(cmd *cobra.Command, factory *Factory) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&f.filenames, "filename", "f", nil,
		"`FILE` or directory with manifests (YAML or JSON), or - for standard input, instead of a cluster; repeatable")
	flags.BoolVarP(&f.recursive, "recursive", "R", false,
		"read the directories given with --filename recursively")
	flags.StringSliceVar(&f.contexts, "clusters", nil,
		"discover the clusters of these kubeconfig `CONTEXTS` on the fly, without registration; NAME=CONTEXT sets the name of a cluster")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	takeSetting(flags, "filename", settings.Filename)
	takeSetting(flags, "recursive", settings.Recursive)
	factory.worlds[cmd] = f
	f.kube = newKubeFlags(factory)
	f.kube.register(cmd)
	// Its examples need no cluster.
	delete(cmd.Annotations, needsCluster)
	flags.Lookup("clusters").Annotations = map[string][]string{flagGroup: {clusterFlagGroup}}
	completeFlag(cmd, "clusters", f.kube.completeContexts)
}

// settle decides between the sources once flags are parsed: what the user typed
// beats manifests that the settings name.
func (f *worldFlags) settle(cmd *cobra.Command) {
	f.onTop = cmd.Flags().Changed("context")
	f.needsClusters = cmd.Annotations[needsCluster] != ""
	if !cmd.Flags().Changed("filename") && (f.onTop || len(f.contexts) > 0) {
		f.filenames = nil
	}
}

// fromManagement reports whether the management cluster is one of the sources.
func (f *worldFlags) fromManagement() bool {
	return f.onTop || (len(f.filenames) == 0 && len(f.contexts) == 0)
}

// isDirectory reports whether a path given with --filename is a directory.
func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// reportedProblems bounds the lines about bad input on standard error; the
// findings of the answer have all of them.
const reportedProblems = 20

// reportProblems tells on standard error what could not be used. It returns
// cli.ErrReported if something is missing from the answer because of it.
func reportProblems(streams *cli.Streams, w *world.World) error {
	var result error
	for i, p := range w.Problems {
		tell := streams.Warn
		if p.HidesInput() {
			tell, result = streams.Fail, cli.ErrReported
		}
		if i < reportedProblems {
			tell("%s", problemText(p))
		}
	}
	if more := len(w.Problems) - reportedProblems; more > 0 {
		streams.Say("... %s; the findings list all of them", text.More(more))
	}
	return result
}

func problemText(p world.Problem) string {
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

// worldLoader loads a world; the Factory's is loadWorld.
type worldLoader func(ctx context.Context, flags worldFlags, stdin io.Reader) (*world.World, error)

// loadingGCPercent is the garbage, in percent of what is in use, at which the
// collector runs while loading.
const loadingGCPercent = 50

// loadWorld loads what the flags name. Only clusters among that are contacted.
func (f *Factory) loadWorld(ctx context.Context, flags worldFlags, stdin io.Reader) (*world.World, error) {
	chosen, err := f.Settings()
	if err != nil {
		return nil, err
	}
	// Loading makes much garbage beside few objects that stay: collecting it
	// twice as often keeps memory near what stays.
	defer debug.SetGCPercent(debug.SetGCPercent(loadingGCPercent))
	objects, err := flags.load(ctx, chosen.Namespace(), stdin)
	if err != nil {
		return nil, err
	}
	return world.New(objects), nil
}

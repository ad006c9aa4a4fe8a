package commands

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/snapshot"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// worldFlags say what the world of a command is made of.
type worldFlags struct {
	filenames []string
	recursive bool
}

func (f *worldFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVarP(&f.filenames, "filename", "f", nil,
		"`FILE` or directory with manifests (YAML or JSON), or - for standard input; repeatable")
	cmd.Flags().BoolVarP(&f.recursive, "recursive", "R", false,
		"read the directories given with --filename recursively")
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")
	takeSetting(cmd.Flags(), "filename", settingFilename)
	takeSetting(cmd.Flags(), "recursive", settingRecursive)
}

// given reports whether the flags or the settings name a world.
func (f *worldFlags) given() bool { return len(f.filenames) > 0 }

// check returns a usage error if the flags name no world.
func (f *worldFlags) check() error {
	if !f.given() {
		return cli.Usagef("no manifests given: name files or directories with -f, or pipe them to -f -")
	}
	return nil
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
func reportProblems(streams *cli.Streams, world *snapshot.World) error {
	var result error
	for i, p := range world.Problems {
		severity := "warning"
		if p.HidesInput() {
			severity, result = "error", cli.ErrReported
		}
		if i < reportedProblems {
			fmt.Fprintf(streams.Err, "%s: %s\n", severity, printable(problemText(p)))
		}
	}
	if more := len(world.Problems) - reportedProblems; more > 0 {
		fmt.Fprintf(streams.Err, "... and %d more; the findings list all of them\n", more)
	}
	return result
}

// shownText bounds what of the input one line shows.
const shownText = 400

// printable makes text from the input safe for a terminal and one line.
func printable(text string) string {
	runes := []rune(text)
	cut := len(runes) > shownText
	if cut {
		runes = runes[:shownText]
	}
	for i, r := range runes {
		if !unicode.IsPrint(r) {
			runes[i] = '?'
		}
	}
	if cut {
		return string(runes) + "..."
	}
	return string(runes)
}

func problemText(p snapshot.Problem) string {
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
type worldLoader func(ctx context.Context, flags worldFlags, stdin io.Reader) (*snapshot.World, error)

// loadingGCPercent is the garbage, in percent of what is in use, at which the
// collector runs while loading.
const loadingGCPercent = 50

// loadWorld reads the named manifests and contacts no cluster.
func (f *Factory) loadWorld(ctx context.Context, flags worldFlags, stdin io.Reader) (*snapshot.World, error) {
	settings, err := f.Settings()
	if err != nil {
		return nil, err
	}
	// Loading makes much garbage beside few objects that stay: collecting it
	// twice as often keeps memory near what stays.
	defer debug.SetGCPercent(debug.SetGCPercent(loadingGCPercent))
	objects, err := snapshot.LoadFiles(ctx, snapshot.FileOptions{
		Paths: flags.filenames, Recursive: flags.recursive, Stdin: stdin, DefaultNamespace: settings.Namespace(),
	}, validation.New())
	if err != nil {
		return nil, err
	}
	return snapshot.New(objects), nil
}

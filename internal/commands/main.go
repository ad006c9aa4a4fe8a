package commands

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
)

// Main runs meshctl with the command-line arguments and returns the exit code. An interrupt or
// termination signal cancels the running command; a second one ends the process immediately.
// beginsWork is called before a command does more than print static information.
func Main(args []string, streams *cli.Streams, beginsWork func()) int {
	f := cmdutil.NewFactory(streams)
	f.BeginsWork = beginsWork
	kube.LogLibrariesTo(streams.Debug, func() int { return streams.Verbosity })
	return mainWith(args, f)
}

func mainWith(args []string, f *cmdutil.Factory) int {
	ctx, stop := f.Interrupts.Cancelling(context.Background())
	defer stop()
	return run(ctx, args, f)
}

// run executes a command line, prints its error, and returns the exit code.
func run(ctx context.Context, args []string, f *cmdutil.Factory) int {
	root := newRootCmd(f)
	root.SetArgs(args)
	if cmdutil.IsCompletionRequest(args) {
		cmdutil.PrepareCompletion(root)
	}
	ran, err := root.ExecuteContextC(ctx)
	if err != nil && ctx.Err() != nil {
		// After a cancellation, all errors are consequences of it.
		err = cli.ErrCancelled
	}
	f.Streams.EndStatus()
	flushErr := f.Streams.Flush()
	report(f.Streams, ran, err)
	if flushErr != nil && !isOutputError(err) {
		f.Streams.Error(flushErr)
	}
	return cli.ExitCode(errors.Join(err, flushErr))
}

func isOutputError(err error) bool {
	var output *cli.OutputError
	return errors.As(err, &output)
}

// report prints the error of a command, unless the command has done so.
func report(streams *cli.Streams, ran *cobra.Command, err error) {
	var output *cli.OutputError
	switch {
	case err == nil:
	case errors.Is(err, cli.ErrCancelled), errors.Is(err, context.Canceled):
		streams.Say("cancelled")
	case errors.As(err, &output):
		if !output.ReaderGone() {
			streams.Error(output)
		}
	default:
		streams.Error(err)
		if usage := (*cli.UsageError)(nil); errors.As(err, &usage) {
			streams.Say("See '%s --help'", ran.CommandPath())
		}
	}
}

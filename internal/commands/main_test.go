package commands

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

func TestReport(t *testing.T) {
	t.Parallel()
	failure := errors.New("no such file")
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"success", nil, ""},
		{"failure", failure, "error: no such file\n"},
		{"several failures", errors.Join(failure, errors.New("no such directory")), "error: no such file\nerror: no such directory\n"},
		{"usage", cli.Usagef("unknown flag --x"), "error: unknown flag --x\nSee 'meshctl --help'\n"},
		{"findings are in the output", cli.ErrFindings, ""},
		{"reported by the command", cli.ErrReported, ""},
		{"reported, and then another", errors.Join(cli.ErrReported, failure), "error: no such file\n"},
		{"cancelled", errors.Join(failure, cli.ErrCancelled), "cancelled\n"},
		{"full disk", &cli.OutputError{Err: syscall.ENOSPC}, "error: cannot write to standard output: no space left on device\n"},
		{"reader gone", &cli.OutputError{Err: syscall.EPIPE}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, errOut := cli.Test("")
			report(streams, &cobra.Command{Use: "meshctl"}, tt.err)
			if diff := cmp.Diff(tt.want, errOut.String()); diff != "" {
				t.Errorf("standard error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunInterrupted(t *testing.T) {
	t.Parallel()
	streams, _, errOut := cli.Test("")
	f := cmdutil.NewFactory(streams)
	ctx, cancel := context.WithCancel(t.Context())
	// An interrupted dependency may return its own error.
	f.Build = func() buildinfo.Info {
		cancel()
		return buildinfo.Info{}
	}
	streams.Out = failingWriter{}
	if code := run(ctx, []string{"version"}, f); code != cli.ExitCancelled {
		t.Errorf("exit code = %d, want %d", code, cli.ExitCancelled)
	}
	if got := errOut.String(); got != "cancelled\n" {
		t.Errorf("standard error = %q, want %q", got, "cancelled\n")
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("connection reset") }

// TestTree checks the properties required of every command.
func TestTree(t *testing.T) {
	t.Parallel()
	streams, _, _ := cli.Test("")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s: no short description", cmd.CommandPath())
		}
		if cmd.RunE == nil || cmd.Run != nil {
			t.Errorf("%s: must return its error from RunE", cmd.CommandPath())
		}
		if cmd.PersistentPreRun != nil || cmd.PersistentPreRunE != nil {
			t.Errorf("%s: a persistent pre-run would hide that of its parents", cmd.CommandPath())
		}
		if !cmd.HasSubCommands() && cmd.Example == "" {
			t.Errorf("%s: no example", cmd.CommandPath())
		}
		if cmd.Example != "" && cmd.Example[0] != '#' {
			t.Errorf("%s: examples start with a comment that says what they do", cmd.CommandPath())
		}
		if cmd.HasSubCommands() && cmd.Annotations[cmdutil.SubcommandNoun] == "" {
			t.Errorf("%s: a parent must be built by withSubcommands", cmd.CommandPath())
		}
		for _, child := range cmd.Commands() {
			if !cmd.HasParent() && child.GroupID == "" {
				t.Errorf("%s: not in a group of the help", child.CommandPath())
			}
			walk(child)
		}
	}
	walk(newRootCmd(cmdutil.NewFactory(streams)))
}

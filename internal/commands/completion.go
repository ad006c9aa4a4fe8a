package commands

import (
	"context"
	"io"

	"github.com/spf13/cobra"
)

type completionOptions struct {
	out   io.Writer
	root  *cobra.Command
	write func(root *cobra.Command, w io.Writer) error

	noDescriptions bool
}

// shell is one shell whose completion script can be printed.
type shell struct {
	name, install string
	// write and writePlain print the script, the latter without descriptions.
	write, writePlain func(root *cobra.Command, w io.Writer) error
}

func shells() []shell {
	return []shell{
		{
			name: "bash",
			install: dedent(`
				# load completion in this shell (needs the package bash-completion)
				source <(meshctl completion bash)

				# load it in every new shell
				meshctl completion bash > ~/.local/share/bash-completion/completions/meshctl`),
			write: func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
			writePlain: func(root *cobra.Command, w io.Writer) error {
				return root.GenBashCompletionV2(w, false)
			},
		},
		{
			name: "fish",
			install: dedent(`
				# load completion in this shell
				meshctl completion fish | source

				# load it in every new shell
				meshctl completion fish > ~/.config/fish/completions/meshctl.fish`),
			write:      func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
			writePlain: func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, false) },
		},
		{
			name: "powershell",
			install: dedent(`
				# load completion in this shell; add the line to $PROFILE for every new one
				meshctl completion powershell | Out-String | Invoke-Expression`),
			write: func(root *cobra.Command, w io.Writer) error {
				return root.GenPowerShellCompletionWithDesc(w)
			},
			writePlain: func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletion(w) },
		},
		{
			name: "zsh",
			install: dedent(`
				# load completion in this shell
				source <(meshctl completion zsh)

				# load it in every new shell
				meshctl completion zsh > "${fpath[1]}/_meshctl"`),
			write:      func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletion(w) },
			writePlain: func(root *cobra.Command, w io.Writer) error { return root.GenZshCompletionNoDesc(w) },
		},
	}
}

func newCompletionCmd(f *Factory, runF func(*completionOptions) error) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "completion",
		Short:   "Print the completion script of a shell",
		GroupID: groupOther,
		Long: dedent(`
			Print a script that lets a shell complete the commands, flags and values of
			meshctl. The help of each shell says how to install it.`),
	}
	for _, sh := range shells() {
		cmd.AddCommand(newShellCompletionCmd(f, sh, runF))
	}
	return withSubcommands(cmd, "shell")
}

func newShellCompletionCmd(f *Factory, sh shell, runF func(*completionOptions) error) *cobra.Command {
	opts := &completionOptions{out: f.Streams.Out}
	cmd := &cobra.Command{
		Use:                   sh.name + " [flags]",
		Short:                 "Print the completion script of " + sh.name,
		Example:               sh.install,
		Args:                  noArgs,
		DisableFlagsInUseLine: true,
		Annotations:           map[string]string{withoutSettings: "true"},
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.root, opts.write = cmd.Root(), sh.write
			if opts.noDescriptions {
				opts.write = sh.writePlain
			}
			if runF != nil {
				return runF(opts)
			}
			return runCompletion(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.noDescriptions, "no-descriptions", false, "complete without describing the choices")
	return cmd
}

func runCompletion(_ context.Context, opts *completionOptions) error {
	return opts.write(opts.root, opts.out)
}

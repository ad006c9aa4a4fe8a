package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
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
			install: cmdutil.Dedent(`
				# complete in every new shell (needs the package bash-completion)
				mkdir -p ~/.local/share/bash-completion/completions && meshctl completion bash > ~/.local/share/bash-completion/completions/meshctl

				# complete in this shell
				source <(meshctl completion bash)`),
			write: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }, bashRepairs()...)
			},
			writePlain: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, func(w io.Writer) error { return root.GenBashCompletionV2(w, false) }, bashRepairs()...)
			},
		},
		{
			name: "fish",
			install: cmdutil.Dedent(`
				# complete in every new shell
				mkdir -p ~/.config/fish/completions && meshctl completion fish > ~/.config/fish/completions/meshctl.fish

				# complete in this shell
				meshctl completion fish | source`),
			write: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, func(w io.Writer) error { return root.GenFishCompletion(w, true) }, equalsRepairs()...)
			},
			writePlain: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, func(w io.Writer) error { return root.GenFishCompletion(w, false) }, equalsRepairs()...)
			},
		},
		{
			name: "powershell",
			install: cmdutil.Dedent(`
				# complete in every new shell
				meshctl completion powershell >> $PROFILE

				# complete in this shell
				meshctl completion powershell | Out-String | Invoke-Expression`),
			write: func(root *cobra.Command, w io.Writer) error {
				return root.GenPowerShellCompletionWithDesc(w)
			},
			writePlain: func(root *cobra.Command, w io.Writer) error { return root.GenPowerShellCompletion(w) },
		},
		{
			name: "zsh",
			install: cmdutil.Dedent(`
				# complete in every new shell
				echo 'autoload -Uz compinit && compinit && source <(meshctl completion zsh)' >> ~/.zshrc

				# complete in this shell, where compinit has run
				source <(meshctl completion zsh)`),
			write: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, root.GenZshCompletion, equalsRepairs()...)
			},
			writePlain: func(root *cobra.Command, w io.Writer) error {
				return writeRepaired(w, root.GenZshCompletionNoDesc, equalsRepairs()...)
			},
		},
	}
}

// repair is a change of a script that cobra generates.
type repair struct {
	old *regexp.Regexp
	new string
}

// writeRepaired prints a script of cobra with repairs. That one does not apply any
// more is an error: cobra has changed, and so must the repair.
func writeRepaired(w io.Writer, generate func(io.Writer) error, repairs ...repair) error {
	var script bytes.Buffer
	if err := generate(&script); err != nil {
		return fmt.Errorf("generate the completion script: %w", err)
	}
	text := script.String()
	for _, r := range repairs {
		if !r.old.MatchString(text) {
			return fmt.Errorf("generate the completion script: %s is not in it", r.old)
		}
		text = r.old.ReplaceAllString(text, r.new)
	}
	_, err := io.WriteString(w, text)
	return err
}

// bashRepairs are of two kinds. Bash quotes choices before it compares them with
// what is typed, commas too, so that no choice would ever match after the first
// comma of a list. And it replaces only what follows the last = or : of a word,
// which may have both, as in --shift REF:PORT@KEY=VALUE.
func bashRepairs() []repair {
	return []repair{
		{regexp.MustCompile(`(?m)^( *)(?:printf -v )?(comp|COMPREPLY\[0\])(?: |=\$\(printf )"%q" .*$`), "$0\n${1}$2=$${$2//\\\\,/,}"},
		{
			regexp.MustCompile(`(?m)^    __meshctl_handle_special_char "\$cur" :\n    __meshctl_handle_special_char "\$cur" =$`),
			`    local breaks="$${COMP_WORDBREAKS//[^:=]/}"
    if [[ -n $$breaks ]]; then
        local beforeBreak=$${cur%"$${cur##*[$$breaks]}"}
        COMPREPLY=("$${COMPREPLY[@]#"$$beforeBreak"}")
    fi`,
		},
	}
}

// equalsRepairs are for the scripts that take everything before the last = for the
// flag. It ends at the first =, as in --source=service-account=NAME, and a value
// without a flag has none.
func equalsRepairs() []repair {
	return []repair{{regexp.MustCompile(`'-\.\*='`), `'^-[^=]*='`}}
}

func newCompletionCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "completion",
		Short:   "Print the completion script of a shell",
		GroupID: cmdutil.GroupOther,
		Long: cmdutil.Dedent(`
			Print a script that completes the commands, flags and values of meshctl. The
			help of each shell explains how to install it.`),
	}
	for _, sh := range shells() {
		cmd.AddCommand(newShellCompletionCmd(f, sh))
	}
	return cmdutil.WithSubcommands(cmd, "shell")
}

func newShellCompletionCmd(f *cmdutil.Factory, sh shell) *cobra.Command {
	opts := &completionOptions{out: f.Streams.Out}
	cmd := &cobra.Command{
		Use:                   sh.name + " [flags]",
		Short:                 "Print the completion script of " + sh.name,
		Example:               sh.install,
		Args:                  cmdutil.NoArgs,
		DisableFlagsInUseLine: true,
		Annotations:           map[string]string{cmdutil.WithoutSettings: "true"},
		ValidArgsFunction:     cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts.root, opts.write = cmd.Root(), sh.write
			if opts.noDescriptions {
				opts.write = sh.writePlain
			}
			return runCompletion(cmd.Context(), opts)
		},
	}
	cmd.Flags().BoolVar(&opts.noDescriptions, "no-descriptions", false, "disable descriptions in completions")
	return cmd
}

func runCompletion(_ context.Context, opts *completionOptions) error {
	return opts.write(opts.root, opts.out)
}

package commands

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// topic is a help page that does not belong to a command.
type topic struct {
	name, short, text string
}

// topics returns all help topics, sorted by name.
func topics() []topic {
	return []topic{
		{
			name:  "exit-codes",
			short: "Exit codes and their meaning",
			text: cmdutil.Dedent(`
				Every command ends with one of these codes. They do not depend on the output
				format.

				    0    success
				    1    failure: an error was printed
				    2    usage: invalid command line, or a prompt is required but there is no
				         terminal
				    3    the command succeeded and found problems
				         (describe --fail-on-findings and commands that check)
				    4    timed out
				    130  cancelled, by a signal or at a prompt

				The diff command follows kubectl instead: 0 means no difference, 1 means
				differences, and 2 and above mean an error.`),
		},
		formsTopic(),
	}
}

func isTopic(name string) bool {
	return slices.ContainsFunc(topics(), func(t topic) bool { return t.name == name })
}

// addHelpCommand replaces cobra's help command by one that also knows the topics, and that
// fails for unknown names.
func addHelpCommand(root *cobra.Command) {
	help := &cobra.Command{
		Use:     "help [COMMAND | TOPIC]",
		Short:   "Show help about a command or a topic",
		GroupID: cmdutil.GroupOther,
		Example: cmdutil.Dedent(`
			# show help for the version command
			meshctl help version

			# show the exit codes
			meshctl help exit-codes`),
		Args:        cobra.ArbitraryArgs,
		Annotations: map[string]string{cmdutil.WithoutSettings: "true"},
		RunE:        showHelp,
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return helpCompletions(cmd.Root(), args), cobra.ShellCompDirectiveNoFileComp
		},
	}
	root.SetHelpCommand(help)
	root.AddCommand(help)
}

func showHelp(cmd *cobra.Command, args []string) error {
	if len(args) == 1 {
		for _, t := range topics() {
			if t.name == args[0] {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), t.text)
				return err
			}
		}
	}
	about := cmd.Root()
	for _, word := range args {
		child := subcommand(about, word)
		switch {
		case child != nil:
			about = child
		case about.HasSubCommands():
			return unknownHelp(about, word)
		default:
			return cli.Usagef("%s has no subcommands: no help for %q", about.CommandPath(), word)
		}
	}
	about.InitDefaultHelpFlag()
	return about.Help()
}

// unknownHelp returns the error for a name that is neither a command nor a topic.
func unknownHelp(parent *cobra.Command, word string) error {
	names := cmdutil.SubcommandNames(parent)
	if !parent.HasParent() {
		for _, t := range topics() {
			names = append(names, t.name)
		}
	}
	return cli.Usagef("no help for %q%s", word, spelling.DidYouMean(word, names))
}

// subcommand returns the subcommand with the name or alias, or nil.
func subcommand(parent *cobra.Command, name string) *cobra.Command {
	for _, child := range parent.Commands() {
		if child.Name() == name || child.HasAlias(name) {
			return child
		}
	}
	return nil
}

func helpCompletions(root *cobra.Command, args []string) []cobra.Completion {
	about := root
	for _, word := range args {
		if about = subcommand(about, word); about == nil {
			return nil
		}
	}
	var words []cobra.Completion
	for _, child := range about.Commands() {
		if cmdutil.IsListed(child) {
			words = append(words, cobra.CompletionWithDesc(child.Name(), child.Short))
		}
	}
	if about == root {
		for _, t := range topics() {
			words = append(words, cobra.CompletionWithDesc(t.name, t.short))
		}
	}
	return words
}

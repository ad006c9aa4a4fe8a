package cmdutil

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// NoArgs is the cobra.PositionalArgs of commands that take flags only.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return cli.Usagef("%s takes no arguments, got %s", cmd.CommandPath(), QuoteAll(args))
}

// WithSubcommands makes cmd a pure parent and returns it: without arguments it prints
// its help, and an unknown subcommand is a usage error. The noun is what error
// messages call the subcommands, for example "command" or "resource".
func WithSubcommands(cmd *cobra.Command, noun string) *cobra.Command {
	cmd.Annotations = map[string]string{SubcommandNoun: noun}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		return unknownSubcommand(cmd, args[0])
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// SubcommandNoun is the annotation with the noun of WithSubcommands.
const SubcommandNoun = "meshctl.io/subcommand-noun"

// unknownSubcommand explains a word that names no subcommand of the parent.
func unknownSubcommand(parent *cobra.Command, word string) error {
	return cli.Usagef("unknown %s %q%s", parent.Annotations[SubcommandNoun], word, spelling.DidYouMean(word, SubcommandNames(parent)))
}

// SubcommandNames returns the names and aliases of what the parent's help lists.
func SubcommandNames(parent *cobra.Command) []string {
	var names []string
	for _, child := range parent.Commands() {
		if IsListed(child) {
			names = append(append(names, child.Name()), child.Aliases...)
		}
	}
	return names
}

// QuoteAll quotes words and joins them with commas.
func QuoteAll(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = fmt.Sprintf("%q", word)
	}
	return strings.Join(quoted, ", ")
}

// Dedent removes the newline at the start and the tabs before each line of a
// raw string, so that help texts can be indented like the code around them.
func Dedent(text string) string {
	lines := strings.Split(strings.TrimPrefix(text, "\n"), "\n")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, strings.Repeat("\t", indent))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\t\n")
}

// IsListed reports whether the help of its parent names the command. Cobra does
// not count its help command as available.
func IsListed(cmd *cobra.Command) bool {
	return cmd.IsAvailableCommand() || cmd.Name() == "help"
}

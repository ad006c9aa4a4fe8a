package cmdutil

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// NoArgs returns a usage error if there are arguments. It is the cobra.PositionalArgs of
// commands that only take flags.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return cli.Usagef("%s takes no arguments, got %s", cmd.CommandPath(), QuoteAll(args))
}

// WithSubcommands turns cmd into a pure parent command and returns it. Without arguments the
// command prints its help; an unknown subcommand is a usage error. noun is how messages refer
// to the subcommands, for example "command" or "resource".
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

// SubcommandNoun is the annotation that holds the noun of WithSubcommands.
const SubcommandNoun = "meshctl.io/subcommand-noun"

// unknownSubcommand returns the usage error for an unknown subcommand.
func unknownSubcommand(parent *cobra.Command, word string) error {
	return cli.Usagef("unknown %s %q%s", parent.Annotations[SubcommandNoun], word, spelling.DidYouMean(word, SubcommandNames(parent)))
}

// SubcommandNames returns the names and aliases of the subcommands listed in the help of the
// parent.
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

// Dedent removes the leading newline and the indentation by tabs from a raw string, so that
// help texts can be indented like the surrounding code.
func Dedent(text string) string {
	lines := strings.Split(strings.TrimPrefix(text, "\n"), "\n")
	indent := len(lines[0]) - len(strings.TrimLeft(lines[0], "\t"))
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, strings.Repeat("\t", indent))
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\t\n")
}

// IsListed reports whether the help of the parent lists the command. Cobra does not count its
// own help command as available.
func IsListed(cmd *cobra.Command) bool {
	return cmd.IsAvailableCommand() || cmd.Name() == "help"
}

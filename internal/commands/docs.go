package commands

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// Tree returns the tree of all commands for generating documentation. Its commands must not be
// run.
func Tree() *cobra.Command {
	root := newRootCmd(cmdutil.NewFactory(cli.Discard()))
	walkTree(root, func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		cmd.DisableAutoGenTag = true
		cmd.RunE = func(*cobra.Command, []string) error { return cli.Usagef("this tree is for documentation") }
	})
	return root
}

func walkTree(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, child := range cmd.Commands() {
		walkTree(child, visit)
	}
}

// Listed reports whether help lists the command below its parent.
func Listed(cmd *cobra.Command) bool { return cmdutil.IsListed(cmd) }

// FlagGroup returns the help section of the flag; empty for the default section.
func FlagGroup(flag *pflag.Flag) string { return strings.Join(flag.Annotations[cmdutil.FlagGroup], "") }

// Topic is a help page that does not belong to a command.
type Topic struct {
	// Name is the argument of `meshctl help`, Short a one-line summary.
	Name, Short, Text string
}

// Topics returns all help topics, sorted by name.
func Topics() []Topic {
	var all []Topic
	for _, t := range topics() {
		all = append(all, Topic{Name: t.name, Short: t.short, Text: t.text})
	}
	return all
}

package commands

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// setHelp sets the help function of cmd and all commands below it. It does not use cobra's
// templates, which would link the template engine into the binary.
func setHelp(cmd *cobra.Command, streams *cli.Streams) {
	cmd.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		writeHelp(cmd.OutOrStdout(), cmd, streams.Width())
	})
	cmd.SetUsageFunc(func(cmd *cobra.Command) error {
		writeUsage(cmd.OutOrStderr(), cmd, streams.Width())
		return nil
	})
}

func writeHelp(w io.Writer, cmd *cobra.Command, width int) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short
	}
	fmt.Fprintf(w, "%s\n\n", text)
	writeUsage(w, cmd, width)
}

func writeUsage(w io.Writer, cmd *cobra.Command, width int) {
	fmt.Fprintln(w, "Usage:")
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s COMMAND [flags]\n", cmd.CommandPath())
	} else {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	}
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(w, "\nAliases:\n  %s\n", cmd.NameAndAliases())
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", indent(cmd.Example))
	}
	writeCommands(w, cmd)
	writeFlags(w, cmd, width)
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nGlobal flags:\n%s", cmd.InheritedFlags().FlagUsagesWrapped(width))
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nUse '%s COMMAND --help' for more about a command.\n", cmd.CommandPath())
	}
}

// writeFlags lists the flags of a command by group, ungrouped flags last.
func writeFlags(w io.Writer, cmd *cobra.Command, width int) {
	var groups []string
	sets := map[string]*pflag.FlagSet{}
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		group := strings.Join(flag.Annotations[cmdutil.FlagGroup], "")
		if flag.Hidden {
			return
		}
		if sets[group] == nil {
			groups = append(groups, group)
			sets[group] = pflag.NewFlagSet(group, pflag.ContinueOnError)
			sets[group].SortFlags = group == ""
		}
		sets[group].AddFlag(flag)
	})
	for _, group := range groups {
		if group != "" {
			fmt.Fprintf(w, "\n%s:\n%s", group, sets[group].FlagUsagesWrapped(width))
		}
	}
	if sets[""] != nil {
		fmt.Fprintf(w, "\nFlags:\n%s", sets[""].FlagUsagesWrapped(width))
	}
}

// writeCommands lists the subcommands by group, ungrouped ones last.
func writeCommands(w io.Writer, cmd *cobra.Command) {
	groups := append([]*cobra.Group{}, cmd.Groups()...)
	groups = append(groups, &cobra.Group{Title: "Commands"})
	for _, group := range groups {
		var rows []row
		for _, child := range cmd.Commands() {
			if child.GroupID == group.ID && cmdutil.IsListed(child) {
				rows = append(rows, row{child.Name(), child.Short})
			}
		}
		writeRows(w, group.Title, rows)
	}
	if !cmd.HasParent() {
		var rows []row
		for _, topic := range topics() {
			rows = append(rows, row{topic.name, topic.short})
		}
		writeRows(w, "Help topics, shown by '"+cmd.Name()+" help TOPIC'", rows)
	}
}

// row is a name in a help list, with its description.
type row struct{ name, short string }

func writeRows(w io.Writer, title string, rows []row) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s:\n", title)
	widest := 0
	for _, r := range rows {
		widest = max(widest, len(r.name))
	}
	for _, r := range rows {
		fmt.Fprintf(w, "  %-*s  %s\n", widest, r.name, r.short)
	}
}

func indent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

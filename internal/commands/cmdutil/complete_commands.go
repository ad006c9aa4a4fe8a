package cmdutil

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/commands/settings"
)

// suggestedCommand matches a meshctl command suggested in a message, in quotes as in 'meshctl
// discover'.
const suggestedCommand = "['`]meshctl [^'`\n]+['`]"

// CompleteCommands returns a function that adds the cluster flags of this run to the
// meshctl commands suggested in messages. When pasted into a shell, whose current context
// may have changed by then, the commands still access the same clusters.
func (f *Factory) CompleteCommands(root *cobra.Command) func(message string) string {
	suggested := regexp.MustCompile(suggestedCommand)
	return func(message string) string {
		if f.running == nil || !strings.Contains(message, "meshctl ") {
			return message
		}
		return suggested.ReplaceAllStringFunc(message, func(quoted string) string {
			command := quoted[1 : len(quoted)-1]
			words := f.clusterWords(root, strings.Fields(command)[1:])
			if len(words) == 0 {
				return quoted
			}
			// The command is quoted with single quotes, so use double quotes inside.
			return quoted[:1] + command + " " + strings.ReplaceAll(shellquote.Join(words...), "'", `"`) + quoted[len(quoted)-1:]
		})
	}
}

// clusterWords returns the cluster flags to add to a command.
func (f *Factory) clusterWords(root *cobra.Command, words []string) []string {
	target, _, err := root.Find(words)
	named := slices.ContainsFunc(words, func(word string) bool {
		return strings.HasPrefix(word, "--context") || strings.HasPrefix(word, "--clusters") || word == "-f" || word == "--help"
	})
	if err != nil || named || target.Flags().Lookup("context") == nil {
		return nil
	}
	names := []string{"filename", "recursive", "clusters", "kubeconfig", "context", "namespace"}
	if clusters := f.running.Flags().Lookup("clusters"); clusters == nil || !clusters.Changed {
		names = names[3:] // manifests alone do not select a cluster
	}
	var added []string
	for _, name := range names {
		flag, wanted := f.running.Flags().Lookup(name), target.Flags().Lookup(name)
		switch {
		case wanted == nil:
		case name == "context" && f.management != "":
			added = append(added, "--context", f.management)
		case flag == nil || !flag.Changed, name == "namespace" && !(f.isManagementNamespace(flag) && isManagementNamespace(wanted)):
		default:
			added = append(added, flagWords(flag)...)
		}
	}
	return added
}

// isManagementNamespace reports whether a flag --namespace of this run is that of
// meshctl's resources, not that of an object to create.
func (f *Factory) isManagementNamespace(flag *pflag.Flag) bool {
	world := f.worlds[f.running]
	return isManagementNamespace(flag) && (world == nil || !world.NewObject)
}

// isManagementNamespace reports whether a flag --namespace is that of meshctl's
// resources, not a filter of the same name.
func isManagementNamespace(flag *pflag.Flag) bool {
	return slices.Contains(flag.Annotations[SettingOfFlag], settings.Namespace)
}

// flagWords returns a flag as command-line arguments.
func flagWords(flag *pflag.Flag) []string {
	list, isList := flag.Value.(pflag.SliceValue)
	switch {
	case flag.Value.Type() == "bool":
		return []string{"--" + flag.Name}
	case !isList:
		return []string{"--" + flag.Name, flag.Value.String()}
	}
	var words []string
	for _, value := range list.GetSlice() {
		words = append(words, "--"+flag.Name, value)
	}
	return words
}

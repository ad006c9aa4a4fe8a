package cmdutil

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// objectCompleter completes names, namespaces and clusters of objects of a kind that match a
// filter.
type objectCompleter struct {
	kind   ObjectKind
	filter *ObjectFilter
}

// CompleteObjects adds completion from the world for the names, namespaces, clusters and
// labels of objects of a kind.
func CompleteObjects(f *Factory, cmd *cobra.Command, kind ObjectKind, filter *ObjectFilter) {
	q := objectCompleter{kind, filter}
	cmd.ValidArgsFunction = f.CompleteFromWorld(q.offerNames)
	if cmd.Flags().Lookup("selector") != nil {
		CompleteSelector(f, cmd, kind)
	}
	for name, offer := range map[string]func(*policy.Result, []string, string) []cobra.Completion{
		"namespace": q.offerNamespaces, "cluster": q.offerClusters,
	} {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, f.CompleteFromWorld(offer)); err != nil {
			panic(err) // the flag is declared twice, which is a bug
		}
	}
}

// CompleteSelector adds completion of the labels of objects of a kind to the flag --selector:
// first the keys, then the values.
func CompleteSelector(f *Factory, cmd *cobra.Command, kind ObjectKind) {
	CompleteFlag(cmd, "selector", f.completeFromWorld(func(result *policy.Result, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return offerLabels(result, kind, typed)
	}))
}

// offerLabels completes the last term of a selector: its key or, after KEY=, its value. It
// offers nothing after other operators.
func offerLabels(result *policy.Result, kind ObjectKind, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	head := typed[:strings.LastIndexByte(typed, ',')+1]
	typedKey, _, hasKey := strings.Cut(typed[len(head):], "=")
	count := map[string]int{}
	for i := range kind.Objects(result.World) {
		for key, value := range kind.labels(result.World, i) {
			switch {
			case !hasKey:
				count[key+"="]++
			case strings.TrimSuffix(typedKey, "!") == key:
				count[typedKey+"="+value]++
			}
		}
	}
	var words []cobra.Completion
	for _, word := range sortedKeys(count) {
		words = append(words, cobra.CompletionWithDesc(head+word, counted(count[word], kind)))
	}
	if hasKey {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	return words, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// offerNames completes the full names of objects that match the filter and are not yet in the
// arguments. A name is prefixed with KIND/ if the user typed that, or if several objects share
// the name.
func (q objectCompleter) offerNames(result *policy.Result, args []string, typed string) []cobra.Completion {
	all := q.kind.Objects(result.World)
	positions, err := q.filter.Apply(result.World, q.kind, all)
	if err != nil {
		return nil
	}
	namesOf := func(i int) world.Names { return all[i] }
	named := map[int]bool{}
	for _, arg := range args {
		if i, err := world.Resolve(q.kind.Name, positions, namesOf, arg); err == nil {
			named[i] = true
		}
	}
	count := map[string]int{}
	for _, i := range positions {
		count[all[i].Full()]++
	}
	typedKind, _, withKind := strings.Cut(typed, "/")
	var words []cobra.Completion
	for _, i := range positions {
		n := all[i]
		word := n.Full()
		switch {
		case named[i]:
			continue
		case withKind && (strings.EqualFold(typedKind, n.Kind) || strings.EqualFold(typedKind, q.kind.Name)):
			word = typedKind + "/" + word
		case withKind:
			continue
		case count[word] > 1:
			word = strings.ToLower(n.Kind) + "/" + word
		}
		words = append(words, cobra.CompletionWithDesc(word, q.kind.Hint(result, i)))
	}
	return words
}

// offerNamespaces completes the namespaces of objects of the kind.
func (q objectCompleter) offerNamespaces(result *policy.Result, _ []string, _ string) []cobra.Completion {
	count := map[string]int{}
	for _, n := range q.kind.Objects(result.World) {
		count[n.Namespace]++
	}
	var words []cobra.Completion
	for _, namespace := range sortedKeys(count) {
		if namespace != "" {
			words = append(words, cobra.CompletionWithDesc(namespace, counted(count[namespace], q.kind)))
		}
	}
	return words
}

// offerClusters completes the clusters of objects of the kind, as items of a list.
func (q objectCompleter) offerClusters(result *policy.Result, _ []string, typed string) []cobra.Completion {
	count := map[string]int{}
	for i, n := range q.kind.Objects(result.World) {
		for _, cluster := range q.kind.clustersOf(result.World, i, n) {
			count[cluster]++
		}
	}
	var words []cobra.Completion
	for _, cluster := range sortedKeys(count) {
		if cluster != "" {
			words = append(words, cobra.CompletionWithDesc(cluster, counted(count[cluster], q.kind)))
		}
	}
	return InList(typed, q.filter.Clusters, words)
}

func sortedKeys(count map[string]int) []string {
	keys := make([]string, 0, len(count))
	for key := range count {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

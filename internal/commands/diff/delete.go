package diff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// deletableKind is a kind of which --delete names objects.
type deletableKind struct {
	cmdutil.ObjectKind
	aliases []string
}

func deletableKinds() []deletableKind {
	return []deletableKind{
		{cmdutil.VirtualMeshKind(), []string{"vm", "virtualmeshes"}},
		{cmdutil.TrafficPolicyKind(), []string{"tp", "trafficpolicies"}},
		{cmdutil.AccessPolicyKind(), []string{"ap", "accesspolicies"}},
	}
}

// isCalled reports whether a word names the kind.
func (k *deletableKind) isCalled(word string) bool {
	word = strings.ToLower(word)
	return word == k.Name || slices.Contains(k.aliases, word)
}

// without returns the world without an object that is named KIND/NAME or
// KIND/NAME.NAMESPACE.
func without(w *world.World, text string) (*world.World, error) {
	word, name, ok := strings.Cut(text, "/")
	if !ok {
		return nil, cli.Usagef("invalid --delete %q: must be KIND/NAME, such as trafficpolicy/retries", text)
	}
	kinds := deletableKinds()
	at := slices.IndexFunc(kinds, func(k deletableKind) bool { return k.isCalled(word) })
	if at < 0 {
		return nil, cli.Usagef("invalid --delete %q: kind must be one of: virtualmesh, trafficpolicy, accesspolicy", text)
	}
	kind := kinds[at]
	names := kind.Objects(w)
	all := make([]int, len(names))
	for i := range all {
		all[i] = i
	}
	i, err := world.Resolve(kind.Name, all, func(i int) world.Names { return names[i] }, name)
	if err != nil {
		return nil, err
	}
	changed, there := w.Without(kind.Kind, names[i].Namespace, names[i].Name)
	if !there {
		return nil, fmt.Errorf("%s %s cannot be deleted", kind.Name, names[i].Full())
	}
	return changed, nil
}

// completeDeleted offers the objects that --delete can name, by the word for the
// kind that is typed already.
func (o *options) completeDeleted(result *policy.Result, _ []string, typed string) []cobra.Completion {
	item := typed[strings.LastIndexByte(typed, ',')+1:]
	typedWord, _, hasWord := strings.Cut(item, "/")
	var words []cobra.Completion
	for _, kind := range deletableKinds() {
		word := kind.Name
		if hasWord {
			if !kind.isCalled(typedWord) {
				continue
			}
			word = typedWord
		}
		for i, names := range kind.Objects(result.World) {
			words = append(words, cobra.CompletionWithDesc(word+"/"+names.Full(), kind.Hint(result, i)))
		}
	}
	return cmdutil.InList(typed, o.deleted, words)
}

package choices

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render"
)

// CompleteField returns the completion of the flag for a field of a resource:
// the values that it accepts, or the names of existing objects.
func CompleteField[I any](f *cmdutil.Factory, field *render.Field[I]) cobra.CompletionFunc {
	switch {
	case len(field.Enum) > 0:
		return cobra.FixedCompletions(field.Enum, cobra.ShellCompDirectiveNoFileComp)
	case field.Value == termsForm:
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, typed string) []cobra.Completion {
			return offerTerms(result, field.Names, typed)
		})
	case field.Names == render.ServiceNames && strings.Contains(field.Value, "[:PORT]"):
		withSubset := strings.Contains(field.Value, "[@KEY=VALUE")
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, typed string) []cobra.Completion {
			target, _, hasSubset := strings.Cut(typed, "@")
			service, _, hasPort := strings.Cut(target, ":")
			switch {
			case hasSubset && withSubset:
				return offerSubsets(result, service, typed)
			case hasPort:
				return offerPorts(result, service)
			default:
				return offerServices(result, "")
			}
		})
	default:
		return completeNames(f, field.Names)
	}
}

// termsForm is the placeholder of fields whose values are lists of KEY=VALUE.
const termsForm = "TERMS"

// completeNames returns a completion that offers the names of that kind.
func completeNames(f *cmdutil.Factory, kind render.NameKind) cobra.CompletionFunc {
	switch kind {
	case render.MeshNames:
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, _ string) []cobra.Completion { return offerMeshes(result) })
	case render.ServiceNames:
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, _ string) []cobra.Completion { return offerServices(result, "") })
	case render.AccountNames:
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, _ string) []cobra.Completion { return offerAccounts(result, "") })
	case render.NamespaceNames:
		return f.CompleteFromWorld(func(result *policy.Result, _ []string, _ string) []cobra.Completion {
			return offerNamespaces(result, "")
		})
	default:
		return cobra.NoFileCompletions
	}
}

// offerTerms offers the terms KEY=NAME for names of a kind, behind the terms that
// are typed already.
func offerTerms(result *policy.Result, kind render.NameKind, typed string) []cobra.Completion {
	if strings.Contains(typed, `"`) {
		return nil // a comma in quotes does not separate terms
	}
	var terms []cobra.Completion
	switch kind {
	case render.ServiceNames:
		terms = offerServices(result, "service=")
	case render.AccountNames:
		terms = offerAccounts(result, "service-account=")
	case render.NamespaceNames, render.MeshNames, render.NoNames:
	default:
	}
	if kind != render.NoNames {
		terms = append(terms, offerNamespaces(result, "namespace=")...)
		for _, cluster := range result.World.Clusters() {
			terms = append(terms, "cluster="+cluster)
		}
	}
	return cmdutil.InList(typed, nil, terms)
}

func offerMeshes(result *policy.Result) []cobra.Completion {
	var words []cobra.Completion
	for i, m := range result.World.MeshPointers() {
		words = append(words, cobra.CompletionWithDesc(m.Names().Full(), cmdutil.HintMesh(result, i)))
	}
	return words
}

func offerServices(result *policy.Result, key string) []cobra.Completion {
	var words []cobra.Completion
	for i, d := range result.World.DestinationPointers() {
		if d.IsService() {
			words = append(words, cobra.CompletionWithDesc(key+d.Key(), cmdutil.HintDestination(result, i)))
		}
	}
	return words
}

// offerPorts offers the ports of the Service that was typed before the colon.
func offerPorts(result *policy.Result, service string) []cobra.Completion {
	var words []cobra.Completion
	for _, d := range result.World.DestinationPointers() {
		if !d.IsService() || d.Key() != service {
			continue
		}
		for _, port := range d.Resource.Spec.KubeService.Ports {
			words = append(words, cobra.CompletionWithDesc(fmt.Sprintf("%s:%d", service, port.Port), port.Name))
		}
	}
	return words
}

// offerSubsets offers the labels of the pods behind the Service for the subset that
// is being typed, without the labels that it has already.
func offerSubsets(result *policy.Result, service, typed string) []cobra.Completion {
	head := typed[:strings.LastIndexAny(typed, "@,")+1]
	_, subset, _ := strings.Cut(head, "@")
	var given []string
	for pair := range strings.SplitSeq(subset, ",") {
		key, _, _ := strings.Cut(pair, "=")
		given = append(given, key)
	}
	users := map[string][]string{}
	for _, w := range result.World.WorkloadPointers() {
		if !slices.ContainsFunc(w.Backs, func(id int) bool { return result.World.Destinations[id].Key() == service }) {
			continue
		}
		for key, value := range w.Labels {
			if !slices.Contains(given, key) {
				users[key+"="+value] = append(users[key+"="+value], w.Name)
			}
		}
	}
	return describedByUsers(head, users)
}

// describedByUsers returns words, sorted, that say which workloads they are of.
func describedByUsers(head string, users map[string][]string) []cobra.Completion {
	var words []cobra.Completion
	for word, names := range users {
		words = append(words, cobra.CompletionWithDesc(head+word, "of "+strings.Join(names, ", ")))
	}
	slices.Sort(words)
	return words
}

// offerAccounts offers the service accounts that workloads run as.
func offerAccounts(result *policy.Result, key string) []cobra.Completion {
	users := map[string][]string{}
	for _, w := range result.World.WorkloadPointers() {
		if w.ServiceAccount != "" {
			account := w.ServiceAccount + "." + w.Namespace + "." + w.Cluster
			users[account] = append(users[account], w.Name)
		}
	}
	return describedByUsers(key, users)
}

// offerNamespaces offers the namespaces of workloads and destinations.
func offerNamespaces(result *policy.Result, key string) []cobra.Completion {
	var words []cobra.Completion
	for _, kind := range []cmdutil.ObjectKind{cmdutil.WorkloadKind(), cmdutil.DestinationKind()} {
		for _, n := range kind.Objects(result.World) {
			words = append(words, key+n.Namespace)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

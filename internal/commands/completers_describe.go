package commands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// completeWith makes the names, namespaces and clusters of the query's command
// complete to those in the world.
func (q *describeQuery) completeWith(f *Factory, cmd *cobra.Command) {
	cmd.ValidArgsFunction = f.completeFromWorld(q.offerNames)
	for name, offer := range map[string]func(*policy.Result, []string, string) []cobra.Completion{
		"namespace": q.offerNamespaces, "cluster": q.offerClusters,
	} {
		if cmd.Flags().Lookup(name) == nil {
			continue
		}
		if err := cmd.RegisterFlagCompletionFunc(name, f.completeFromWorld(offer)); err != nil {
			panic(err) // the same flag declared twice: no input can cause it
		}
	}
}

// offerNames offers the full name of each object that passes the filters and is
// not named yet; behind KIND/ if that is typed, or if several objects share the
// name.
func (q *describeQuery) offerNames(result *policy.Result, args []string, typed string) []cobra.Completion {
	all := q.noun.objects(result.World)
	positions, err := q.filter.apply(result.World, q.noun, all)
	if err != nil {
		return nil
	}
	namesOf := func(i int) world.Names { return all[i] }
	named := map[int]bool{}
	for _, arg := range args {
		if i, err := world.Resolve(q.noun.name, positions, namesOf, arg); err == nil {
			named[i] = true
		}
	}
	count := map[string]int{}
	for _, i := range positions {
		count[all[i].Full()]++
	}
	kind, _, withKind := strings.Cut(typed, "/")
	var words []cobra.Completion
	for _, i := range positions {
		n := all[i]
		word := n.Full()
		switch {
		case named[i]:
			continue
		case withKind && (strings.EqualFold(kind, n.Kind) || strings.EqualFold(kind, q.noun.name)):
			word = kind + "/" + word
		case withKind:
			continue
		case count[word] > 1:
			word = strings.ToLower(n.Kind) + "/" + word
		}
		words = append(words, cobra.CompletionWithDesc(word, q.noun.hint(result, i)))
	}
	return words
}

// offerNamespaces offers the namespaces that objects of the kind are in.
func (q *describeQuery) offerNamespaces(result *policy.Result, _ []string, _ string) []cobra.Completion {
	count := map[string]int{}
	for _, n := range q.noun.objects(result.World) {
		count[n.Namespace]++
	}
	var words []cobra.Completion
	for _, namespace := range sortedKeys(count) {
		if namespace != "" {
			words = append(words, cobra.CompletionWithDesc(namespace, counted(count[namespace], q.noun)))
		}
	}
	return words
}

// offerClusters offers the clusters that objects of the kind are in, item by
// item of a list.
func (q *describeQuery) offerClusters(result *policy.Result, _ []string, typed string) []cobra.Completion {
	count := map[string]int{}
	for i, n := range q.noun.objects(result.World) {
		for _, cluster := range q.noun.clustersOf(result.World, i, n) {
			count[cluster]++
		}
	}
	var words []cobra.Completion
	for _, cluster := range sortedKeys(count) {
		if cluster != "" {
			words = append(words, cobra.CompletionWithDesc(cluster, counted(count[cluster], q.noun)))
		}
	}
	return inList(typed, q.filter.clusters, words)
}

func counted(n int, noun describeNoun) string {
	if n == 1 {
		return "1 " + noun.name
	}
	return fmt.Sprintf("%d %s", n, noun.plural)
}

func sortedKeys(count map[string]int) []string {
	keys := make([]string, 0, len(count))
	for key := range count {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// hintWorkload says in a few words what a workload is.
func hintWorkload(result *policy.Result, i int) string {
	w := &result.World.Workloads[i]
	if w.Mesh == nil {
		return w.Kind + " in no mesh"
	}
	return w.Kind + " in mesh " + w.Mesh.Ref.Name
}

// hintDestination says in a few words what a destination is.
func hintDestination(result *policy.Result, i int) string {
	d := &result.World.Destinations[i]
	if !d.IsService() {
		return "external service"
	}
	var ports []string
	for _, port := range d.Resource.Spec.KubeService.Ports {
		ports = append(ports, fmt.Sprint(port.Port))
	}
	switch len(ports) {
	case 0:
		return "Service without ports"
	case 1:
		return "Service on port " + ports[0]
	default:
		return "Service on ports " + strings.Join(ports, ", ")
	}
}

// hintMesh says in a few words what a mesh is and which virtual mesh holds it.
func hintMesh(result *policy.Result, i int) string {
	m := &result.World.Meshes[i]
	text := string(m.Type)
	if m.Version != "" {
		text += " " + m.Version
	}
	if len(m.Clusters) > 0 {
		text += " on " + strings.Join(m.Clusters, ", ")
	}
	if vm := result.Meshes[i].VirtualMesh; vm != nil {
		return text + ", in virtual mesh " + vm.Resource.Name
	}
	return text + ", in no virtual mesh"
}

// hintVirtualMesh returns the state of a virtual mesh and how many it groups.
func hintVirtualMesh(result *policy.Result, i int) string {
	vm := &result.VirtualMeshes[i]
	return fmt.Sprintf("%s, lists %s", vm.State, counted(len(vm.Resource.Spec.Meshes), meshNoun()))
}

// hintPolicy returns a function that returns the state of a policy of the kind.
func hintPolicy(kind policy.PolicyKind) func(result *policy.Result, i int) string {
	return func(result *policy.Result, i int) string {
		app := result.ApplicationOf(policy.PolicyRef{Kind: kind, Index: i})
		return fmt.Sprintf("%s, in force on %s", app.State(), counted(len(app.InForce()), destinationNoun()))
	}
}

// hintCluster says whether a cluster is registered.
func hintCluster(result *policy.Result, i int) string {
	if result.World.Registered(result.World.Clusters()[i]) {
		return "registered"
	}
	return "not registered"
}

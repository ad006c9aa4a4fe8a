package cmdutil

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// ObjectKind is a kind of object on the command line: its names, and how its objects are found
// and filtered. Objects are identified by their position in the world.
type ObjectKind struct {
	Name, Plural string
	// Kind is the kind of the manifests.
	Kind string

	// Objects returns the names of all objects, by position.
	Objects func(w *world.World) []world.Names
	// labels returns the labels for -l, labelled describes them in help; nil for kinds without
	// labels.
	labels   func(w *world.World, position int) map[string]string
	labelled string
	// Hint describes an object in a few words, for completion.
	Hint func(result *policy.Result, position int) string
	// clusters returns the clusters of an object; nil for kinds whose names include the cluster,
	// and for kinds without clusters.
	clusters func(w *world.World, position int) []string
	// inCluster is true if objects belong to clusters, global if they have no namespace.
	inCluster, global bool
}

// namesOfAll returns the names of every object.
func namesOfAll[T any](objects []T, names func(T) world.Names) []world.Names {
	all := make([]world.Names, 0, len(objects))
	for _, object := range objects {
		all = append(all, names(object))
	}
	return all
}

// resourceNames returns the names of resources in the management cluster.
func resourceNames[T any](kind string, objects []world.Object[T], meta func(*T) *metav1.ObjectMeta) []world.Names {
	return namesOfAll(objects, func(o world.Object[T]) world.Names {
		m := meta(o.Resource)
		return world.Names{Kind: kind, Name: m.Name, Namespace: m.Namespace}
	})
}

func counted(n int, kind ObjectKind) string {
	if n == 1 {
		return "1 " + kind.Name
	}
	return fmt.Sprintf("%d %s", n, kind.Plural)
}

package discovery

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/pkg/api/naming"
)

// namer assigns each name once.
type namer map[string]bool

// assign returns the name if it is free. Otherwise (`a-b` in `c` and `a` in `b-c`
// sanitise to the same name) it appends a hash of the source's key. It reports
// whether the name was free.
func (n namer) assign(name, source string) (string, bool) {
	if !n[name] {
		n[name] = true
		return name, true
	}
	distinct := name
	for text := source; n[distinct]; text += "+" {
		distinct = name + "-" + naming.Digest(text)[:8]
	}
	n[distinct] = true
	return distinct, false
}

// key returns the text by which sets of objects are sorted.
func key(name, namespace, cluster string) string {
	return name + "." + namespace + "." + cluster
}

// object returns the name of an object of the cluster for notes.
func (d *discoverer) object(kind, namespace, name string) string {
	text := kind + "/" + name
	for _, part := range []string{namespace, d.cluster} {
		if part != "" {
			text += "." + part
		}
	}
	return text
}

// metadata returns the metadata of a discovered object.
// Annotations of the source are not copied, as those of kubectl and other
// controllers are large and would spread (D40).
func (d *discoverer) metadata(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: d.managementNamespace,
		Labels: map[string]string{OwnerLabel: d.managementNamespace, ClusterLabel: d.cluster},
	}
}

// nameFor returns the name of the object that is discovered from an object of the
// cluster. The suffix is added last, so the name may exceed 63 bytes.
func (d *discoverer) nameFor(names namer, kind, namespace, name, suffix string) string {
	wanted := naming.Sanitise(name+"-"+namespace+"-"+d.cluster) + suffix
	given, free := names.assign(wanted, key(name, namespace, d.cluster))
	if !free {
		d.note(Note{
			Object:  d.object(kind, namespace, name),
			Message: fmt.Sprintf("the name %s stands for another object already, so this one is called %s", wanted, given),
			Hint:    "Rename one of them, or refer to this one by the longer name.",
		})
	}
	return given
}

// inKeyOrder returns pointers to the objects in the order of their keys. If an
// object occurs twice, the first one is used.
func inKeyOrder[T any, P interface {
	*T
	metav1.Object
}](d *discoverer, kind string, objects []T) []P {
	type keyed struct {
		key    string
		object P
	}
	sorted := make([]keyed, 0, len(objects))
	for i := range objects {
		object := P(&objects[i])
		sorted = append(sorted, keyed{key(object.GetName(), object.GetNamespace(), d.cluster), object})
	}
	slices.SortStableFunc(sorted, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	result := make([]P, 0, len(sorted))
	for i, k := range sorted {
		if i > 0 && k.key == sorted[i-1].key {
			d.note(Note{
				Object:  d.object(kind, k.object.GetNamespace(), k.object.GetName()),
				Message: "occurs twice in the input; the first one is used",
				Hint:    "Remove one of them.",
				Skipped: true,
			})
			continue
		}
		result = append(result, k.object)
	}
	return result
}

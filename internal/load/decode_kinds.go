package load

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
	"github.com/meshctl/meshctl/pkg/api/spelling"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// checker says what an API server would say about an object, and removes
// unknown fields and nulls from it.
type checker interface {
	Check(gvk schema.GroupVersionKind, object map[string]any) (validation.Report, error)
}

// modelledKind is a kind that has a Go type.
type modelledKind struct {
	gvk schema.GroupVersionKind
	// decode returns how to add the object, with its schema violations, to the
	// loaded ones. With an error, only a part of the object is added, at least
	// its name.
	decode func(object map[string]any, origin world.Origin, violations []string) (func(*world.Objects), error)
}

// discovered reports whether objects of the kind say what exists. One that its
// schema rejects cannot take part as INVALID, as a policy does: it is left out.
func (k modelledKind) discovered() bool { return k.gvk.Group == discoveryv1.GroupName }

// kindTable knows the kinds of meshctl's API groups.
type kindTable struct {
	modelled []modelledKind
	// other are the kinds of the same groups that exist but are of no use here.
	other []schema.GroupKind
	// open says that the groups have kinds that nobody listed, as those of
	// Kubernetes have.
	open bool
}

func newKindTable() kindTable {
	return kindTable{
		modelled: []modelledKind{
			modelled(networkingv1.GroupVersion(), "VirtualMesh", func(o *world.Objects) *[]world.Object[networkingv1.VirtualMesh] { return &o.VirtualMeshes }),
			modelled(networkingv1.GroupVersion(), "TrafficPolicy", func(o *world.Objects) *[]world.Object[networkingv1.TrafficPolicy] { return &o.TrafficPolicies }),
			modelled(networkingv1.GroupVersion(), "AccessPolicy", func(o *world.Objects) *[]world.Object[networkingv1.AccessPolicy] { return &o.AccessPolicies }),
			modelled(discoveryv1.GroupVersion(), "Mesh", func(o *world.Objects) *[]world.Object[discoveryv1.Mesh] { return &o.Meshes }),
			modelled(discoveryv1.GroupVersion(), "Workload", func(o *world.Objects) *[]world.Object[discoveryv1.Workload] { return &o.Workloads }),
			modelled(discoveryv1.GroupVersion(), "Destination", func(o *world.Objects) *[]world.Object[discoveryv1.Destination] { return &o.Destinations }),
			modelled(settingsv1.GroupVersion(), "Settings", func(o *world.Objects) *[]world.Object[settingsv1.Settings] { return &o.Settings }),
			modelled(multiclusterv1alpha1.GroupVersion(), "KubernetesCluster", func(o *world.Objects) *[]world.Object[multiclusterv1alpha1.KubernetesCluster] {
				return &o.KubernetesClusters
			}),
		},
		other: []schema.GroupKind{
			{Group: settingsv1.GroupName, Kind: "Dashboard"},
			{Group: multiclusterv1alpha1.GroupName, Kind: "MultiClusterRole"},
			{Group: multiclusterv1alpha1.GroupName, Kind: "MultiClusterRoleBinding"},
		},
	}
}

// resource is a pointer to a typed object.
type resource[T any] interface {
	*T
	metav1.ObjectMetaAccessor
}

func modelled[T any, P resource[T]](gv schema.GroupVersion, kind string, list func(*world.Objects) *[]world.Object[T]) modelledKind {
	return modelledKind{
		gvk: gv.WithKind(kind),
		decode: func(object map[string]any, origin world.Origin, violations []string) (func(*world.Objects), error) {
			resource, err := decodeResource[T, P](object)
			loaded := world.Object[T]{Resource: resource, Origin: origin, Errors: violations}
			return func(into *world.Objects) {
				target := list(into)
				*target = append(*target, loaded)
			}, err
		},
	}
}

// decodeResource fills a typed object. A status that does not fit is dropped
// without an error: controllers of other versions wrote it, and users cannot
// correct it. Of metadata that does not fit, what selectors and people need is
// kept, and of a spec the fields that fit.
func decodeResource[T any, P resource[T]](object map[string]any) (*T, error) {
	resource := new(T)
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, resource)
	if err == nil {
		return resource, nil
	}
	if _, found := object["status"]; found {
		delete(object, "status")
		return decodeResource[T, P](object)
	}
	metadata, _ := object["metadata"].(map[string]any)
	delete(object, "metadata")
	resource = new(T)
	if runtime.DefaultUnstructuredConverter.FromUnstructured(object, resource) != nil {
		resource = decodeFields[T, P](object)
	}
	meta := P(resource).GetObjectMeta()
	meta.SetName(textField(metadata, "name"))
	meta.SetNamespace(textField(metadata, "namespace"))
	meta.SetLabels(textFields(metadata["labels"]))
	meta.SetAnnotations(textFields(metadata["annotations"]))
	object["metadata"] = metadata
	return resource, err
}

// decodeFields decodes the spec field by field and leaves out those that do not
// fit, so that a wrong number does not hide what a policy selects. A selector
// of destinations that cannot be read selects nothing.
func decodeFields[T any, P resource[T]](object map[string]any) *T {
	spec, _ := object["spec"].(map[string]any)
	fitting := map[string]any{}
	for name, value := range spec {
		err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": map[string]any{name: value}}, new(T))
		switch {
		case err == nil:
			fitting[name] = value
		case name == "destinationSelector":
			fitting[name] = []any{map[string]any{}}
		}
	}
	resource := new(T)
	if runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"spec": fitting}, resource) != nil {
		return new(T)
	}
	return resource
}

func textFields(value any) map[string]string {
	fields, _ := value.(map[string]any)
	texts := make(map[string]string, len(fields))
	for key, value := range fields {
		if text, ok := value.(string); ok {
			texts[key] = text
		}
	}
	if len(texts) == 0 {
		return nil
	}
	return texts
}

// find returns the modelled kind, or the problem with a kind or version that
// meshctl's groups do not have; neither for a kind that is of no concern.
func (t kindTable) find(gvk schema.GroupVersionKind) (*modelledKind, *world.Problem) {
	ours := slices.Contains(t.groups(), gvk.Group)
	for i := range t.modelled {
		if t.modelled[i].gvk == gvk {
			return &t.modelled[i], nil
		}
	}
	if t.open {
		return nil, nil
	}
	if !ours {
		return nil, t.misspelledGroup(gvk)
	}
	if slices.Contains(t.other, gvk.GroupKind()) {
		return nil, nil
	}
	for _, k := range t.modelled {
		if k.gvk.GroupKind() == gvk.GroupKind() {
			return nil, &world.Problem{
				Kind:    world.UnknownKind,
				Message: fmt.Sprintf("version %s of %s is not supported", gvk.Version, gvk.GroupKind()),
				Hint:    "use apiVersion: " + k.gvk.GroupVersion().String(),
			}
		}
	}
	return nil, &world.Problem{
		Kind:    world.UnknownKind,
		Message: fmt.Sprintf("%s has no kind %s", gvk.GroupVersion(), gvk.Kind),
		Hint:    t.hintForKind(gvk),
	}
}

// misspelledGroup finds kinds of ours in a group that is almost one of ours.
func (t kindTable) misspelledGroup(gvk schema.GroupVersionKind) *world.Problem {
	for _, k := range t.modelled {
		if k.gvk.Kind == gvk.Kind && spelling.Distance(k.gvk.Group, gvk.Group) <= maxTypos {
			return &world.Problem{
				Kind:    world.UnknownKind,
				Message: fmt.Sprintf("there is no API group %s", gvk.Group),
				Hint:    "did you mean apiVersion: " + k.gvk.GroupVersion().String() + "?",
			}
		}
	}
	return nil
}

// groups returns the API groups whose kinds are all known.
func (t kindTable) groups() []string {
	var groups []string
	for _, k := range t.modelled {
		if !slices.Contains(groups, k.gvk.Group) {
			groups = append(groups, k.gvk.Group)
		}
	}
	return groups
}

// maxTypos is how many letters two names may differ in to be taken for the
// same.
const maxTypos = 2

func (t kindTable) hintForKind(gvk schema.GroupVersionKind) string {
	nearest, distance := schema.GroupVersionKind{}, maxTypos+1
	var kinds []string
	for _, k := range t.modelled {
		d := spelling.Distance(strings.ToLower(k.gvk.Kind), strings.ToLower(gvk.Kind))
		if d < distance || d == distance && d <= maxTypos && k.gvk.Group == gvk.Group {
			nearest, distance = k.gvk, d
		}
		if k.gvk.Group == gvk.Group {
			kinds = append(kinds, k.gvk.Kind)
		}
	}
	switch {
	case nearest.Kind == "":
		slices.Sort(kinds)
		return "its kinds are " + strings.Join(kinds, ", ")
	case nearest.Group == gvk.Group:
		return "did you mean " + nearest.Kind + "?"
	default:
		return fmt.Sprintf("%s belongs to apiVersion: %s", nearest.Kind, nearest.GroupVersion())
	}
}

// hintForVersion says which apiVersion a kind has, if it is one of ours.
func (t kindTable) hintForVersion(kind string) string {
	for _, k := range t.modelled {
		if k.gvk.Kind == kind {
			return "use apiVersion: " + k.gvk.GroupVersion().String()
		}
	}
	return ""
}

// hintForMissing says which kinds an apiVersion has, if it is one of ours.
func (t kindTable) hintForMissing(apiVersion string) string {
	var kinds []string
	for _, k := range t.modelled {
		if k.gvk.GroupVersion().String() == apiVersion {
			kinds = append(kinds, k.gvk.Kind)
		}
	}
	if len(kinds) == 0 {
		return ""
	}
	slices.Sort(kinds)
	return "add kind: " + strings.Join(kinds, ", or ")
}

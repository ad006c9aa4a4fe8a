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

// checker validates objects as an API server would, and prunes unknown fields and nulls.
type checker interface {
	Check(gvk schema.GroupVersionKind, object map[string]any) (validation.Report, error)
}

// modelledKind is a kind that has a Go type.
type modelledKind struct {
	gvk schema.GroupVersionKind
	// decode returns a function that adds the object and its schema violations to the loaded
	// objects. If it returns an error, that function adds only the parts that could be decoded,
	// at least the name.
	decode func(object map[string]any, origin world.Origin, violations []string) (func(*world.Objects), error)
}

// discovered reports whether discovery writes the kind. An object of such a kind that violates
// its schema is left out; a policy would take part as INVALID instead.
func (k modelledKind) discovered() bool { return k.gvk.Group == discoveryv1.GroupName }

// kindTable holds the kinds of meshctl's API groups.
type kindTable struct {
	modelled []modelledKind
	// other are kinds of the same groups that exist but that meshctl does not use.
	other []schema.GroupKind
	// open is true if the groups may have kinds that are not listed here, as the groups of
	// Kubernetes do.
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
			settingsKind(),
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

func settingsKind() modelledKind {
	return modelled(settingsv1.GroupVersion(), "Settings", func(o *world.Objects) *[]world.Object[settingsv1.Settings] { return &o.Settings })
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

// decodeResource decodes a typed object. A status that does not fit is dropped without an
// error: it may come from a controller of another version, and users cannot correct it. If
// metadata does not fit, the name, namespace, labels and annotations are kept; of a spec, the
// fields that fit.
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

// decodeFields decodes the spec field by field and drops the fields that do not fit, so that,
// say, an invalid number does not hide what a policy selects. An unreadable
// destinationSelector selects nothing.
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

// find returns the modelled kind, or a problem if one of meshctl's groups lacks the kind or
// version. It returns nil for both if the kind is not relevant to meshctl.
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

// misspelledGroup returns a problem if the kind is one of meshctl's but its group has a typo.
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

// groups returns the API groups of the table.
func (t kindTable) groups() []string {
	var groups []string
	for _, k := range t.modelled {
		if !slices.Contains(groups, k.gvk.Group) {
			groups = append(groups, k.gvk.Group)
		}
	}
	return groups
}

// maxTypos is the edit distance up to which two names count as the same name misspelled.
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

// hintForVersion suggests the apiVersion for a kind of meshctl; empty for other kinds.
func (t kindTable) hintForVersion(kind string) string {
	for _, k := range t.modelled {
		if k.gvk.Kind == kind {
			return "use apiVersion: " + k.gvk.GroupVersion().String()
		}
	}
	return ""
}

// hintForMissing suggests the kinds of an apiVersion of meshctl; empty for other versions.
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

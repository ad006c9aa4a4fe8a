package rollout

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// Change is a planned change of one object of a cluster and, after a run, its outcome.
type Change struct {
	// Kind is ChangeAdd, ChangeModify, ChangeRemove, ChangeRefuse, or ChangeLeave for an object
	// that would be pruned but is kept.
	Kind kube.ChangeKind
	Key  kube.ObjectKey
	// Fields are the fields changed by ChangeModify, sorted by path.
	Fields []kube.FieldChange
	// Outcome is the result of the change; empty until it was attempted.
	Outcome kube.Outcome
	// Err is why the change is refused (ChangeRefuse) or why it failed.
	Err *kube.Error
	// Loss is the protection that the change removes, or would remove if it were not refused;
	// empty if none.
	Loss Loss
	// Held is true if the change is refused because of its Loss. Options.AcceptLoss allows it
	// (D70).
	Held bool

	// desired is nil, and position noPosition, for an object that is to be removed.
	desired    *istio.Object
	position   int
	stored     *unstructured.Unstructured
	transition *unstructured.Unstructured
	early      int
}

// noPosition is the position of objects that are not desired.
const noPosition = -1

// IsAccessRule reports whether the object is an AuthorizationPolicy.
func (c *Change) IsAccessRule() bool {
	return istio.Kind(c.Key.GVK.Kind) == istio.KindAuthorizationPolicy
}

// Parents returns the resources from which the object is rendered or, if it is to be removed,
// was rendered.
func (c *Change) Parents() []world.ObjectID {
	switch {
	case c.desired != nil:
		return c.desired.Parents
	case c.stored != nil:
		return istio.ParentsIn(c.stored.GetAnnotations()[istio.ParentsAnnotation])
	default:
		return nil
	}
}

// fail records why the change could not be made.
func (c *Change) fail(action string, e *kube.Error) {
	var result kube.Result
	result.Fail(action, e)
	c.Outcome, c.Err = result.Outcome, result.Err
}

// Before returns the stored object without the fields that the cluster maintains; nil if the
// object is to be added.
func (c *Change) Before() *unstructured.Unstructured {
	if c.stored == nil {
		return nil
	}
	return withoutUpkeep(c.stored)
}

// After returns the object as it will be after the change; nil if it is to be removed. It
// returns an error if the object cannot be encoded.
func (c *Change) After() (*unstructured.Unstructured, error) {
	if c.desired == nil {
		return nil, nil //nolint:nilnil // no object after the change
	}
	desired, err := manifest(c.desired)
	if err != nil || c.stored == nil {
		return desired, err
	}
	after := withoutUpkeep(c.stored)
	after.SetLabels(overlay(after.GetLabels(), desired.GetLabels()))
	after.SetAnnotations(overlay(after.GetAnnotations(), desired.GetAnnotations()))
	after.SetAPIVersion(desired.GetAPIVersion())
	after.Object["spec"] = desired.Object["spec"]
	return after, nil
}

func overlay(below, above map[string]string) map[string]string {
	if below == nil {
		below = map[string]string{}
	}
	for key, value := range above {
		below[key] = value
	}
	return below
}

// withoutUpkeep returns a copy of the object without the fields that the cluster maintains.
func withoutUpkeep(object *unstructured.Unstructured) *unstructured.Unstructured {
	manifest := &unstructured.Unstructured{Object: map[string]any{}}
	manifest.SetGroupVersionKind(object.GroupVersionKind())
	manifest.SetNamespace(object.GetNamespace())
	manifest.SetName(object.GetName())
	manifest.SetLabels(object.GetLabels())
	manifest.SetAnnotations(object.GetAnnotations())
	if spec, ok := object.Object["spec"]; ok {
		manifest.Object["spec"] = spec
	}
	return manifest
}

// keyOf returns the key of a rendered object in its cluster.
func keyOf(object *istio.Object) kube.ObjectKey {
	return kube.ObjectKey{GVK: object.Kind.GVK(), Namespace: object.Namespace, Name: object.Name}
}

// manifest returns a rendered object in the form in which it is applied.
func manifest(object *istio.Object) (*unstructured.Unstructured, error) {
	fields, err := object.Fields()
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: fields}, nil
}

// transition returns an intermediate object and its stage if a stored object cannot become the
// desired one in a single step; nil if it can. The desired object is then written after all
// stages.
func transition(object *istio.Object, stored, desired *unstructured.Unstructured) (*unstructured.Unstructured, int) {
	spec, stage := istio.Transition(object.Kind, object.Stage(), specOf(stored), specOf(desired))
	if spec == nil {
		return nil, 0
	}
	first := desired.DeepCopy()
	first.Object["spec"] = spec
	return first, stage
}

// stageOf returns the stage of a stored object. Objects of higher stages are removed first.
func stageOf(stored *unstructured.Unstructured) int {
	return istio.StageOf(istio.Kind(stored.GetKind()), stored.GetAnnotations()[istio.FederationAnnotation] != "", len(specOf(stored)) == 0)
}

// fieldChanges returns how a stored object differs from the desired one. It compares the
// desired labels and annotations, and the whole spec.
func fieldChanges(desired, stored *unstructured.Unstructured) []kube.FieldChange {
	changes := missingTexts("metadata.labels", desired.GetLabels(), stored.GetLabels())
	changes = append(changes, missingTexts("metadata.annotations", desired.GetAnnotations(), stored.GetAnnotations())...)
	wanted, has := specOf(desired), specOf(stored)
	if reflect.DeepEqual(wanted, has) || len(wanted)+len(has) == 0 {
		return changes
	}
	return append(changes, kube.CompareSpecs(has, wanted)...)
}

func missingTexts(path string, wanted, has map[string]string) []kube.FieldChange {
	var changes []kube.FieldChange
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		value, there := has[key]
		switch field := path + "[" + key + "]"; {
		case !there:
			changes = append(changes, kube.FieldChange{Path: field, Kind: kube.ChangeAdd})
		case value != wanted[key]:
			changes = append(changes, kube.FieldChange{Path: field, Kind: kube.ChangeModify})
		}
	}
	return changes
}

func specOf(object *unstructured.Unstructured) map[string]any {
	spec, _ := object.Object["spec"].(map[string]any)
	return spec
}

package rollout

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// Object is an object that a cluster should have because of what it was
// rendered from. All of its spec is meshctl's.
type Object struct {
	Key kube.ObjectKey
	// Stage orders writing: objects of a lower stage come first.
	Stage int
	// Needs are the positions of the desired objects without which this one would do harm. It
	// is not written if one of them cannot be.
	Needs []int
	// Build returns the object as a manifest has it. It may be called more than
	// once, and from several goroutines.
	Build func() (*unstructured.Unstructured, error)
	// Transition returns what to write first when the stored object is to become
	// the desired one, and in which stage; nil if one step will do. The desired
	// object is then written after all stages.
	Transition func(stored, desired *unstructured.Unstructured) (*unstructured.Unstructured, int)
}

// Options say which objects of a cluster are meshctl's.
type Options struct {
	// Kinds are those that desired objects can have.
	Kinds []schema.GroupVersionKind
	// Owner are the labels of what may be changed and removed. Objects without
	// them are somebody else's, whatever they are called (D40).
	Owner map[string]string
	// StageOf returns the stage of an object that is to be removed. Objects of a
	// higher stage are removed first.
	StageOf func(*unstructured.Unstructured) int
	// Routing says which objects lead to which others; the zero value says that
	// none do.
	Routing Routing
	// Unlisted are kinds that could not be listed when the desired objects were made from
	// what was there, and why. They are not listed again: their desired objects are refused,
	// and none is removed.
	Unlisted map[schema.GroupKind]error
}

// Routing says which stored objects send requests to hosts, and which make
// hosts known. What a host needs is neither removed nor reduced while an object
// that could not be changed still sends requests there.
type Routing struct {
	// Kind is the kind of the objects that send requests.
	Kind schema.GroupKind
	// LeadsTo returns the hosts that a stored object of the kind sends requests to.
	LeadsTo func(*unstructured.Unstructured) []string
	// Provides returns the hosts that a stored object of another kind makes known
	// or says something about; none if nothing depends on it.
	Provides func(*unstructured.Unstructured) []string
}

// Change is what is to be done about one object.
type Change struct {
	// Kind is ChangeAdd, ChangeModify, ChangeRemove or ChangeRefuse.
	Kind kube.ChangeKind
	Key  kube.ObjectKey
	// Fields are what ChangeModify is about, sorted by path.
	Fields []kube.FieldChange
	// Err says why nothing can be done, for ChangeRefuse.
	Err *kube.Error

	output     *Object
	position   int
	stored     *unstructured.Unstructured
	transition *unstructured.Unstructured
	early      int
}

// Before returns the object as it is stored, without what the cluster itself
// maintains; nil if it is to be added.
func (c *Change) Before() *unstructured.Unstructured {
	if c.stored == nil {
		return nil
	}
	return manifestOf(c.stored)
}

// After returns the object as it will be; nil if it is to be removed.
func (c *Change) After() (*unstructured.Unstructured, error) {
	if c.output == nil {
		return nil, nil //nolint:nilnil // nothing will be there
	}
	desired, err := c.output.Build()
	if err != nil || c.stored == nil {
		return desired, err
	}
	after := manifestOf(c.stored)
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

// manifestOf returns what of an object a user would write.
func manifestOf(object *unstructured.Unstructured) *unstructured.Unstructured {
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

// fieldChanges returns how a stored object differs from the desired one:
// labels and annotations that it should have, and all of its spec.
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

package kube

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// KeyOf returns what identifies an object.
func KeyOf(object *unstructured.Unstructured) ObjectKey {
	return ObjectKey{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// ApplyAction is the action of errors about writing an object.
func ApplyAction(key ObjectKey) string {
	return "apply " + DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
}

// ChangeKind says what is to be done about one object.
type ChangeKind string

// The kinds of changes.
const (
	// ChangeAdd and ChangeModify write the object, ChangeRemove deletes it.
	ChangeAdd    ChangeKind = "add"
	ChangeModify ChangeKind = "modify"
	ChangeRemove ChangeKind = "remove"
	// ChangeNone: the object is as it should be.
	ChangeNone ChangeKind = "none"
	// ChangeLeave: the object is not desired, but it is not stale either.
	ChangeLeave ChangeKind = "leave"
	// ChangeRefuse: an object of that name is somebody else's.
	ChangeRefuse ChangeKind = "refuse"
)

// Kept is the outcome for an object that was to be removed but that somebody
// changed after the plan was made: it may be wanted again.
const Kept Outcome = "kept"

// FieldChange is one field that changes.
type FieldChange struct {
	// Path is that of the field, such as spec.mesh.name.
	Path string
	Kind ChangeKind
}

// CompareApplied returns how a stored object differs from the desired one in what
// meshctl writes: the spec and the desired labels. What others added stays, and
// so it is no difference; what meshctl itself applied and does not want any more
// is. The status is nobody's business here.
func CompareApplied(desired, stored *unstructured.Unstructured) []FieldChange {
	owned := ownedFields(stored)
	var changes []FieldChange
	for _, path := range [][]string{{"metadata", "labels"}, {"spec"}} {
		wanted, _, _ := unstructured.NestedMap(desired.Object, path...)
		has, _, _ := unstructured.NestedMap(stored.Object, path...)
		own := owned
		for _, field := range path {
			own, _ = own["f:"+field].(map[string]any)
		}
		changes = append(changes, compareFields(strings.Join(path, "."), wanted, has, managed(own))...)
	}
	return changes
}

// ownership says which fields of an object are meshctl's, so that those that
// are not desired any more have to go.
type ownership interface {
	// field reports whether a field is, and returns the same for what is in it.
	field(name string) (ownership, bool)
}

// managed is the ownership that the API server notes: maps with "f:" before
// each name.
type managed map[string]any

func (m managed) field(name string) (ownership, bool) {
	inner, owned := m["f:"+name].(map[string]any)
	return managed(inner), owned
}

// everything is the ownership of whole objects.
type everything struct{}

func (e everything) field(string) (ownership, bool) { return e, true }

func compareFields(path string, desired, stored map[string]any, owned ownership) []FieldChange {
	names := map[string]bool{}
	for name := range desired {
		names[name] = true
	}
	for name := range stored {
		names[name] = true
	}
	var changes []FieldChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		field := path + "." + name
		if strings.ContainsAny(name, "./") {
			field = path + "[" + name + "]"
		}
		wanted, isWanted := desired[name]
		has, isThere := stored[name]
		inner, IsOwned := owned.field(name)
		switch wantedMap, hasMap := asMap(wanted), asMap(has); {
		case !isThere:
			changes = append(changes, FieldChange{field, ChangeAdd})
		case !isWanted && IsOwned:
			changes = append(changes, FieldChange{field, ChangeRemove})
		case !isWanted:
		case wantedMap != nil && hasMap != nil:
			changes = append(changes, compareFields(field, wantedMap, hasMap, inner)...)
		case !reflect.DeepEqual(wanted, has):
			changes = append(changes, FieldChange{field, ChangeModify})
		}
	}
	return changes
}

func asMap(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

// ownedFields returns the fields that meshctl applied, as the API server notes
// them: maps with "f:" before each name.
func ownedFields(object *unstructured.Unstructured) map[string]any {
	for _, entry := range object.GetManagedFields() {
		mine := entry.Manager == DefaultFieldManager && entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
		var fields map[string]any
		if mine && entry.FieldsV1 != nil && json.Unmarshal(entry.FieldsV1.GetRawBytes(), &fields) == nil {
			return fields
		}
	}
	return nil
}

// CompareSpecs returns how one specification differs from another, sorted by
// path: what comes, changes and goes.
func CompareSpecs(before, after map[string]any) []FieldChange {
	return compareFields("spec", after, before, everything{})
}

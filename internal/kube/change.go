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

// KeyOf returns the key of an object.
func KeyOf(object *unstructured.Unstructured) ObjectKey {
	return ObjectKey{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// ApplyAction returns the Error.Action for writing an object.
func ApplyAction(key ObjectKey) string {
	return "apply " + DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
}

// ChangeKind is the planned action for one object.
type ChangeKind string

// The kinds of changes.
const (
	// ChangeAdd and ChangeModify write the object, ChangeRemove deletes it.
	ChangeAdd    ChangeKind = "add"
	ChangeModify ChangeKind = "modify"
	ChangeRemove ChangeKind = "remove"
	// ChangeNone: the object is up to date.
	ChangeNone ChangeKind = "none"
	// ChangeLeave: the object is not desired, but must not be pruned either.
	ChangeLeave ChangeKind = "leave"
	// ChangeRefuse: an object of that name has another owner.
	ChangeRefuse ChangeKind = "refuse"
)

// Kept is the outcome for an object that was to be removed but changed after
// planning, so that it may be needed again.
const Kept Outcome = "kept"

// FieldChange is one field that changes.
type FieldChange struct {
	// Path is the path of the field, such as spec.mesh.name.
	Path string
	Kind ChangeKind
}

// CompareApplied returns how a stored object differs from the desired one in the
// fields that meshctl writes: the spec and the desired labels. Fields that others
// added are not a difference; fields that meshctl applied and no longer desires
// are. The status is ignored.
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
		changes = append(changes, compareFields(strings.Join(path, "."), wanted, has, ownedFieldSet(own))...)
	}
	return changes
}

// ownership says which fields of an object meshctl owns, so that those that are
// no longer desired are removed.
type ownership interface {
	// field reports whether meshctl owns a field, and returns the ownership of
	// its content.
	field(name string) (ownership, bool)
}

// ownedFieldSet is ownership as recorded by the API server: maps with "f:" in front of
// each name.
type ownedFieldSet map[string]any

func (m ownedFieldSet) field(name string) (ownership, bool) {
	inner, owned := m["f:"+name].(map[string]any)
	return ownedFieldSet(inner), owned
}

// ownsAll is the ownership of a whole object.
type ownsAll struct{}

func (e ownsAll) field(string) (ownership, bool) { return e, true }

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

// ownedFields returns the fields that meshctl applied, as recorded by the API
// server: maps with "f:" in front of each name.
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

// CompareSpecs returns the fields that are added, changed or removed between two
// specifications, sorted by path.
func CompareSpecs(before, after map[string]any) []FieldChange {
	return compareFields("spec", after, before, ownsAll{})
}

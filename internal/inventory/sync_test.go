package inventory

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
)

const (
	testOwner = "owner.example.com"
	testGroup = "cluster.example.com"
)

// thing returns an object of meshctl in a cluster.
func thing(t *testing.T, kind, name, cluster, spec string) *unstructured.Unstructured {
	t.Helper()
	text := fmt.Sprintf("apiVersion: example.com/v1\nkind: %s\nmetadata:\n  name: %s\n  namespace: ours\n  labels: {%s: us, %s: %s}\nspec: %s\n",
		kind, name, testOwner, testGroup, cluster, spec)
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &object.Object); err != nil {
		t.Fatal(err)
	}
	return object
}

func labelled(object *unstructured.Unstructured, labels map[string]string) *unstructured.Unstructured {
	object.SetLabels(labels)
	return object
}

// applied adds managed fields: the manager applied the given fields of the spec.
func applied(t *testing.T, object *unstructured.Unstructured, manager, fields string) *unstructured.Unstructured {
	t.Helper()
	var entry map[string]any
	text := fmt.Sprintf(`{"manager": %q, "operation": "Apply", "apiVersion": "example.com/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": %s}}`, manager, fields)
	if err := yaml.Unmarshal([]byte(text), &entry); err != nil {
		t.Fatal(err)
	}
	if err := unstructured.SetNestedSlice(object.Object, []any{entry}, "metadata", "managedFields"); err != nil {
		t.Fatal(err)
	}
	return object
}

func storedOf(objects ...*unstructured.Unstructured) *Stored {
	stored := &Stored{
		connection: kube.New("mgmt", kube.SourceManagement, &rest.Config{Host: "https://mgmt"}, kube.Options{}), namespace: "ours",
		objects: map[kube.ObjectKey]*unstructured.Unstructured{},
	}
	for _, kind := range []string{"Mesh", "Workload"} {
		stored.kinds = append(stored.kinds, schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: kind})
	}
	for _, object := range objects {
		stored.objects[kube.KeyOf(object)] = object
	}
	return stored
}

func TestPlan(t *testing.T) {
	t.Parallel()
	foreign := map[string]string{testOwner: "them"}
	tests := []struct {
		name            string
		stored, desired []*unstructured.Unstructured
		// seen are the clusters that were read completely.
		seen []string
		want []string
	}{
		{
			name: "everything is new, and sorted by cluster, kind and name",
			desired: []*unstructured.Unstructured{
				thing(t, "Workload", "a", "west", "{}"), thing(t, "Workload", "c", "east", "{}"), thing(t, "Workload", "b", "east", "{}"),
				thing(t, "Mesh", "z", "east", "{}"),
			},
			want: []string{"east: add Mesh z", "east: add Workload b", "east: add Workload c", "west: add Workload a"},
		},
		{
			name:    "nothing changes, whoever else wrote fields, labels and a status",
			desired: []*unstructured.Unstructured{thing(t, "Mesh", "a", "east", "{name: x, ports: [{port: 1}], empty: {}}")},
			stored: []*unstructured.Unstructured{
				applied(t, thing(t, "Mesh", "a", "east, team: blue", "{name: x, ports: [{port: 1}], theirs: 1, empty: {theirs: 2}}\nstatus: {ok: true}"),
					"other", `{"f:theirs": {}, "f:empty": {"f:theirs": {}}}`),
			},
			want: []string{"east: none Mesh a"},
		},
		{
			name:    "fields are added, changed, and removed where they are ours",
			desired: []*unstructured.Unstructured{thing(t, "Mesh", "a", "east", "{new: 1, changed: {deep: 2, same: 3}, list: [1, 2]}")},
			stored: []*unstructured.Unstructured{
				applied(t, thing(t, "Mesh", "a", "east", "{changed: {deep: 1, same: 3}, list: [1], ours: {x: 1}, theirs: 1, 'a.b/c': 1}"),
					kube.DefaultFieldManager, `{"f:ours": {"f:x": {}}, "f:a.b/c": {}}`),
			},
			want: []string{"east: modify Mesh a [- spec[a.b/c]] [~ spec.changed.deep] [~ spec.list] [+ spec.new] [- spec.ours]"},
		},
		{
			name: "stale objects are removed only if everything was discovered",
			stored: []*unstructured.Unstructured{
				thing(t, "Mesh", "a", "east", "{}"), thing(t, "Mesh", "b", "west", "{}"), labelled(thing(t, "Mesh", "c", "", "{}"), foreign),
			},
			seen: []string{"east"},
			want: []string{"east: remove Mesh a", "west: leave Mesh b"},
		},
		{
			name:    "an object of the same name that somebody else made is refused",
			desired: []*unstructured.Unstructured{thing(t, "Mesh", "a", "east", "{}")},
			stored:  []*unstructured.Unstructured{labelled(thing(t, "Mesh", "a", "", "{}"), foreign)},
			seen:    []string{"east"},
			want: []string{
				"east: refuse Mesh a: cannot apply Mesh a in ours on cluster mgmt: exists with another owner: it has no label " + testOwner + "=us",
			},
		},
		{
			name:    "an object of another cluster is refused",
			desired: []*unstructured.Unstructured{thing(t, "Mesh", "a-b", "c", "{}")},
			stored:  []*unstructured.Unstructured{thing(t, "Mesh", "a-b", "b-c", "{}")},
			want:    []string{"c: refuse Mesh a-b: cannot apply Mesh a-b in ours on cluster mgmt: an object with this name belongs to b-c, not to c"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plan := storedOf(tt.stored...).Plan(tt.desired, Options{
				Owner: map[string]string{testOwner: "us"}, GroupLabel: testGroup,
				Stale: func(u *unstructured.Unstructured) bool {
					for _, name := range tt.seen {
						if u.GetLabels()[testGroup] == name {
							return true
						}
					}
					return false
				},
			})
			if diff := cmp.Diff(tt.want, describePlan(plan)); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func describePlan(plan *Plan) []string {
	var lines []string
	for _, c := range plan.Changes {
		line := fmt.Sprintf("%s: %s %s %s", c.Group, c.Kind, c.Key.GVK.Kind, c.Key.Name)
		for _, f := range c.Fields {
			line += fmt.Sprintf(" [%s %s]", map[kube.ChangeKind]string{kube.ChangeAdd: "+", kube.ChangeModify: "~", kube.ChangeRemove: "-"}[f.Kind], f.Path)
		}
		if c.Err != nil {
			line += ": " + c.Err.Message()
		}
		lines = append(lines, line)
	}
	return lines
}

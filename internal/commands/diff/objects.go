package diff

import (
	"context"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// objectDifference is an Istio object that only one of two worlds has, or that
// they have differently.
type objectDifference struct {
	cluster       string
	before, after *istio.Object
}

// object returns the new version of the object, or the old one if it is removed.
func (d *objectDifference) object() *istio.Object {
	if d.after != nil {
		return d.after
	}
	return d.before
}

func (d *objectDifference) kind() kube.ChangeKind {
	switch {
	case d.before == nil:
		return kube.ChangeAdd
	case d.after == nil:
		return kube.ChangeRemove
	default:
		return kube.ChangeModify
	}
}

// fields returns the fields that differ in an object that both worlds have.
func (d *objectDifference) fields() ([]kube.FieldChange, error) {
	if d.before == nil || d.after == nil {
		return nil, nil
	}
	var fields []kube.FieldChange
	for _, key := range []string{istio.ParentsAnnotation, istio.FederationAnnotation} {
		if d.before.Annotations()[key] != d.after.Annotations()[key] {
			fields = append(fields, kube.FieldChange{Path: "metadata.annotations[" + key + "]", Kind: kube.ChangeModify})
		}
	}
	before, err := d.before.Fields()
	if err != nil {
		return nil, err
	}
	after, err := d.after.Fields()
	if err != nil {
		return nil, err
	}
	was, _ := before["spec"].(map[string]any)
	is, _ := after["spec"].(map[string]any)
	return append(fields, kube.CompareSpecs(was, is)...), nil
}

// compareObjects renders both worlds, one cluster at a time.
func (d *diffRun) compareObjects(ctx context.Context) error {
	was := istio.New(d.before, istio.Options{Namespace: d.namespace})
	is := istio.New(d.after, istio.Options{Namespace: d.namespace})
	names := slices.Concat(was.Clusters(), is.Clusters())
	slices.Sort(names)
	for _, cluster := range slices.Compact(names) {
		if err := ctx.Err(); err != nil {
			return err
		}
		before, _ := was.Cluster(cluster)
		after, _ := is.Cluster(cluster)
		d.objects = append(d.objects, differences(cluster, before, after)...)
	}
	return nil
}

// differences merges two sorted lists of objects.
func differences(cluster string, before, after []istio.Object) []objectDifference {
	var found []objectDifference
	for len(before)+len(after) > 0 {
		order := 0
		switch {
		case len(before) == 0:
			order = 1
		case len(after) == 0:
			order = -1
		default:
			order = compareIdentities(&before[0], &after[0])
		}
		switch {
		case order < 0:
			found = append(found, objectDifference{cluster: cluster, before: &before[0]})
			before = before[1:]
		case order > 0:
			found = append(found, objectDifference{cluster: cluster, after: &after[0]})
			after = after[1:]
		default:
			if !sameObject(&before[0], &after[0]) {
				found = append(found, objectDifference{cluster, &before[0], &after[0]})
			}
			before, after = before[1:], after[1:]
		}
	}
	return found
}

func compareIdentities(a, b *istio.Object) int {
	return slices.Compare([]string{string(a.Kind), a.Namespace, a.Name}, []string{string(b.Kind), b.Namespace, b.Name})
}

func sameObject(a, b *istio.Object) bool {
	return a.Federates == b.Federates && slices.Equal(a.Parents, b.Parents) && proto.Equal(a.Spec, b.Spec)
}

// identity names the object the way users do.
func identity(o *istio.Object) string {
	return string(o.Kind) + " " + o.Namespace + "/" + o.Name
}

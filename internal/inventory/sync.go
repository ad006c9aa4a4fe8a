package inventory

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// Stored is a snapshot of the objects of some kinds in a namespace. A Plan is made against it.
type Stored struct {
	connection *kube.Connection
	namespace  string
	kinds      []schema.GroupVersionKind
	objects    map[kube.ObjectKey]*unstructured.Unstructured
	// withoutFacts are the kinds of discovery whose CRDs have no facts.
	withoutFacts []string
}

// ReadStored reads all objects of the given kinds in a namespace, regardless of their owner.
//
// Call it before determining the desired objects. Otherwise a plan could treat objects that
// someone else creates in between as stale. It returns an error if the namespace or a kind
// does not exist or cannot be read.
func ReadStored(ctx context.Context, c *kube.Connection, namespace string, kinds []schema.GroupVersionKind) (*Stored, error) {
	stored := &Stored{connection: c, namespace: namespace, kinds: kinds, objects: map[kube.ObjectKey]*unstructured.Unstructured{}}
	lists := make([][]*unstructured.Unstructured, len(kinds))
	questions := []kube.Question{func(ctx context.Context) error { return kube.CheckNamespace(ctx, c, namespace) }}
	for i, gvk := range kinds {
		questions = append(questions, func(ctx context.Context) error {
			resource, err := c.Resource(ctx, gvk)
			if err != nil {
				return err
			}
			lists[i], err = kube.List(ctx, c, resource.GroupVersionResource, kube.ListOptions{Namespace: namespace}, func(u *unstructured.Unstructured) *unstructured.Unstructured {
				u.SetGroupVersionKind(gvk) // items of a list may omit their type
				return u
			})
			return err
		})
	}
	failed, err := kube.Ask(ctx, c, 0, questions...)
	if err != nil {
		return nil, err
	}
	if len(failed) > 0 {
		return nil, failed[len(failed)-1] // a missing kind is more informative than a missing namespace
	}
	for _, list := range lists {
		for _, object := range list {
			stored.objects[kube.KeyOf(object)] = object
		}
	}
	return stored, nil
}

// Object returns a stored object, nil if it does not exist.
func (s *Stored) Object(key kube.ObjectKey) *unstructured.Unstructured { return s.objects[key] }

// Options say which objects a plan may change.
type Options struct {
	// Owner are the labels of the objects that may be changed and deleted. Objects without them
	// belong to someone else, whatever their name (D40).
	Owner map[string]string
	// GroupLabel is the label that divides the objects into groups, for example by cluster. An
	// object never moves to another group.
	GroupLabel string
	// Stale reports whether to delete an object that is not desired. If it is nil, nothing is
	// deleted.
	Stale func(*unstructured.Unstructured) bool
}

// Change is a planned change of one object.
type Change struct {
	Kind kube.ChangeKind
	Key  kube.ObjectKey
	// Group is the value of the group label; empty if the object has none.
	Group string
	// Fields are the fields changed by ChangeModify, sorted by path.
	Fields []kube.FieldChange
	// Err says who owns the object, for ChangeRefuse.
	Err *kube.Error

	desired, stored *unstructured.Unstructured
}

// Plan is the list of changes that make the stored objects match the desired ones.
type Plan struct {
	connection *kube.Connection
	opts       Options
	kinds      []schema.GroupVersionKind
	// Changes are sorted by group, kind (in the order of ReadStored) and name. They include
	// unchanged objects (ChangeNone) and those to leave alone (ChangeLeave).
	Changes []Change
}

// Plan compares the desired objects with the stored ones. The desired objects must be
// distinct, be of the kinds and in the namespace that were read, and carry the owner labels.
// Plan sends no requests.
func (s *Stored) Plan(desired []*unstructured.Unstructured, opts Options) *Plan {
	plan := &Plan{connection: s.connection, opts: opts, kinds: s.kinds}
	wanted := map[kube.ObjectKey]bool{}
	for _, object := range desired {
		wanted[kube.KeyOf(object)] = true
		plan.Changes = append(plan.Changes, plan.change(object, s.objects[kube.KeyOf(object)]))
	}
	for key, object := range s.objects {
		if wanted[key] || !kube.IsOwned(object, opts.Owner) {
			continue
		}
		change := Change{Kind: kube.ChangeLeave, Key: key, Group: object.GetLabels()[opts.GroupLabel], stored: object}
		if opts.Stale != nil && opts.Stale(object) {
			change.Kind = kube.ChangeRemove
		}
		plan.Changes = append(plan.Changes, change)
	}
	plan.sort()
	return plan
}

// change returns the change for a desired object.
func (p *Plan) change(desired, stored *unstructured.Unstructured) Change {
	change := Change{Kind: kube.ChangeAdd, Key: kube.KeyOf(desired), Group: desired.GetLabels()[p.opts.GroupLabel], desired: desired, stored: stored}
	if stored == nil {
		return change
	}
	if err := p.connection.CheckOwner(kube.ApplyAction(change.Key), stored, p.opts.Owner); err != nil {
		change.Kind, change.Err = kube.ChangeRefuse, p.connection.Translate(kube.ApplyAction(change.Key), err)
		return change
	}
	if group := stored.GetLabels()[p.opts.GroupLabel]; group != change.Group {
		e := &kube.Error{
			Cluster: p.connection.Name, Action: kube.ApplyAction(change.Key), Reason: kube.ReasonConflict,
			Why:  "an object with this name belongs to " + groupName(group) + ", not to " + groupName(change.Group),
			Hint: "discover both together, or rename one of the originals",
		}
		change.Kind, change.Err = kube.ChangeRefuse, e.WithCause(kube.ErrForeign)
		return change
	}
	change.Kind = kube.ChangeNone
	if change.Fields = kube.CompareApplied(desired, stored); len(change.Fields) > 0 {
		change.Kind = kube.ChangeModify
	}
	return change
}

// ownerOf returns the labels that the stored object must have for the change to be allowed.
func (p *Plan) ownerOf(change Change) map[string]string {
	owner := map[string]string{}
	for key, value := range p.opts.Owner {
		owner[key] = value
	}
	if p.opts.GroupLabel != "" {
		owner[p.opts.GroupLabel] = change.Group
	}
	return owner
}

func groupName(group string) string {
	if group == "" {
		return "no cluster"
	}
	return group
}

// Count returns the number of changes of a kind in a group.
func (p *Plan) Count(group string, kind kube.ChangeKind) int {
	count := 0
	for i := range p.Changes {
		if p.Changes[i].Group == group && p.Changes[i].Kind == kind {
			count++
		}
	}
	return count
}

// rank returns the position of a kind in the order of ReadStored.
func (p *Plan) rank(gvk schema.GroupVersionKind) int {
	for i, kind := range p.kinds {
		if kind == gvk {
			return i
		}
	}
	return len(p.kinds)
}

func (p *Plan) compare(a, b Change) int {
	if byGroup := strings.Compare(a.Group, b.Group); byGroup != 0 {
		return byGroup
	}
	if byKind := p.rank(a.Key.GVK) - p.rank(b.Key.GVK); byKind != 0 {
		return byKind
	}
	return compareObjects(a.Key, b.Key)
}

func compareObjects(a, b kube.ObjectKey) int {
	return strings.Compare(a.Namespace+"\x00"+a.Name, b.Namespace+"\x00"+b.Name)
}

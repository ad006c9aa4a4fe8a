package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// Plan is what it takes to make a cluster have the desired objects and nothing
// else of meshctl's.
type Plan struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Changes are sorted by kind, namespace and name.
	Changes []Change
	// Unchanged counts the objects that are as they should be.
	Unchanged int
	// Unread says which kinds could not be listed, sorted by kind. Desired objects of these
	// are refused, and none is removed.
	Unread []*kube.Error

	connection *kube.Connection
	opts       Options
	outputs    []Object
	// unseen are the kinds of which the cluster may have objects that could not be
	// listed.
	unseen map[schema.GroupKind]*kube.Error
}

// Count returns how many changes there are of a kind.
func (p *Plan) Count(kind kube.ChangeKind) int {
	count := 0
	for i := range p.Changes {
		if p.Changes[i].Kind == kind {
			count++
		}
	}
	return count
}

// Empty reports whether there is nothing to write.
func (p *Plan) Empty() bool { return p.Count(kube.ChangeRefuse) == len(p.Changes) }

// NewPlan compares the desired objects, each of another identity, with what the
// cluster has. It lists what carries the labels of the owner, page by page, and
// keeps of that only what is to be changed; of objects that are to be added it
// finds out whether somebody else has one of that name. All of it must be done
// within the deadline (DefaultDeadline if 0).
//
// A kind that cannot be listed fails for itself: its desired objects are refused. The
// error is about the cluster as a whole.
func NewPlan(ctx context.Context, c *kube.Connection, outputs []Object, opts Options, deadline time.Duration) (*Plan, error) {
	p := &planner{
		plan:   &Plan{Cluster: c.Name, connection: c, opts: opts, outputs: outputs, unseen: map[schema.GroupKind]*kube.Error{}},
		byKind: make([]kindPlan, len(opts.Kinds)),
	}
	kinds := map[schema.GroupKind]int{}
	for i, gvk := range opts.Kinds {
		kinds[gvk.GroupKind()] = i
		p.byKind[i].wanted = map[kube.ObjectKey]int{}
	}
	for i := range outputs {
		kind, known := kinds[outputs[i].Key.GVK.GroupKind()]
		if !known {
			return nil, fmt.Errorf("plan the outputs of cluster %s: %s is none of the kinds", c.Name, outputs[i].Key.GVK.Kind)
		}
		p.byKind[kind].wanted[kube.Unversioned(outputs[i].Key)] = i
	}
	var questions []kube.Question
	for i, gvk := range opts.Kinds {
		questions = append(questions, func(ctx context.Context) error { return p.planKind(ctx, gvk, &p.byKind[i]) })
	}
	if _, err := kube.Ask(ctx, c, deadline, questions...); err != nil {
		return nil, err
	}
	return p.finish(), nil
}

// planner makes a Plan.
type planner struct {
	plan   *Plan
	byKind []kindPlan
}

// kindPlan is what is known about one kind. Only one goroutine has it.
type kindPlan struct {
	// wanted are the positions of the desired objects that were not seen yet.
	wanted    map[kube.ObjectKey]int
	changes   []Change
	unchanged int
	err       *kube.Error
}

// planKind finds out about the objects of one kind.
func (p *planner) planKind(ctx context.Context, gvk schema.GroupVersionKind, k *kindPlan) error {
	c := p.plan.connection
	if err := p.plan.opts.Unlisted[gvk.GroupKind()]; err != nil {
		k.err = c.Translate("list "+gvk.Kind+" objects", err)
		return k.err
	}
	resource, err := c.Resource(ctx, gvk)
	if err == nil {
		owner := kube.ListOptions{Labels: labels.SelectorFromSet(p.plan.opts.Owner).String()}
		var all []seenObject
		all, err = kube.List(ctx, c, resource.GroupVersionResource, owner, func(u *unstructured.Unstructured) seenObject {
			u.SetGroupVersionKind(gvk) // items of a list need not name their type
			return p.see(u, k)
		})
		if err == nil {
			for _, seen := range all {
				k.take(seen)
			}
		}
	}
	if err == nil {
		err = p.lookForForeign(ctx, resource.GroupVersionResource, k)
	}
	if err == nil {
		return nil
	}
	k.err = c.Translate("list "+gvk.Kind+" objects", err)
	return k.err
}

// seenObject is what came of comparing one stored object: the desired object that it
// is, and the change if it needs one.
type seenObject struct {
	key    kube.ObjectKey
	change *Change
}

// see compares a stored object with what is wanted in its place. It changes
// nothing, because a list may begin again.
func (p *planner) see(stored *unstructured.Unstructured, k *kindPlan) seenObject {
	seen := seenObject{key: kube.Unversioned(kube.KeyOf(stored))}
	position, wanted := k.wanted[seen.key]
	if !wanted {
		if stored.GetDeletionTimestamp() == nil {
			stored.SetManagedFields(nil)
			seen.change = &Change{Kind: kube.ChangeRemove, Key: kube.KeyOf(stored), position: -1, stored: stored}
		}
		return seen
	}
	output := &p.plan.outputs[position]
	change := Change{Kind: kube.ChangeModify, Key: output.Key, output: output, position: position, stored: stored}
	desired, err := output.Build()
	if err == nil && stored.GetDeletionTimestamp() != nil {
		err = &kube.Error{
			Cluster: p.plan.Cluster, Action: kube.ApplyAction(output.Key), Reason: kube.ReasonConflict, Why: "it is being deleted, and its finalizers keep it for now",
			Hint: "wait until it is gone, or see who has to remove the finalizers, then apply again",
		}
	}
	if err != nil {
		stored.SetManagedFields(nil)
		change.Kind, change.Err = kube.ChangeRefuse, p.plan.connection.Translate(kube.ApplyAction(output.Key), err)
		seen.change = &change
		return seen
	}
	change.Fields = fieldChanges(desired, stored)
	if len(change.Fields) == 0 {
		return seen
	}
	if output.Transition != nil {
		change.transition, change.early = output.Transition(stored, desired)
	}
	stored.SetManagedFields(nil)
	seen.change = &change
	return seen
}

func (k *kindPlan) take(seen seenObject) {
	if seen.change == nil {
		if _, wanted := k.wanted[seen.key]; wanted {
			k.unchanged++
		}
	} else {
		k.changes = append(k.changes, *seen.change)
	}
	delete(k.wanted, seen.key)
}

// singleLookups is up to how many objects are asked for one by one.
const singleLookups = 20

// lookForForeign makes changes of the desired objects that the owner does not have yet.
// One that somebody else has is refused.
func (p *planner) lookForForeign(ctx context.Context, resource schema.GroupVersionResource, k *kindPlan) error {
	there, err := p.existing(ctx, resource, k.wanted)
	if err != nil {
		return err
	}
	for key, position := range k.wanted {
		output := &p.plan.outputs[position]
		change := Change{Kind: kube.ChangeAdd, Key: output.Key, output: output, position: position}
		if meta, exists := there[key]; exists {
			object := &unstructured.Unstructured{Object: map[string]any{}}
			object.SetLabels(meta.Labels)
			object.SetManagedFields(meta.ManagedFields)
			if err := p.plan.connection.CheckOwner(kube.ApplyAction(output.Key), object, p.plan.opts.Owner); err != nil {
				change.Kind, change.Err = kube.ChangeRefuse, p.plan.connection.Translate(kube.ApplyAction(output.Key), err)
			}
		}
		k.changes = append(k.changes, change)
	}
	return nil
}

// existing returns the metadata of the objects that exist, whoever they belong
// to.
func (p *planner) existing(ctx context.Context, resource schema.GroupVersionResource, wanted map[kube.ObjectKey]int) (map[kube.ObjectKey]metav1.ObjectMeta, error) {
	there := map[kube.ObjectKey]metav1.ObjectMeta{}
	if len(wanted) == 0 {
		return there, nil
	}
	c := p.plan.connection
	keys := make([]kube.ObjectKey, 0, len(wanted))
	for key := range wanted {
		keys = append(keys, key)
	}
	if len(wanted) > singleLookups {
		metas, err := kube.ListMetadata(ctx, c, resource, kube.ListOptions{})
		for _, meta := range metas {
			key := kube.ObjectKey{GVK: keys[0].GVK, Namespace: meta.Namespace, Name: meta.Name}
			if _, ok := wanted[key]; ok {
				there[key] = meta
			}
		}
		return there, err
	}
	client, err := c.Metadata()
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		found, err := client.Resource(resource).Namespace(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) && !kube.IsMissingKindError(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		there[key] = found.ObjectMeta
	}
	return there, nil
}

// finish puts the kinds together.
func (p *planner) finish() *Plan {
	plan := p.plan
	for i := range p.byKind {
		k := &p.byKind[i]
		if k.err != nil {
			k.refuseRest(plan)
			if k.err.Reason != kube.ReasonNoSuchKind {
				plan.unseen[plan.opts.Kinds[i].GroupKind()] = k.err
			}
			if k.err.Reason == kube.ReasonNoSuchKind && len(k.changes) == 0 {
				continue // nothing is wanted of it, and nothing can be there
			}
			plan.Unread = append(plan.Unread, k.err)
		}
		plan.Changes = append(plan.Changes, k.changes...)
		plan.Unchanged += k.unchanged
	}
	slices.SortFunc(plan.Changes, func(a, b Change) int {
		return CompareKeys(a.Key, b.Key)
	})
	return plan
}

// CompareKeys is the order of the changes of a Plan: negative if a comes
// before b, 0 if they are the same object.
func CompareKeys(a, b kube.ObjectKey) int { return strings.Compare(sortText(a), sortText(b)) }

// sortText orders keys by kind, namespace and name.
func sortText(key kube.ObjectKey) string {
	return strings.Join([]string{key.GVK.Kind, key.Namespace, key.Name, key.GVK.Group}, "\x00")
}

// refuseRest refuses the desired objects of a kind of which it is not known whether they
// are there.
func (k *kindPlan) refuseRest(plan *Plan) {
	for _, position := range k.wanted {
		output, own := &plan.outputs[position], *k.err
		own.Action = kube.ApplyAction(output.Key)
		k.changes = append(k.changes, Change{Kind: kube.ChangeRefuse, Key: output.Key, Err: &own, output: output, position: position})
	}
}

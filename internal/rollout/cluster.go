package rollout

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// Cluster is the plan for one cluster: the changes after which it has exactly the objects
// rendered for it.
type Cluster struct {
	Name string
	// Objects are the objects rendered for the cluster.
	Objects []istio.Object
	// Changes are sorted by kind, namespace and name.
	Changes []Change
	// Unchanged counts the objects that already match.
	Unchanged int
	// Unread are the kinds that could not be listed, sorted by kind. Their desired objects are
	// refused, and none of them is pruned.
	Unread []*kube.Error
	// Err is why the cluster cannot be written to. Nothing else is known about the cluster then.
	Err error

	connection *kube.Connection
	// needs holds, for each object, the positions of the objects that it depends on. An object
	// is not written if one of these could not be written, because it would do harm without it.
	needs [][]int
	// owner are the labels of the objects that may be changed and removed. Objects without them
	// belong to someone else, whatever their name (D40).
	owner map[string]string
	// unseen are the kinds that could not be listed although the cluster may have objects of
	// them.
	unseen map[schema.GroupKind]*kube.Error
}

// Count returns the number of changes of a kind.
func (c *Cluster) Count(kind kube.ChangeKind) int {
	count := 0
	for i := range c.Changes {
		if c.Changes[i].Kind == kind {
			count++
		}
	}
	return count
}

// Writes returns the number of objects to create, change or delete.
func (c *Cluster) Writes() int {
	return c.Count(kube.ChangeAdd) + c.Count(kube.ChangeModify) + c.Count(kube.ChangeRemove)
}

// Outcomes returns the number of objects by outcome.
func (c *Cluster) Outcomes() map[kube.Outcome]int {
	count := map[kube.Outcome]int{kube.Unchanged: c.Unchanged}
	for i := range c.Changes {
		if outcome := c.Changes[i].Outcome; outcome != "" {
			count[outcome]++
		}
	}
	return count
}

// Failed reports whether the cluster does not, or would not, match what is rendered for it.
func (c *Cluster) Failed() bool {
	return c.Err != nil || len(c.Unread) > 0 || slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Err != nil })
}

// Errors returns the errors that concern the cluster as a whole or whole kinds.
func (c *Cluster) Errors() []string {
	var errs []string
	if c.Err != nil {
		errs = append(errs, c.Err.Error())
	}
	for _, e := range c.Unread {
		errs = append(errs, e.Error())
	}
	return errs
}

// TakesPart reports whether the cluster is usable and has changes, including refused ones.
func (c *Cluster) TakesPart() bool { return c.Err == nil && len(c.Changes) > 0 }

// compare compares the rendered objects, which must be distinct, with those of the cluster. It
// lists the objects with the owner labels page by page and keeps only those that need a
// change. For objects to be added, it checks whether someone else owns an object with that
// name.
//
// If a kind cannot be listed, only the desired objects of that kind are refused. The returned
// error concerns the cluster as a whole.
func (c *Cluster) compare(ctx context.Context, opts compareOptions) error {
	p := &planner{cluster: c, opts: opts, connection: c.connection}
	c.needs, c.unseen = istio.Needs(c.Objects), map[schema.GroupKind]*kube.Error{}
	kinds := map[istio.Kind]int{}
	for i, kind := range istio.Kinds() {
		kinds[kind] = i
		p.byKind = append(p.byKind, kindPlan{gvk: kind.GVK(), wanted: map[kube.ObjectKey]int{}})
	}
	for i := range c.Objects {
		kind := &p.byKind[kinds[c.Objects[i].Kind]]
		kind.wanted[kube.Unversioned(keyOf(&c.Objects[i]))] = i
	}
	var questions []kube.Question
	for i := range p.byKind {
		questions = append(questions, func(ctx context.Context) error { return p.planKind(ctx, &p.byKind[i]) })
	}
	if _, err := kube.Ask(ctx, c.connection, opts.deadline, questions...); err != nil {
		return err
	}
	p.finish()
	return nil
}

// compareOptions configure the comparison of a cluster.
type compareOptions struct {
	// deadline limits the whole comparison; kube.DefaultDeadline if 0.
	deadline time.Duration
	// keep disables pruning.
	keep bool
	// guard refuses changes that would remove protection; nil allows them.
	guard *istio.Guard
	// unlisted are kinds that could not be listed before rendering, and why. They are not listed
	// again: their desired objects are refused, and none of them is pruned.
	unlisted map[schema.GroupKind]error
}

// planner compares one cluster.
type planner struct {
	cluster    *Cluster
	connection *kube.Connection
	opts       compareOptions
	byKind     []kindPlan
}

// kindPlan is the state of one kind. Only one goroutine uses it.
type kindPlan struct {
	gvk schema.GroupVersionKind
	// wanted holds the positions of the desired objects that have not been found in the cluster
	// yet.
	wanted    map[kube.ObjectKey]int
	changes   []Change
	unchanged int
	err       *kube.Error
}

// planKind plans the changes of the objects of one kind.
func (p *planner) planKind(ctx context.Context, k *kindPlan) error {
	c, gvk := p.connection, k.gvk
	if err := p.opts.unlisted[gvk.GroupKind()]; err != nil {
		k.err = c.Translate("list "+gvk.Kind+" objects", err)
		return k.err
	}
	resource, err := c.Resource(ctx, gvk)
	if err == nil {
		owner := kube.ListOptions{Labels: labels.SelectorFromSet(p.cluster.owner).String()}
		var all []comparedObject
		all, err = kube.List(ctx, c, resource.GroupVersionResource, owner, func(u *unstructured.Unstructured) comparedObject {
			u.SetGroupVersionKind(gvk) // items of a list may omit their type
			return p.compareStored(u, k)
		})
		if err == nil {
			for _, seen := range all {
				k.add(seen)
			}
		}
	}
	if err == nil {
		err = p.planAdditions(ctx, resource.GroupVersionResource, k)
	}
	if err == nil {
		return nil
	}
	k.err = c.Translate("list "+gvk.Kind+" objects", err)
	return k.err
}

// comparedObject is the result of comparing one stored object: its key and the change, nil if none
// is needed.
type comparedObject struct {
	key    kube.ObjectKey
	change *Change
}

// compareStored compares a stored object with the desired one of the same name. It does not modify k,
// because a list may be restarted.
func (p *planner) compareStored(stored *unstructured.Unstructured, k *kindPlan) comparedObject {
	seen := comparedObject{key: kube.Unversioned(kube.KeyOf(stored))}
	position, wanted := k.wanted[seen.key]
	if !wanted {
		if stored.GetDeletionTimestamp() == nil {
			stored.SetManagedFields(nil)
			seen.change = &Change{Kind: kube.ChangeRemove, Key: kube.KeyOf(stored), position: noPosition, stored: stored}
			if p.opts.keep {
				seen.change.Kind = kube.ChangeLeave
			} else {
				p.protect(seen.change, deleteAction(seen.change.Key), nil)
			}
		}
		return seen
	}
	object := &p.cluster.Objects[position]
	change := Change{Kind: kube.ChangeModify, Key: keyOf(object), desired: object, position: position, stored: stored}
	desired, err := manifest(object)
	if err == nil && stored.GetDeletionTimestamp() != nil {
		err = &kube.Error{
			Cluster: p.cluster.Name, Action: kube.ApplyAction(change.Key), Reason: kube.ReasonConflict, Why: "it is being deleted and has finalizers",
			Hint: "wait until it is deleted, or check its finalizers, then run 'meshctl apply' again",
		}
	}
	if err != nil {
		stored.SetManagedFields(nil)
		change.Kind, change.Err = kube.ChangeRefuse, p.connection.Translate(kube.ApplyAction(change.Key), err)
		seen.change = &change
		return seen
	}
	change.Fields = fieldChanges(desired, stored)
	if len(change.Fields) == 0 {
		return seen
	}
	change.transition, change.early = transition(object, stored, desired)
	stored.SetManagedFields(nil)
	p.protect(&change, kube.ApplyAction(change.Key), specOf(desired))
	seen.change = &change
	return seen
}

// protect refuses a change that would remove protection which may still be wanted (D70).
func (p *planner) protect(change *Change, action string, desired map[string]any) {
	if p.opts.guard == nil {
		return
	}
	why := p.opts.guard.Keeps(istio.Stored{
		Cluster: p.cluster.Name, Kind: istio.Kind(change.Key.GVK.Kind), Namespace: change.Key.Namespace, Spec: specOf(change.stored),
		Parents: istio.ParentsIn(change.stored.GetAnnotations()[istio.ParentsAnnotation]),
	}, desired)
	if why == "" {
		return
	}
	change.Kind, change.transition, change.Held = kube.ChangeRefuse, nil, true
	change.Err = &kube.Error{
		Cluster: p.cluster.Name, Action: action, Reason: kube.ReasonConflict, Why: "it protects workloads, and " + why,
		Hint: "fix it, or pass --accept-loss to remove the protection",
	}
}

func (k *kindPlan) add(seen comparedObject) {
	if seen.change == nil {
		if _, wanted := k.wanted[seen.key]; wanted {
			k.unchanged++
		}
	} else {
		k.changes = append(k.changes, *seen.change)
	}
	delete(k.wanted, seen.key)
}

// singleLookups is the number of objects up to which they are fetched one by one instead of
// listed.
const singleLookups = 20

// planAdditions adds changes for the desired objects that were not found among the owner's.
// An object that someone else owns is refused.
func (p *planner) planAdditions(ctx context.Context, resource schema.GroupVersionResource, k *kindPlan) error {
	there, err := p.existing(ctx, resource, k.wanted)
	if err != nil {
		return err
	}
	for key, position := range k.wanted {
		desired := &p.cluster.Objects[position]
		change := Change{Kind: kube.ChangeAdd, Key: keyOf(desired), desired: desired, position: position}
		if meta, exists := there[key]; exists {
			object := &unstructured.Unstructured{Object: map[string]any{}}
			object.SetLabels(meta.Labels)
			object.SetManagedFields(meta.ManagedFields)
			if err := p.connection.CheckOwner(kube.ApplyAction(change.Key), object, p.cluster.owner); err != nil {
				change.Kind, change.Err = kube.ChangeRefuse, p.connection.Translate(kube.ApplyAction(change.Key), err)
			}
		}
		k.changes = append(k.changes, change)
	}
	return nil
}

// existing returns the metadata of the wanted objects that exist, regardless of their owner.
func (p *planner) existing(ctx context.Context, resource schema.GroupVersionResource, wanted map[kube.ObjectKey]int) (map[kube.ObjectKey]metav1.ObjectMeta, error) {
	there := map[kube.ObjectKey]metav1.ObjectMeta{}
	if len(wanted) == 0 {
		return there, nil
	}
	c := p.connection
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

// finish combines the results of all kinds.
func (p *planner) finish() {
	c := p.cluster
	for i := range p.byKind {
		k := &p.byKind[i]
		if k.err != nil {
			k.refuseRest(c)
			if k.err.Reason != kube.ReasonNoSuchKind {
				c.unseen[k.gvk.GroupKind()] = k.err
			}
			if k.err.Reason == kube.ReasonNoSuchKind && len(k.changes) == 0 {
				continue // no object of the kind is desired, and none can exist
			}
			c.Unread = append(c.Unread, k.err)
		}
		c.Changes = append(c.Changes, k.changes...)
		c.Unchanged += k.unchanged
	}
	slices.SortFunc(c.Changes, func(a, b Change) int { return strings.Compare(sortText(a.Key), sortText(b.Key)) })
}

// sortText returns a text that sorts keys by kind, namespace and name.
func sortText(key kube.ObjectKey) string {
	return strings.Join([]string{key.GVK.Kind, key.Namespace, key.Name, key.GVK.Group}, "\x00")
}

// refuseRest refuses the desired objects of a kind that could not be listed.
func (k *kindPlan) refuseRest(c *Cluster) {
	for _, position := range k.wanted {
		desired, own := &c.Objects[position], *k.err
		own.Action = kube.ApplyAction(keyOf(desired))
		k.changes = append(k.changes, Change{Kind: kube.ChangeRefuse, Key: keyOf(desired), Err: &own, desired: desired, position: position})
	}
}

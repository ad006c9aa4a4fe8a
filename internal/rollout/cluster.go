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

// Cluster is what it takes to make one cluster have what is rendered for it, and
// nothing else of meshctl's.
type Cluster struct {
	Name string
	// Objects are what is rendered for the cluster.
	Objects []istio.Object
	// Changes are sorted by kind, namespace and name.
	Changes []Change
	// Unchanged counts the objects that are as they should be.
	Unchanged int
	// Unread says which kinds could not be listed, sorted by kind. Desired objects of these
	// are refused, and none is removed.
	Unread []*kube.Error
	// Err is why the cluster as a whole cannot be written to; nothing else is known
	// of it then.
	Err error

	connection *kube.Connection
	// needs are for each object the positions of those without which it would do
	// harm. It is not written if one of them cannot be.
	needs [][]int
	// owner are the labels of what may be changed and removed. Objects without them are
	// somebody else's, whatever they are called (D40).
	owner map[string]string
	// unseen are the kinds of which the cluster may have objects that could not be
	// listed.
	unseen map[schema.GroupKind]*kube.Error
}

// Count returns how many changes there are of a kind.
func (c *Cluster) Count(kind kube.ChangeKind) int {
	count := 0
	for i := range c.Changes {
		if c.Changes[i].Kind == kind {
			count++
		}
	}
	return count
}

// Writes counts the objects to create, change and delete.
func (c *Cluster) Writes() int {
	return c.Count(kube.ChangeAdd) + c.Count(kube.ChangeModify) + c.Count(kube.ChangeRemove)
}

// Outcomes counts what came of the objects.
func (c *Cluster) Outcomes() map[kube.Outcome]int {
	count := map[kube.Outcome]int{kube.Unchanged: c.Unchanged}
	for i := range c.Changes {
		if outcome := c.Changes[i].Outcome; outcome != "" {
			count[outcome]++
		}
	}
	return count
}

// Failed reports whether not everything is, or would be, as it should.
func (c *Cluster) Failed() bool {
	return c.Err != nil || len(c.Unread) > 0 || slices.ContainsFunc(c.Changes, func(change Change) bool { return change.Err != nil })
}

// Errors are what is wrong with the cluster as a whole, or with whole kinds.
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

// TakesPart reports whether anything is to be done in the cluster, or should be.
func (c *Cluster) TakesPart() bool { return c.Err == nil && len(c.Changes) > 0 }

// compare compares the rendered objects, each of another identity, with what the
// cluster has. It lists what carries the labels of the owner, page by page, and
// keeps of that only what is to be changed; of objects that are to be added it
// finds out whether somebody else has one of that name.
//
// A kind that cannot be listed fails for itself: its desired objects are refused. The
// error is about the cluster as a whole.
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

// compareOptions say how to compare a cluster.
type compareOptions struct {
	// deadline is for all of it; kube.DefaultDeadline if 0.
	deadline time.Duration
	// keep leaves what is not wanted any more.
	keep bool
	// guard keeps what protects, unless it is nil.
	guard *istio.Guard
	// unlisted are kinds that could not be listed when the objects were made from what was
	// there, and why. They are not listed again: their desired objects are refused, and
	// none is removed.
	unlisted map[schema.GroupKind]error
}

// planner compares one cluster.
type planner struct {
	cluster    *Cluster
	connection *kube.Connection
	opts       compareOptions
	byKind     []kindPlan
}

// kindPlan is what is known about one kind. Only one goroutine has it.
type kindPlan struct {
	gvk schema.GroupVersionKind
	// wanted are the positions of the desired objects that were not seen yet.
	wanted    map[kube.ObjectKey]int
	changes   []Change
	unchanged int
	err       *kube.Error
}

// planKind finds out about the objects of one kind.
func (p *planner) planKind(ctx context.Context, k *kindPlan) error {
	c, gvk := p.connection, k.gvk
	if err := p.opts.unlisted[gvk.GroupKind()]; err != nil {
		k.err = c.Translate("list "+gvk.Kind+" objects", err)
		return k.err
	}
	resource, err := c.Resource(ctx, gvk)
	if err == nil {
		owner := kube.ListOptions{Labels: labels.SelectorFromSet(p.cluster.owner).String()}
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

// protect refuses a change that would take away protection which somebody may
// still want (semantics D70).
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
		Hint: "repair that, or give the protection up with --accept-loss",
	}
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

// existing returns the metadata of the objects that exist, whoever they belong
// to.
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

// finish puts the kinds together.
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
				continue // nothing is wanted of it, and nothing can be there
			}
			c.Unread = append(c.Unread, k.err)
		}
		c.Changes = append(c.Changes, k.changes...)
		c.Unchanged += k.unchanged
	}
	slices.SortFunc(c.Changes, func(a, b Change) int { return strings.Compare(sortText(a.Key), sortText(b.Key)) })
}

// sortText orders keys by kind, namespace and name.
func sortText(key kube.ObjectKey) string {
	return strings.Join([]string{key.GVK.Kind, key.Namespace, key.Name, key.GVK.Group}, "\x00")
}

// refuseRest refuses the desired objects of a kind of which it is not known whether they
// are there.
func (k *kindPlan) refuseRest(c *Cluster) {
	for _, position := range k.wanted {
		desired, own := &c.Objects[position], *k.err
		own.Action = kube.ApplyAction(keyOf(desired))
		k.changes = append(k.changes, Change{Kind: kube.ChangeRefuse, Key: keyOf(desired), Err: &own, desired: desired, position: position})
	}
}

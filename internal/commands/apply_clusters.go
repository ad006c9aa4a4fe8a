package commands

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// applying is one pass of apply.
type applying struct {
	*applyOptions
	management *kube.Connection
	result     *policy.Result
	// targets are the clusters that take part, sorted by name.
	targets   []applyTarget
	omissions []istio.Omission
	foreign   foreignGateways
	statuses  []statusOutcome
	// incomplete says that part of the input is missing, statusFailed that a status
	// could not be written.
	incomplete, statusFailed bool

	mu sync.Mutex // guards progress on standard error
}

// applyTarget is a cluster that configuration is written to.
type applyTarget struct {
	name       string
	connection *kube.Connection
	objects    []istio.Object
	// positions are those of the objects, by their identity.
	positions map[kube.ObjectKey]int
	plan      *rollout.Plan
	run       *rollout.Run
	results   []kube.Result
	// err is why the cluster as a whole cannot be written to.
	err error
}

// failed reports whether not everything is, or would be, as it should.
func (t *applyTarget) failed() bool {
	if t.err != nil || t.plan == nil || len(t.plan.Unread) > 0 || t.plan.Count(kube.ChangeRefuse) > 0 {
		return true
	}
	return slices.ContainsFunc(t.results, func(r kube.Result) bool { return r.Err != nil })
}

// say prints a line about progress on standard error.
func (a *applying) say(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fmt.Fprintln(a.streams.Err, printable(fmt.Sprintf(format, args...)))
}

// prepare renders the world and finds the clusters that it is for.
func (a *applying) prepare(ctx context.Context) error {
	world, err := a.load(ctx, a.world, a.streams.In)
	if err != nil {
		return err
	}
	if err := a.judgeInput(world); err != nil {
		return err
	}
	a.result = policy.Evaluate(world)
	members, err := a.world.members(ctx, a.namespace)
	if err != nil {
		return err
	}
	a.management = members.management
	a.foreign = a.findForeignGateways(ctx, members.byName)
	renderer := istio.New(a.result, istio.Options{Namespace: a.namespace, Foreign: a.foreign.byCluster})
	a.omissions = renderer.Omissions()
	names := map[string]bool{}
	for _, cluster := range renderer.Clusters() {
		objects, omissions := renderer.Cluster(cluster)
		if a.wanted(cluster) {
			a.omissions = append(a.omissions, omissions...)
		}
		if len(objects) == 0 && !hasIstio(world, cluster) {
			continue // it takes no part (semantics, section 0)
		}
		names[cluster] = true
		if a.wanted(cluster) {
			a.targets = append(a.targets, newApplyTarget(cluster, objects, members.byName[cluster], members.failures[cluster]))
		}
	}
	if err := a.checkOnly(names); err != nil {
		return err
	}
	for _, name := range sortedNames(members.byName) {
		if !names[name] && a.wanted(name) {
			a.say("%s: no Istio mesh is known there, so nothing is written to it", name)
		}
	}
	if len(a.targets) == 0 {
		a.say("No cluster has an Istio mesh: run 'meshctl discover' first, or see what is wrong with 'meshctl check'.")
	}
	return nil
}

func newApplyTarget(cluster string, objects []istio.Object, connection *kube.Connection, failure error) applyTarget {
	target := applyTarget{name: cluster, connection: connection, objects: objects, err: failure}
	if connection == nil && failure == nil {
		target.err = fmt.Errorf("cluster %s is not registered: register it with 'meshctl cluster register %s', or name its context with --clusters", cluster, cluster)
	}
	return target
}

// judgeInput refuses to apply a world in which something is missing, which
// would delete what only seems to be gone.
func (a *applying) judgeInput(w *world.World) error {
	hidden := reportProblems(a.streams, w) != nil || hidesObjects(w)
	switch {
	case !hidden:
		return nil
	case a.allowIncomplete:
		a.say("warning: part of the input is missing; nothing is deleted")
		a.incomplete, a.prune = true, false
		return nil
	default:
		a.say("error: nothing is applied, because part of the input is missing and what only seems to be gone would be deleted; repair that, or go on and delete nothing with --allow-incomplete")
		return cli.ErrReported
	}
}

// checkOnly refuses names of clusters that take no part.
func (a *applying) checkOnly(known map[string]bool) error {
	for _, name := range a.only {
		if !known[name] {
			names := sortedNames(known)
			return cli.Usagef("no Istio mesh is known in cluster %q%s; there are %s", name, spelling.DidYouMean(name, names), orNone(strings.Join(names, ", ")))
		}
	}
	return nil
}

func sortedNames[V any](names map[string]V) []string {
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	return sorted
}

func hasIstio(w *world.World, cluster string) bool {
	return slices.ContainsFunc(w.Meshes, func(m world.Mesh) bool {
		return m.Type == world.MeshIstio && m.Cluster == cluster
	})
}

// plan finds out what is to be done in every cluster, at the same time.
func (a *applying) plan(ctx context.Context) error {
	a.each(func(t *applyTarget) bool { return t.err == nil }, func(t *applyTarget) {
		t.plan, t.err = rollout.NewPlan(ctx, t.connection, t.outputs(), a.outputOptions(t.name), a.timeout)
	})
	return ctx.Err()
}

// each does the same for all targets that take part, at the same time.
func (a *applying) each(takesPart func(*applyTarget) bool, do func(*applyTarget)) {
	var connections []*kube.Connection
	byConnection := map[*kube.Connection]*applyTarget{}
	for i := range a.targets {
		if t := &a.targets[i]; t.connection != nil && takesPart(t) {
			connections = append(connections, t.connection)
			byConnection[t.connection] = t
		}
	}
	kube.Each(connections, func(c *kube.Connection) struct{} {
		do(byConnection[c])
		return struct{}{}
	})
}

// outputOptions say which objects of a cluster are meshctl's.
func (a *applying) outputOptions(cluster string) rollout.Options {
	var unlisted map[schema.GroupKind]error
	if err := a.foreign.unlisted[cluster]; err != nil {
		unlisted = map[schema.GroupKind]error{istioGVK(istio.KindGateway).GroupKind(): err}
	}
	return rollout.Options{
		Unlisted: unlisted,
		Kinds:    istioKinds(),
		Owner:    map[string]string{istio.OwnerLabel: a.namespace, istio.ClusterLabel: istio.ClusterLabelValue(cluster)},
		StageOf: func(u *unstructured.Unstructured) int {
			return istio.StageOf(istio.Kind(u.GetKind()), u.GetAnnotations()[istio.FederationAnnotation] != "", len(specOf(u)) == 0)
		},
		Routing: rollout.Routing{
			Kind:     istioGVK(istio.KindVirtualService).GroupKind(),
			LeadsTo:  func(u *unstructured.Unstructured) []string { return istio.LeadsTo(specOf(u)) },
			Provides: func(u *unstructured.Unstructured) []string { return istio.Provides(istio.Kind(u.GetKind()), specOf(u)) },
		},
	}
}

func specOf(u *unstructured.Unstructured) map[string]any {
	spec, _ := u.Object["spec"].(map[string]any)
	return spec
}

// istioKinds are the kinds that are rendered.
func istioKinds() []schema.GroupVersionKind {
	kinds := istio.Kinds()
	gvks := make([]schema.GroupVersionKind, 0, len(kinds))
	for _, kind := range kinds {
		gvks = append(gvks, istioGVK(kind))
	}
	return gvks
}

func istioGVK(kind istio.Kind) schema.GroupVersionKind {
	return schema.FromAPIVersionAndKind(kind.APIVersion(), string(kind))
}

// outputs are the objects of a cluster as the plan takes them.
func (t *applyTarget) outputs() []rollout.Object {
	needs := istio.Needs(t.objects)
	outputs := make([]rollout.Object, 0, len(t.objects))
	t.positions = make(map[kube.ObjectKey]int, len(t.objects))
	for i := range t.objects {
		object := &t.objects[i]
		key := kube.ObjectKey{GVK: istioGVK(object.Kind), Namespace: object.Namespace, Name: object.Name}
		t.positions[key] = i
		outputs = append(outputs, rollout.Object{
			Key: key, Stage: object.Stage(), Needs: needs[i],
			Build:      func() (*unstructured.Unstructured, error) { return unstructuredObject(object) },
			Transition: transitionOf(object.Kind, object.Stage()),
		})
	}
	return outputs
}

func unstructuredObject(object *istio.Object) (*unstructured.Unstructured, error) {
	fields, err := object.Fields()
	if err != nil {
		return nil, err
	}
	return &unstructured.Unstructured{Object: fields}, nil
}

func transitionOf(kind istio.Kind, at int) func(stored, desired *unstructured.Unstructured) (*unstructured.Unstructured, int) {
	return func(stored, desired *unstructured.Unstructured) (*unstructured.Unstructured, int) {
		spec, stage := istio.Transition(kind, at, specOf(stored), specOf(desired))
		if spec == nil {
			return nil, 0
		}
		first := desired.DeepCopy()
		first.Object["spec"] = spec
		return first, stage
	}
}

// parentsOf returns what an object of a cluster is rendered from, or was, if it
// is one to delete.
func (t *applyTarget) parentsOf(key kube.ObjectKey) []policy.ObjectID {
	if i, rendered := t.positions[key]; rendered {
		return t.objects[i].Parents
	}
	if t.plan == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(t.plan.Changes, key, func(change rollout.Change, key kube.ObjectKey) int {
		return rollout.CompareKeys(change.Key, key)
	})
	if !found || t.plan.Changes[i].Before() == nil {
		return nil
	}
	return istio.ParentsIn(t.plan.Changes[i].Before().GetAnnotations()[istio.ParentsAnnotation])
}

// write carries out the plans of all clusters at the same time. What clusters
// need of each other is there before they use it, and stays as long as they do: all
// of them wait until each has come as far. Routes to what could not be written in
// another cluster are held back, and what routes of another cluster may still lead
// to is kept.
func (a *applying) write(ctx context.Context) error {
	if a.dryRun.String() == "client" {
		return nil
	}
	takesPart := func(t *applyTarget) bool { return t.err == nil && t.plan != nil && len(t.plan.Changes) > 0 }
	a.each(takesPart, func(t *applyTarget) {
		if count := len(t.plan.Changes) - t.plan.Count(kube.ChangeRefuse); count >= announcedChanges {
			a.say("%s: writing %d objects", t.name, count)
		}
		t.run = t.plan.Begin(rollout.RunOptions{Keep: !a.prune, DryRun: kube.DryRun(a.dryRun.String())})
		t.run.Write(ctx, istio.LastExportStage)
	})
	a.holdRoutes(takesPart)
	a.each(takesPart, func(t *applyTarget) { t.run.Write(ctx, math.MaxInt) })
	a.each(takesPart, func(t *applyTarget) { t.run.Reduce(ctx, istio.LastExportStage+1) })
	a.keepExports(takesPart)
	a.each(takesPart, func(t *applyTarget) {
		t.results = t.run.Finish(ctx)
		count := map[kube.Outcome]int{kube.Unchanged: t.plan.Unchanged}
		for i := range t.results {
			count[t.results[i].Outcome]++
		}
		a.say("%s: %s", t.name, outcomesText(count))
	})
	return nil
}

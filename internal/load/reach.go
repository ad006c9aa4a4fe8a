package load

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// A resource of the management cluster governs all clusters. Whoever may write in
// some namespace is nobody in particular, so that resources take effect from the
// namespace of meshctl, and from those that an administrator lists on it; Settings
// and KubernetesClusters from the former only (semantics D72).

// limitReach takes their effect from the objects of other namespaces. What people
// write stays in the world to be shown; what discovery and registration write is left
// out. Neither keeps the rest from being used, because anybody could do so.
func (l *managementReader) limitReach(ctx context.Context, o *world.Objects) error {
	r := &reach{home: cmp.Or(l.opts.Home, world.DefaultNamespace), origin: l.origin}
	if !r.leaves(o) {
		return nil
	}
	if err := l.readListed(ctx, r, o); err != nil {
		return err
	}
	r.listed = append(r.listed, r.home)
	o.VirtualMeshes = hold(r, "VirtualMesh", o.VirtualMeshes)
	o.TrafficPolicies = hold(r, "TrafficPolicy", o.TrafficPolicies)
	o.AccessPolicies = hold(r, "AccessPolicy", o.AccessPolicies)
	o.Meshes = drop(r, "Mesh", r.listed, o.Meshes)
	o.Workloads = drop(r, "Workload", r.listed, o.Workloads)
	o.Destinations = drop(r, "Destination", r.listed, o.Destinations)
	o.Settings = drop(r, "Settings", []string{r.home}, o.Settings)
	o.KubernetesClusters = drop(r, "KubernetesCluster", []string{r.home}, o.KubernetesClusters)
	// What else is wrong with these objects matters to nobody.
	o.Problems = slices.DeleteFunc(o.Problems, func(p world.Problem) bool { return r.outside[p.Object] })
	o.Problems = append(o.Problems, r.problems...)
	return nil
}

// LimitReach takes their effect from virtual meshes and policies that are in neither
// the home namespace nor one of the listed ones, as if they had been read from the
// management cluster.
func LimitReach(objects *world.Objects, home string, listed []string) {
	r := &reach{home: home, listed: append(slices.Clone(listed), home)}
	objects.VirtualMeshes = hold(r, "VirtualMesh", objects.VirtualMeshes)
	objects.TrafficPolicies = hold(r, "TrafficPolicy", objects.TrafficPolicies)
	objects.AccessPolicies = hold(r, "AccessPolicy", objects.AccessPolicies)
}

// readListed reads which namespaces count besides that of meshctl.
func (l *managementReader) readListed(ctx context.Context, r *reach, o *world.Objects) error {
	question := func(ctx context.Context) (err error) {
		r.listed, err = kube.ReadPolicyNamespaces(ctx, l.opts.Connection, r.home)
		return err
	}
	failed, err := kube.Ask(ctx, l.opts.Connection, l.opts.Deadline, question)
	for _, e := range failed {
		if e.Reason != kube.ReasonNotFound {
			o.Problems = append(o.Problems, unlisted(l.origin, e, false))
		}
	}
	var e *kube.Error
	if errors.As(err, &e) && e.Reason != kube.ReasonCancelled {
		o.Problems = append(o.Problems, unlisted(l.origin, e, false))
		return nil
	}
	return err
}

// reach says which namespaces count.
type reach struct {
	// home is that of meshctl, listed are those that count besides.
	home   string
	listed []string
	origin world.Origin
	// outside are the objects of other namespaces, problems says so.
	outside  map[string]bool
	problems []world.Problem
}

// leaves reports whether any object is not at home.
func (r *reach) leaves(o *world.Objects) bool {
	return slices.ContainsFunc(entriesOf(*o), func(e entry) bool { return e.id.namespace != r.home })
}

// refuse notes that an object is in a namespace that does not count.
func (r *reach) refuse(id objectID, message string) {
	if r.outside == nil {
		r.outside = map[string]bool{}
	}
	r.outside[id.String()] = true
	r.problems = append(r.problems, world.Problem{Kind: world.IgnoredNamespace, Origin: r.origin, Object: id.String(), Message: message})
}

// hold takes the effect from the objects of namespaces that do not count.
func hold[T any, P resource[T]](r *reach, kind string, objects []world.Object[T]) []world.Object[T] {
	for i := range objects {
		id := idOf(kind, P(objects[i].Resource).GetObjectMeta())
		if slices.Contains(r.listed, id.namespace) {
			continue
		}
		message := "it has no effect: namespace " + id.namespace + " is neither " + r.home + " nor one of its policy namespaces"
		r.refuse(id, message)
		objects[i].Outside, objects[i].Errors = true, []string{message}
	}
	return objects
}

// drop leaves the objects of namespaces out that do not count.
func drop[T any, P resource[T]](r *reach, kind string, counting []string, objects []world.Object[T]) []world.Object[T] {
	return slices.DeleteFunc(objects, func(o world.Object[T]) bool {
		id := idOf(kind, P(o.Resource).GetObjectMeta())
		if slices.Contains(counting, id.namespace) {
			return false
		}
		r.refuse(id, "it is ignored: "+kind+" objects are read from namespace "+strings.Join(slices.Sorted(slices.Values(counting)), ", ")+" only")
		return true
	})
}

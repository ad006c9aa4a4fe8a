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

// Resources of the management cluster affect all clusters, so write access to some namespace
// must not be enough to control them. Policies, virtual meshes and discovered resources take
// effect only from meshctl's namespace and from the namespaces that an administrator lists on
// it; Settings and KubernetesClusters only from meshctl's namespace (D72).

// applyNamespaceRules disables objects in other namespaces. Objects that users write stay in the world
// so that they can be shown; those of discovery and registration are left out. Neither blocks
// the use of the rest: otherwise anyone who can write in some namespace could block meshctl.
func (l *managementReader) applyNamespaceRules(ctx context.Context, o *world.Objects) error {
	r := &namespaceRules{home: cmp.Or(l.opts.Home, world.DefaultNamespace), origin: l.origin}
	if !r.anyOutsideHome(o) {
		return nil
	}
	if err := l.readListed(ctx, r, o); err != nil {
		return err
	}
	r.listed = append(r.listed, r.home)
	o.VirtualMeshes = disable(r, "VirtualMesh", o.VirtualMeshes)
	o.TrafficPolicies = disable(r, "TrafficPolicy", o.TrafficPolicies)
	o.AccessPolicies = disable(r, "AccessPolicy", o.AccessPolicies)
	o.Meshes = remove(r, "Mesh", r.listed, o.Meshes)
	o.Workloads = remove(r, "Workload", r.listed, o.Workloads)
	o.Destinations = remove(r, "Destination", r.listed, o.Destinations)
	o.Settings = remove(r, "Settings", []string{r.home}, o.Settings)
	o.KubernetesClusters = remove(r, "KubernetesCluster", []string{r.home}, o.KubernetesClusters)
	// Other problems of these objects do not matter.
	o.Problems = slices.DeleteFunc(o.Problems, func(p world.Problem) bool { return r.outside[p.Object] })
	o.Problems = append(o.Problems, r.problems...)
	return nil
}

// ApplyNamespaceRules disables the virtual meshes and policies outside the home namespace
// and the listed ones, as if they had been read from the management cluster.
func ApplyNamespaceRules(objects *world.Objects, home string, listed []string) {
	r := &namespaceRules{home: home, listed: append(slices.Clone(listed), home), outside: map[string]bool{}}
	objects.VirtualMeshes = disable(r, "VirtualMesh", objects.VirtualMeshes)
	objects.TrafficPolicies = disable(r, "TrafficPolicy", objects.TrafficPolicies)
	objects.AccessPolicies = disable(r, "AccessPolicy", objects.AccessPolicies)
}

// readListed reads the additional policy namespaces.
func (l *managementReader) readListed(ctx context.Context, r *namespaceRules, o *world.Objects) error {
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

// namespaceRules determines which namespaces take effect.
type namespaceRules struct {
	// home is meshctl's namespace, listed the namespaces that take effect.
	home   string
	listed []string
	origin world.Origin
	// outside are the IDs of objects in other namespaces, problems the messages about them.
	outside  map[string]bool
	problems []world.Problem
}

// anyOutsideHome reports whether any object is outside meshctl's namespace.
func (r *namespaceRules) anyOutsideHome(o *world.Objects) bool {
	return slices.ContainsFunc(entriesFrom(*o), func(e entry) bool { return e.id.namespace != r.home })
}

// ignore records that an object is in a namespace without effect.
func (r *namespaceRules) ignore(id objectID, message string) {
	if r.outside == nil {
		r.outside = map[string]bool{}
	}
	r.outside[id.String()] = true
	r.problems = append(r.problems, world.Problem{Kind: world.IgnoredNamespace, Origin: r.origin, Object: id.String(), Message: message})
}

// disable marks objects in namespaces without effect.
func disable[T any, P resource[T]](r *namespaceRules, kind string, objects []world.Object[T]) []world.Object[T] {
	for i := range objects {
		id := idOf(kind, P(objects[i].Resource).GetObjectMeta())
		if slices.Contains(r.listed, id.namespace) {
			continue
		}
		message := "ignored: namespace " + id.namespace + " is neither " + r.home + " nor one of its policy namespaces"
		r.ignore(id, message)
		objects[i].Outside, objects[i].Errors = true, []string{message}
	}
	return objects
}

// remove returns only the objects in the namespaces that take effect.
func remove[T any, P resource[T]](r *namespaceRules, kind string, counting []string, objects []world.Object[T]) []world.Object[T] {
	return slices.DeleteFunc(objects, func(o world.Object[T]) bool {
		id := idOf(kind, P(o.Resource).GetObjectMeta())
		if slices.Contains(counting, id.namespace) {
			return false
		}
		r.ignore(id, "ignored: "+kind+" objects are read only from namespace "+strings.Join(slices.Sorted(slices.Values(counting)), ", "))
		return true
	})
}

package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// ManagementOptions selects what Management reads.
type ManagementOptions struct {
	// Connection is the connection to the management cluster.
	Connection *kube.Connection
	// Kinds are the kinds to list, such as "TrafficPolicy"; if empty, all that meshctl uses.
	Kinds []string
	// Namespace is the namespace to list; if empty, all of them.
	Namespace string
	// Home is the namespace of meshctl's resources; world.DefaultNamespace if empty. Objects in
	// other namespaces have no effect unless an administrator lists the namespace (D72).
	Home string
	// Deadline limits the whole operation; kube.DefaultDeadline if 0.
	Deadline time.Duration
}

// Management reads meshctl's resources from the management cluster. They pass the same checks
// as those in files, so an object means the same wherever it comes from.
//
// A kind that cannot be listed becomes a Problem. So does an unusable cluster, or one without
// meshctl's CRDs; nothing is loaded then. Management returns an error if ctx ends, and for
// unknown kinds.
func Management(ctx context.Context, opts ManagementOptions, v *validation.Validator) (world.Objects, error) {
	return readManagement(ctx, opts, v)
}

func readManagement(ctx context.Context, opts ManagementOptions, c checker) (world.Objects, error) {
	l := &managementReader{opts: opts, checker: c, kinds: newKindTable(), origin: ClusterOrigin(opts.Connection.Name)}
	wanted, err := l.wantedKinds()
	if err != nil {
		return world.Objects{}, err
	}
	l.lists = make([]kindList, len(wanted))
	questions := make([]kube.Question, 0, len(wanted))
	for i, kind := range wanted {
		questions = append(questions, func(ctx context.Context) error {
			l.lists[i] = l.list(ctx, kind)
			return l.lists[i].err
		})
	}
	if _, err := kube.Ask(ctx, opts.Connection, opts.Deadline, questions...); err != nil {
		return unusableCluster(opts.Connection.Name, err)
	}
	objects, err := l.assemble()
	if err != nil {
		return objects, err
	}
	return objects, l.applyNamespaceRules(ctx, &objects)
}

// ClusterOrigin returns the origin of objects that were read from a cluster.
func ClusterOrigin(cluster string) world.Origin { return world.Origin{File: "cluster " + cluster} }

// managementReader reads the management cluster.
type managementReader struct {
	opts    ManagementOptions
	checker checker
	kinds   kindTable
	origin  world.Origin
	lists   []kindList
}

// kindList is the result of listing one kind.
type kindList struct {
	kind    string
	entries []entry
	err     error
}

func (l *managementReader) wantedKinds() ([]schema.GroupVersionKind, error) {
	var wanted []schema.GroupVersionKind
	var known []string
	for _, k := range l.kinds.modelled {
		known = append(known, k.gvk.Kind)
		if len(l.opts.Kinds) == 0 || slices.Contains(l.opts.Kinds, k.gvk.Kind) {
			wanted = append(wanted, k.gvk)
		}
	}
	for _, kind := range l.opts.Kinds {
		if !slices.Contains(known, kind) {
			return nil, fmt.Errorf("unknown kind %s: must be one of: %s", kind, strings.Join(known, ", "))
		}
	}
	return wanted, nil
}

// list lists and checks the objects of one kind.
func (l *managementReader) list(ctx context.Context, gvk schema.GroupVersionKind) kindList {
	d := &decoder{parser: newParser(), kinds: l.kinds, checker: l.checker, namespace: world.DefaultNamespace}
	entries, err := kube.List(ctx, l.opts.Connection, resourceOf(gvk), kube.ListOptions{Namespace: l.opts.Namespace},
		func(u *unstructured.Unstructured) entry {
			// Items of a list may omit their type.
			u.SetGroupVersionKind(gvk)
			d.parser.share(u.Object)
			return d.object(u.Object, l.origin, listType{})
		})
	return kindList{kind: gvk.Kind, entries: entries, err: err}
}

// resourceOf returns the plural resource name of one of meshctl's kinds.
func resourceOf(gvk schema.GroupVersionKind) schema.GroupVersionResource {
	name := strings.ToLower(gvk.Kind)
	switch {
	case strings.HasSuffix(name, "settings"):
	case strings.HasSuffix(name, "sh"):
		name += "es"
	case strings.HasSuffix(name, "y"):
		name = strings.TrimSuffix(name, "y") + "ies"
	default:
		name += "s"
	}
	return gvk.GroupVersion().WithResource(name)
}

// assemble combines the lists in the order of the kinds.
func (l *managementReader) assemble() (world.Objects, error) {
	a := &assembler{origins: map[objectID]world.Origin{}}
	var failed []*kube.Error
	missing := 0
	for _, list := range l.lists {
		for _, e := range list.entries {
			a.addEntry(e)
		}
		var e *kube.Error
		if errors.As(list.err, &e) {
			failed = append(failed, e)
			if e.Reason == kube.ReasonNoSuchKind {
				missing++
			}
		}
	}
	switch {
	case missing > 0 && missing == len(l.lists):
		a.objects.Problems = append(a.objects.Problems, world.Problem{
			Kind: world.UnlistedKind, Origin: l.origin, LeftOut: true, Message: kube.NotManagement,
			Hint: "name the management cluster with --context, run 'meshctl install', or use --clusters or --filename",
		})
		return a.objects, nil
	default:
		for _, e := range kube.FoldForbidden(failed) {
			a.objects.Problems = append(a.objects.Problems, unlisted(l.origin, e, len(failed) == len(l.lists)))
		}
	}
	return a.objects, a.duplicateError()
}

package registration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// InstallOptions configure the installation of meshctl in the management cluster.
type InstallOptions struct {
	// Namespace is the namespace of meshctl's resources.
	Namespace string
	// PolicyNamespaces are the namespaces besides Namespace from which policies take effect
	// (D72); nil keeps the current ones.
	PolicyNamespaces []string
	// Force takes over CRDs and roles that someone else installed, and fields that other
	// managers own.
	Force bool
	// DryRun set to DryRunServer sends a server-side dry run, which writes nothing.
	DryRun kube.DryRun
	// Controller configures the controller to install; nil installs none.
	Controller *ControllerOptions
	// Wait limits the wait until the CRDs are served; DefaultWait if 0.
	Wait time.Duration
}

// Install writes meshctl's CRDs, its namespace and roles, and waits until the CRDs are served.
// Nothing runs in the cluster unless opts.Controller is set. Install may be repeated to
// upgrade or repair an installation. CRDs that someone else installed are kept if they serve
// the version that meshctl uses.
//
// The results are in the order of writing. If Install fails, it returns the results so far
// with the error.
func Install(ctx context.Context, c *kube.Connection, opts InstallOptions, observe Observer) ([]kube.Result, error) {
	i := &installer{connection: c, opts: opts, observe: observe}
	err := i.run(ctx)
	return i.results, err
}

type installer struct {
	connection *kube.Connection
	opts       InstallOptions
	observe    Observer
	results    []kube.Result
}

func (i *installer) run(ctx context.Context) error {
	name := i.connection.Name
	if err := i.observe.phase(name, PhasePreflight, func() (string, error) { return i.preflight(ctx) }); err != nil {
		return err
	}
	if err := i.observe.phase(name, PhaseDefinitions, func() (string, error) { return i.installDefinitions(ctx) }); err != nil {
		return err
	}
	return i.observe.phase(name, PhaseRoles, func() (string, error) { return "", i.installRoles(ctx) })
}

func (i *installer) preflight(ctx context.Context) (string, error) {
	info, err := i.connection.ServerVersion(ctx)
	if err != nil {
		return "", err
	}
	if err := kube.CheckVersion(i.connection, info); err != nil {
		return "", err
	}
	needed := slices.Concat(
		kube.PermissionsFor(kube.Permission{Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"}, "get", "create", "patch"),
		kube.PermissionsFor(kube.Permission{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"}, "get", "create", "patch"),
		kube.PermissionsFor(kube.Permission{Resource: "namespaces", Name: i.opts.Namespace}, "get"))
	_, err = kube.Get(ctx, i.connection, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: i.opts.Namespace})
	if kube.IsReason(err, kube.ReasonNotFound) {
		needed = append(needed, kube.PermissionsFor(kube.Permission{Resource: "namespaces"}, "create")...)
	}
	if i.opts.PolicyNamespaces != nil {
		needed = append(needed, kube.PermissionsFor(kube.Permission{Resource: "namespaces", Name: i.opts.Namespace}, "patch")...)
	}
	if i.opts.Controller != nil {
		needed = append(needed, controllerPermissions(i.opts.Namespace)...)
	}
	return "Kubernetes " + info.GitVersion, kube.RequirePermissions(ctx, i.connection, "install meshctl's resources", needed)
}

func (i *installer) applyOptions() kube.ApplyOptions {
	opts := kube.ApplyOptions{DryRun: i.opts.DryRun, Force: i.opts.Force, Owner: map[string]string{kube.ManagedByLabel: kube.ManagedBy}}
	if i.opts.Force {
		opts.Owner = nil
	}
	return opts
}

// installDefinitions writes the CRDs and waits until they are served.
func (i *installer) installDefinitions(ctx context.Context) (string, error) {
	objects, err := definitions()
	if err != nil {
		return "", err
	}
	var write []*unstructured.Unstructured
	for _, object := range objects {
		foreign, err := i.foreign(ctx, object)
		if err != nil {
			return "", err
		}
		if foreign == nil {
			write = append(write, object)
			continue
		}
		i.observe.warn(i.connection.Name, PhaseDefinitions, fmt.Sprintf("%s was installed by another tool and is kept; pass --force-conflicts to replace it", object.GetName()))
		i.results = append(i.results, kube.Result{GVK: object.GroupVersionKind(), Name: object.GetName(), Cluster: i.connection.Name, Outcome: kube.Unchanged, Object: foreign})
	}
	for _, result := range kube.Apply(ctx, i.connection, write, i.applyOptions()) {
		if result.Err != nil && err == nil {
			err = result.Err
		}
		i.results = append(i.results, result)
	}
	if err != nil || i.opts.DryRun == kube.DryRunServer {
		return "", err
	}
	for _, object := range write {
		if err := i.waitUntilEstablished(ctx, object.GetName()); err != nil {
			return "", err
		}
	}
	return text.Count(len(objects), "definition"), nil
}

// foreign returns the existing CRD if someone else installed it and it is sufficient, or nil.
// It returns an error if it does not serve the required version.
func (i *installer) foreign(ctx context.Context, object *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	existing, err := kube.Get(ctx, i.connection, kube.ObjectKey{GVK: object.GroupVersionKind(), Name: object.GetName()})
	if kube.IsReason(err, kube.ReasonNotFound) {
		return nil, nil
	}
	if err != nil || i.opts.Force || existing.GetLabels()[kube.ManagedByLabel] == kube.ManagedBy {
		return nil, err
	}
	for _, wanted := range servedVersionsOf(object) {
		if served := servedVersionsOf(existing); !slices.Contains(served, wanted) {
			return nil, &kube.Error{
				Cluster: i.connection.Name, Action: "install " + object.GetName(), Reason: kube.ReasonConflict,
				Why:  fmt.Sprintf("it was installed by another tool and serves %s, but not %s", strings.Join(served, ", "), wanted),
				Hint: "upgrade it with the tool that installed it, or replace it with --force-conflicts",
			}
		}
	}
	return existing, nil
}

// servedVersionsOf returns the versions that a CRD serves.
func servedVersionsOf(definition *unstructured.Unstructured) []string {
	list, _, _ := unstructured.NestedSlice(definition.Object, "spec", "versions")
	var served []string
	for _, item := range list {
		version, isMap := item.(map[string]any)
		if on, _, _ := unstructured.NestedBool(version, "served"); isMap && on {
			name, _, _ := unstructured.NestedString(version, "name")
			served = append(served, name)
		}
	}
	return served
}

func (i *installer) waitUntilEstablished(ctx context.Context, name string) error {
	return i.connection.Await(ctx, i.opts.Wait, "install "+name, "the API server does not serve it", "check the conditions of this CustomResourceDefinition",
		func(ctx context.Context) (bool, error) {
			definition, err := kube.Get(ctx, i.connection, kube.ObjectKey{GVK: definitionKind(), Name: name})
			return err == nil && isEstablished(definition), err
		})
}

// isEstablished reports whether a CRD is served.
func isEstablished(definition *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(definition.Object, "status", "conditions")
	return slices.ContainsFunc(conditions, func(item any) bool {
		condition, _ := item.(map[string]any)
		return condition["type"] == "Established" && condition["status"] == "True"
	})
}

// installRoles writes the namespace and the roles.
func (i *installer) installRoles(ctx context.Context) error {
	var j journal
	namespace := kube.Result{GVK: kube.NamespaceKind(), Name: i.opts.Namespace, Cluster: i.connection.Name, Outcome: kube.Unchanged}
	var err error
	if i.opts.DryRun == kube.DryRunServer {
		created := false
		if created, err = kube.EnsureNamespace(ctx, i.connection, i.opts.Namespace, kube.OwnLabels(), kube.DryRunServer); created {
			namespace.Outcome = kube.Created
		}
	} else {
		namespace, err = j.ensureNamespace(ctx, i.connection, "", i.opts.Namespace, kube.OwnLabels(), i.opts.Wait)
	}
	if err != nil {
		return err
	}
	if i.opts.PolicyNamespaces != nil {
		if namespace, err = i.listPolicyNamespaces(ctx, namespace); err != nil {
			return err
		}
	}
	i.results = append(i.results, namespace)
	roles := managementRoles()
	objects := make([]*unstructured.Unstructured, 0, len(roles))
	for _, role := range roles {
		objects = append(objects, toUnstructured(role))
	}
	if i.opts.Controller != nil {
		objects = append(objects, ControllerObjects(*i.opts.Controller)...)
	}
	for _, result := range kube.Apply(ctx, i.connection, objects, i.applyOptions()) {
		i.results = append(i.results, result)
		if result.Err != nil && err == nil {
			err = result.Err
		}
	}
	return err
}

// listPolicyNamespaces sets the policy namespaces in the annotation of the namespace,
// regardless of who created it. It returns the result updated by that change.
func (i *installer) listPolicyNamespaces(ctx context.Context, result kube.Result) (kube.Result, error) {
	if i.opts.DryRun == kube.DryRunServer && result.Outcome == kube.Created {
		return result, nil // the namespace does not exist yet
	}
	existing, err := kube.Get(ctx, i.connection, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: i.opts.Namespace})
	if err != nil {
		return result, err
	}
	object := newNamespace(i.opts.Namespace, nil)
	if kube.IsOwned(existing, kube.OwnLabels()) { // applying it without its labels would remove them
		object = newNamespace(i.opts.Namespace, kube.OwnLabels())
	}
	annotate(object, i.opts.PolicyNamespaces)
	written := kube.Apply(ctx, i.connection, []*unstructured.Unstructured{object}, kube.ApplyOptions{DryRun: i.opts.DryRun, Force: i.opts.Force})[0]
	if written.Err != nil {
		return result, written.Err
	}
	if result.Outcome != kube.Created {
		result.Outcome = written.Outcome
	}
	return result, nil
}

// annotate sets the policy namespaces of a namespace.
func annotate(namespace *unstructured.Unstructured, listed []string) {
	if len(listed) > 0 {
		namespace.SetAnnotations(map[string]string{kube.PolicyNamespacesAnnotation: strings.Join(slices.Sorted(slices.Values(listed)), ",")})
	}
}

// DefinitionState is the state of a CRD in a cluster.
type DefinitionState string

// The states of definitions.
const (
	// DefinitionCurrent is what Install would write, DefinitionOther another revision written by
	// meshctl, and DefinitionForeign a CRD installed by someone else.
	DefinitionCurrent DefinitionState = "current"
	DefinitionOther   DefinitionState = "other"
	DefinitionForeign DefinitionState = "foreign"
	DefinitionMissing DefinitionState = "missing"
	// DefinitionNotServed: the CRD exists, but the API server does not serve the version that
	// meshctl uses.
	DefinitionNotServed DefinitionState = "not served"
)

// Definition is a CRD in a cluster.
type Definition struct {
	// Name is PLURAL.GROUP.
	Name  string
	State DefinitionState
}

// Definitions returns the state of each CRD that Install writes, sorted by name. It returns an
// error if one cannot be read.
func Definitions(ctx context.Context, c *kube.Connection) ([]Definition, error) {
	objects, err := definitions()
	if err != nil {
		return nil, err
	}
	states := make([]Definition, 0, len(objects))
	for _, object := range objects {
		state := DefinitionMissing
		existing, err := kube.Get(ctx, c, kube.ObjectKey{GVK: object.GroupVersionKind(), Name: object.GetName()})
		switch {
		case kube.IsReason(err, kube.ReasonNotFound):
		case err != nil:
			return nil, err
		default:
			state = definitionState(existing, object)
		}
		states = append(states, Definition{Name: object.GetName(), State: state})
	}
	return states, nil
}

func definitionState(existing, wanted *unstructured.Unstructured) DefinitionState {
	served := servedVersionsOf(existing)
	for _, version := range servedVersionsOf(wanted) {
		if !slices.Contains(served, version) {
			return DefinitionNotServed
		}
	}
	switch {
	case !isEstablished(existing):
		return DefinitionNotServed
	case existing.GetLabels()[kube.ManagedByLabel] != kube.ManagedBy:
		return DefinitionForeign
	case existing.GetAnnotations()[DefinitionAnnotation] != wanted.GetAnnotations()[DefinitionAnnotation]:
		return DefinitionOther
	default:
		return DefinitionCurrent
	}
}

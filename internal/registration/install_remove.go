package registration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// UninstallOptions configure the removal of what Install created.
type UninstallOptions struct {
	// Namespace is the namespace of meshctl's resources.
	Namespace string
	// DeleteResources also deletes all custom resources of meshctl.
	DeleteResources bool
	// DryRun set to DryRunServer sends a server-side dry run, which deletes nothing.
	DryRun kube.DryRun
	// Kubeconfig is the file of the connection, for commands that the result suggests.
	Kubeconfig string
	// Wait limits the wait until the CRDs are gone; DefaultWait if 0.
	Wait time.Duration
}

// Uninstallation is the result of an uninstall.
type Uninstallation struct {
	// Results are the deleted objects.
	Results []kube.Result
	// Kept are the objects that remain, and why.
	Kept []string
	// Leftovers are objects on formerly registered clusters.
	Leftovers []Leftover
}

// ResourcesExistError says that custom resources would be lost.
type ResourcesExistError struct {
	Cluster string
	// Counts are the numbers of resources by kind, such as "2 VirtualMeshes".
	Counts []string
}

// Error implements error. It lists the resources and says what to do.
func (e *ResourcesExistError) Error() string {
	return fmt.Sprintf("cluster %s still has resources of meshctl: %s; deregister the clusters and delete the rest, or delete all of them with --delete-resources",
		e.Cluster, strings.Join(e.Counts, ", "))
}

// UninstallPlan says what an uninstall will remove.
type UninstallPlan struct {
	// Resources are the numbers of resources that will be lost by kind, such as "2 VirtualMeshes".
	Resources []string
	// Keys are the Secrets with private keys of root CAs, which remain.
	Keys []Leftover

	uninstaller *uninstaller
}

// PlanUninstall finds the objects that Install created, and custom resources. It writes
// nothing. If there are custom resources, it returns a *ResourcesExistError unless
// opts.DeleteResources is set.
func PlanUninstall(ctx context.Context, c *kube.Connection, opts UninstallOptions, observe Observer) (*UninstallPlan, error) {
	u := &uninstaller{connection: c, opts: opts, observe: observe}
	var counts []string
	err := observe.phase(c.Name, PhaseResources, func() (string, error) {
		var err error
		counts, err = u.look(ctx)
		return "", err
	})
	if err != nil {
		return nil, err
	}
	return &UninstallPlan{Resources: counts, Keys: u.keys, uninstaller: u}, nil
}

// Run removes what Install created and nothing else. CRDs and roles that someone else
// installed are kept, and so is the namespace if it is not empty. Repeating Run completes an
// interrupted one. If it fails, it returns the result so far with the error.
func (p *UninstallPlan) Run(ctx context.Context) (*Uninstallation, error) {
	u := p.uninstaller
	err := u.observe.phase(u.connection.Name, PhaseRemove, func() (string, error) { return "", u.remove(ctx) })
	u.result.Leftovers = append(u.result.Leftovers, u.keys...)
	return &u.result, err
}

type uninstaller struct {
	connection *kube.Connection
	opts       UninstallOptions
	observe    Observer
	// definitions are the CRDs that Install created.
	definitions []string
	// registrations are the registered clusters, whose credentials are deleted too.
	registrations []metav1.ObjectMeta
	// keys are the Secrets with private keys of root CAs.
	keys   []Leftover
	result Uninstallation
}

// look finds the CRDs, and counts the resources that would be lost with them.
func (u *uninstaller) look(ctx context.Context) ([]string, error) {
	objects, err := definitions()
	if err != nil {
		return nil, err
	}
	var counts []string
	for _, object := range objects {
		existing, err := kube.Get(ctx, u.connection, kube.ObjectKey{GVK: definitionKind(), Name: object.GetName()})
		if kube.IsReason(err, kube.ReasonNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if existing.GetLabels()[kube.ManagedByLabel] != kube.ManagedBy {
			u.result.Kept = append(u.result.Kept, object.GetName()+": installed by another tool")
			continue
		}
		u.definitions = append(u.definitions, object.GetName())
		found, err := u.resources(ctx, object)
		if err != nil {
			return nil, err
		}
		kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
		if kind == registrationKind().Kind {
			u.registrations = found
		}
		if len(found) > 0 {
			counts = append(counts, text.Count(len(found), kind))
		}
	}
	if len(counts) > 0 && !u.opts.DeleteResources {
		return nil, &ResourcesExistError{Cluster: u.connection.Name, Counts: counts}
	}
	u.findKeys(ctx)
	return counts, nil
}

// resources lists the custom resources of a CRD in all namespaces.
func (u *uninstaller) resources(ctx context.Context, definition *unstructured.Unstructured) ([]metav1.ObjectMeta, error) {
	group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "plural")
	versions := servedVersionsOf(definition)
	if len(versions) == 0 {
		return nil, nil
	}
	found, err := kube.ListMetadata(ctx, u.connection, schema.GroupVersionResource{Group: group, Version: versions[0], Resource: plural}, kube.ListOptions{})
	if kube.IsReason(err, kube.ReasonNoSuchKind) {
		return nil, nil // the CRD is being removed
	}
	return found, err
}

func (u *uninstaller) remove(ctx context.Context) error {
	for _, forget := range []func(context.Context) error{u.removeController, u.forgetClusters, u.removeDefinitions, u.removeRoles, u.removeNamespace} {
		if err := forget(ctx); err != nil {
			return err
		}
	}
	return nil
}

// forgetClusters deletes the credentials of registered clusters, which would be useless, and
// records the leftovers on these clusters.
func (u *uninstaller) forgetClusters(ctx context.Context) error {
	for _, r := range u.registrations {
		if r.Labels[kube.ManagedByLabel] != kube.ManagedBy {
			continue
		}
		owner := map[string]string{kube.ManagedByLabel: kube.ManagedBy, RegisteredAsLabel: r.Name, ManagementLabel: r.Labels[ManagementLabel]}
		if err := u.delete(ctx, kube.ObjectKey{GVK: kube.SecretKind(), Namespace: r.Namespace, Name: r.Name}, owner); err != nil {
			return err
		}
		role := kube.ObjectKey{GVK: rbacv1.SchemeGroupVersion.WithKind("ClusterRole"), Name: membership{cluster: r.Name}.roleName()}
		u.result.Leftovers = append(u.result.Leftovers, leftoverOf(&kube.Connection{Name: r.Name}, "", role))
	}
	return nil
}

func (u *uninstaller) removeDefinitions(ctx context.Context) error {
	owner := map[string]string{kube.ManagedByLabel: kube.ManagedBy}
	for _, name := range u.definitions {
		if err := u.delete(ctx, kube.ObjectKey{GVK: definitionKind(), Name: name}, owner); err != nil {
			return err
		}
	}
	if u.opts.DryRun == kube.DryRunServer {
		return nil
	}
	for _, name := range u.definitions {
		if err := kube.WaitUntilGone(ctx, u.connection, kube.ObjectKey{GVK: definitionKind(), Name: name}, u.opts.Wait); err != nil {
			return err
		}
	}
	return nil
}

// removeController deletes the objects of the controller, its Deployment first.
func (u *uninstaller) removeController(ctx context.Context) error {
	for _, object := range slices.Backward(ControllerObjects(ControllerOptions{Namespace: u.opts.Namespace})) {
		if err := u.delete(ctx, kube.KeyOf(object), kube.OwnLabels()); err != nil {
			return err
		}
	}
	return nil
}

func (u *uninstaller) removeRoles(ctx context.Context) error {
	for _, role := range slices.Backward(managementRoles()) {
		if err := u.delete(ctx, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.Name}, kube.OwnLabels()); err != nil {
			return err
		}
	}
	return nil
}

// removeNamespace deletes the namespace if Install created it and it is empty. Otherwise it
// may hold signing keys.
func (u *uninstaller) removeNamespace(ctx context.Context) error {
	key := kube.ObjectKey{GVK: kube.NamespaceKind(), Name: u.opts.Namespace}
	existing, err := kube.Get(ctx, u.connection, key)
	if kube.IsReason(err, kube.ReasonNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if !kube.IsOwned(existing, kube.OwnLabels()) {
		u.result.Kept = append(u.result.Kept, "Namespace "+key.Name+": not created by meshctl")
		return u.unlistPolicyNamespaces(ctx, existing)
	}
	if u.opts.DryRun == kube.DryRunServer {
		return nil
	}
	removed, err := kube.DeleteNamespaceIfEmpty(ctx, u.connection, key.Name, kube.OwnLabels())
	if err != nil {
		return err
	}
	if !removed {
		u.result.Kept = append(u.result.Kept, "Namespace "+key.Name+": not empty")
		return nil
	}
	u.result.Results = append(u.result.Results, kube.Result{GVK: key.GVK, Name: key.Name, Cluster: u.connection.Name, Outcome: kube.Deleted})
	return nil
}

// unlistPolicyNamespaces takes from a namespace of someone else what Install wrote
// on it. What they wrote themselves stays: server-side apply removes only fields of
// meshctl.
func (u *uninstaller) unlistPolicyNamespaces(ctx context.Context, namespace *unstructured.Unstructured) error {
	if _, listed := namespace.GetAnnotations()[kube.PolicyNamespacesAnnotation]; !listed {
		return nil
	}
	bare := newNamespace(namespace.GetName(), nil)
	written := kube.Apply(ctx, u.connection, []*unstructured.Unstructured{bare}, kube.ApplyOptions{DryRun: u.opts.DryRun})[0]
	if written.Err != nil {
		return written.Err
	}
	if written.Outcome == kube.Configured {
		u.result.Results = append(u.result.Results, written)
	}
	return nil
}

// delete deletes an object of ours. One that is someone else's is kept.
func (u *uninstaller) delete(ctx context.Context, key kube.ObjectKey, owner map[string]string) error {
	result := kube.Delete(ctx, u.connection, key, kube.DeleteOptions{Owner: owner, DryRun: u.opts.DryRun})
	switch {
	case result.Err == nil:
		if result.Outcome == kube.Deleted {
			u.result.Results = append(u.result.Results, result)
		}
		return nil
	case result.Err.Reason == kube.ReasonConflict:
		u.result.Kept = append(u.result.Kept, kube.DescribeObject(key.GVK.Kind, key.Namespace, key.Name)+": not managed by meshctl")
		return nil
	default:
		return result.Err
	}
}

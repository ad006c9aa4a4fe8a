package registration

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"

	"github.com/meshctl/meshctl/internal/kube"
)

// preflight checks whether the registration can succeed, without writing anything. It reports
// all problems at once.
func (r *registrar) preflight(ctx context.Context) (string, error) {
	if err := r.prepare(ctx); err != nil {
		return "", err
	}
	questions := []func(context.Context) error{
		r.checkName, r.checkDuplicate, r.checkDefinitions, r.checkManagementPermissions, r.checkRemotePermissions, r.checkRole, r.warnWithoutIstio,
	}
	answers := kube.Parallel(len(questions), questions, func(ask func(context.Context) error) error { return ask(ctx) })
	if err := errors.Join(withoutRepeats(answers)...); err != nil {
		return "", err
	}
	return fmt.Sprintf("Kubernetes %s at %s", r.result.Version, r.endpoint.server), nil
}

// withoutRepeats removes duplicate errors: an unreachable cluster fails every check with the
// same one.
func withoutRepeats(errs []error) []error {
	var said []string
	return slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || slices.Contains(said, err.Error()) {
			return true
		}
		said = append(said, err.Error())
		return false
	})
}

// prepare determines the options and the clusters of the registration, and returns an error if
// it cannot succeed regardless of their content.
func (r *registrar) prepare(ctx context.Context) error {
	if err := r.opts.check(); err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.completeOptions(ctx); err != nil {
		return err
	}
	var (
		warnings []string
		err      error
	)
	r.endpoint, warnings, err = newEndpoint(r.remote, endpointOptions{address: r.opts.APIServerAddress, insecure: r.opts.InsecureSkipTLSVerify})
	r.observe.warn(r.opts.Cluster, PhasePreflight, warnings...)
	return err
}

// completeOptions sets the options that the user left open: to the values of an earlier registration of
// the same cluster, so that repeating it changes nothing, or else to the defaults.
func (r *registrar) completeOptions(ctx context.Context) error {
	found, err := findRegistration(ctx, r.management, r.opts.Namespace, r.opts.Cluster)
	switch {
	case kube.IsReason(err, kube.ReasonNotFound), kube.IsReason(err, kube.ReasonNoSuchKind), kube.IsReason(err, kube.ReasonForbidden):
		found = nil // missing permissions are reported together later
	case err != nil:
		return err
	case found.object == nil || found.object.GetLabels()[ClusterUIDLabel] != r.member.remoteUID:
		found = nil
	}
	if found != nil {
		r.opts.keep(found)
	}
	o := &r.opts
	o.RemoteNamespace = cmp.Or(o.RemoteNamespace, o.Namespace)
	o.ClusterDomain = cmp.Or(o.ClusterDomain, DefaultClusterDomain)
	o.Access = cmp.Or(o.Access, AccessFull)
	if o.TokenTTL == nil {
		o.TokenTTL = new(time.Duration)
	}
	r.member.remoteNamespace, r.member.clusterDomain = o.RemoteNamespace, o.ClusterDomain
	r.member.access, r.member.address = o.Access, o.APIServerAddress
	return nil
}

// keep sets open options to the values of an earlier registration. InsecureSkipTLSVerify is
// not kept: it must be specified every time.
func (o *RegisterOptions) keep(found *registered) {
	annotations := found.object.GetAnnotations()
	o.RemoteNamespace = cmp.Or(o.RemoteNamespace, found.member.remoteNamespace)
	o.ClusterDomain = cmp.Or(o.ClusterDomain, found.member.clusterDomain)
	if access := annotations[accessAnnotation]; slices.Contains(Accesses(), access) {
		o.Access = cmp.Or(o.Access, Access(access))
	}
	o.APIServerAddress = cmp.Or(o.APIServerAddress, annotations[addressAnnotation])
	if o.TokenTTL == nil && found.secret != nil {
		text, _ := secretText(found.secret, kube.KubeconfigSecretKey)
		if parts, err := splitKubeconfig(text); err == nil {
			life := tokenLife(parts.token)
			o.TokenTTL = &life
		}
	}
}

// identify determines the UIDs and versions of the clusters.
func (r *registrar) identify(ctx context.Context) error {
	type identity struct {
		uid     string
		version version.Info
		err     error
	}
	found := kube.Each([]*kube.Connection{r.management, r.remote}, func(c *kube.Connection) identity {
		info, err := c.ServerVersion(ctx)
		if err == nil {
			err = kube.CheckVersion(c, info)
		}
		if err != nil {
			return identity{err: err}
		}
		uid, err := c.UID(ctx)
		return identity{uid: uid, version: info, err: err}
	})
	if err := errors.Join(found[0].err, found[1].err); err != nil {
		return err
	}
	r.member.managementUID, r.member.remoteUID = found[0].uid, found[1].uid
	r.result.UID, r.result.Version = found[1].uid, found[1].version.GitVersion
	return nil
}

// checkName returns an error if another cluster has the name.
func (r *registrar) checkName(ctx context.Context) error {
	existing, err := kube.Get(ctx, r.management, r.member.registrationKey())
	if kube.IsReason(err, kube.ReasonNotFound) || kube.IsReason(err, kube.ReasonNoSuchKind) {
		return nil // a missing kind is reported by checkDefinitions
	}
	if err != nil {
		return err
	}
	if uid := existing.GetLabels()[ClusterUIDLabel]; uid != "" && uid != r.member.remoteUID {
		return r.refuse("the name is taken by another cluster", "choose another name, or deregister that cluster first")
	}
	if err := r.management.CheckOwner("register cluster "+r.opts.Cluster, existing, r.owner()); err != nil {
		return r.refuse("KubernetesCluster "+r.opts.Cluster+" exists and was not created by meshctl", "choose another name, or remove it with the tool that created it")
	}
	return nil
}

func (r *registrar) refuse(why, hint string) error {
	return &kube.Error{Action: "register cluster " + r.opts.Cluster, Reason: kube.ReasonAlreadyExists, Why: why, Hint: hint}
}

func (m membership) registrationKey() kube.ObjectKey {
	return kube.ObjectKey{GVK: registrationKind(), Namespace: m.namespace, Name: m.cluster}
}

func registrationKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: kube.KubernetesClusters().Group, Version: kube.KubernetesClusters().Version, Kind: "KubernetesCluster"}
}

// checkDuplicate returns an error if the cluster is registered under another name. Registered
// clusters without a recorded UID are asked for it, if they are reachable.
func (r *registrar) checkDuplicate(ctx context.Context) error {
	type labelled struct{ name, uid string }
	all, err := kube.List(ctx, r.management, kube.KubernetesClusters(), kube.ListOptions{Namespace: r.member.namespace}, func(u *unstructured.Unstructured) labelled {
		return labelled{u.GetName(), u.GetLabels()[ClusterUIDLabel]}
	})
	if kube.IsReason(err, kube.ReasonNoSuchKind) {
		return nil
	}
	if err != nil {
		return err
	}
	var unknown []string
	for _, known := range all {
		switch {
		case known.name == r.opts.Cluster:
		case known.uid == "":
			unknown = append(unknown, known.name)
		case known.uid == r.member.remoteUID:
			return r.refuseDuplicate(known.name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	connections, _, err := kube.Registered(ctx, r.management, r.member.namespace, unknown, r.opts.Connection)
	if err != nil {
		return err
	}
	uids := kube.Each(connections, func(c *kube.Connection) string {
		uid, _ := c.UID(ctx) // an unreachable cluster cannot be compared
		return uid
	})
	if i := slices.Index(uids, r.member.remoteUID); i >= 0 {
		return r.refuseDuplicate(connections[i].Name)
	}
	return nil
}

func (r *registrar) refuseDuplicate(name string) error {
	return r.refuse("the same cluster is registered as "+name, "use that name, or run 'meshctl cluster deregister "+name+"' first")
}

// checkAdoption returns an error if the cluster is registered with another management cluster,
// unless it is to be adopted.
func (r *registrar) checkAdoption(ctx context.Context) error {
	role := r.member.clusterRole()
	existing, err := kube.Get(ctx, r.remote, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()})
	if err != nil || r.opts.Adopt {
		return nil //nolint:nilerr // errors are reported when the object is written
	}
	labels := existing.GetLabels()
	if labels[kube.ManagedByLabel] != kube.ManagedBy || labels[ManagementLabel] == r.member.managementUID {
		return nil
	}
	return &kube.Error{
		Action: "register cluster " + r.opts.Cluster, Reason: kube.ReasonAlreadyExists,
		Why:  "it is registered under this name with another management cluster",
		Hint: "choose another name, deregister it there, or, if that cluster is gone, take over with --adopt",
	}
}

// checkDefinitions checks that the CRD of registrations exists.
func (r *registrar) checkDefinitions(ctx context.Context) error {
	_, err := r.management.Resource(ctx, registrationKind())
	var e *kube.Error
	if errors.As(err, &e) && e.Reason == kube.ReasonNoSuchKind {
		missing := *e
		missing.Hint = kube.HintNotManagement
		return &missing
	}
	return err
}

func (r *registrar) checkManagementPermissions(ctx context.Context) error {
	group := kube.KubernetesClusters().Group
	clusters := kube.Permission{Group: group, Resource: "kubernetesclusters", Namespace: r.member.namespace, Name: r.opts.Cluster}
	status := clusters
	status.Subresource = "status"
	secret := kube.Permission{Resource: "secrets", Namespace: r.member.namespace, Name: r.opts.Cluster}
	return kube.RequirePermissions(ctx, r.management, "register clusters", slices.Concat(
		kube.PermissionsFor(clusters, "get", "create", "patch"), kube.PermissionsFor(status, "patch"), kube.PermissionsFor(secret, "get", "create", "patch")))
}

func (r *registrar) checkRemotePermissions(ctx context.Context) error {
	const rbac = "rbac.authorization.k8s.io"
	role := kube.Permission{Group: rbac, Resource: "clusterroles", Name: r.member.roleName()}
	binding := kube.Permission{Group: rbac, Resource: "clusterrolebindings", Name: r.member.roleName()}
	account := kube.Permission{Resource: "serviceaccounts", Namespace: r.member.remoteNamespace, Name: r.opts.Cluster}
	needed := slices.Concat(
		kube.PermissionsFor(role, "get", "create", "patch"), kube.PermissionsFor(binding, "get", "create", "patch"),
		kube.PermissionsFor(account, "get", "create", "patch"))
	if *r.opts.TokenTTL > 0 {
		account.Subresource = "token"
		needed = append(needed, kube.PermissionsFor(account, "create")...)
	} else {
		secret := kube.Permission{Resource: "secrets", Namespace: r.member.remoteNamespace}
		needed = append(needed, kube.PermissionsFor(secret, "get", "list", "create", "patch")...)
	}
	namespace := kube.Permission{Resource: "namespaces", Name: r.member.remoteNamespace}
	needed = append(needed, kube.PermissionsFor(namespace, "get")...)
	_, err := kube.Get(ctx, r.remote, kube.ObjectKey{GVK: kube.NamespaceKind(), Name: r.member.remoteNamespace})
	if kube.IsReason(err, kube.ReasonNotFound) {
		needed = append(needed, kube.PermissionsFor(kube.Permission{Resource: "namespaces"}, "create")...)
	}
	return kube.RequirePermissions(ctx, r.remote, "create a service account", needed)
}

// checkRole checks that the ClusterRole can be written. Kubernetes lets users grant only
// permissions that they have themselves.
func (r *registrar) checkRole(ctx context.Context) error {
	if err := r.checkAdoption(ctx); err != nil {
		return err
	}
	opts := r.remoteApply()
	opts.DryRun = kube.DryRunServer
	result := kube.Apply(ctx, r.remote, []*unstructured.Unstructured{r.member.clusterRole()}, opts)[0]
	// If the user may not write roles at all, checkRemotePermissions reports it.
	if result.Err != nil && (result.Err.Reason != kube.ReasonForbidden || strings.Contains(result.Err.Why, "attempting to grant")) {
		return result.Err
	}
	return nil
}

// warnWithoutIstio warns if Istio is not installed. The cluster can be registered, but not configured
// yet.
func (r *registrar) warnWithoutIstio(ctx context.Context) error {
	if len(r.remote.ServedVersions(ctx, "networking.istio.io")) == 0 && ctx.Err() == nil {
		r.observe.warn(r.opts.Cluster, PhasePreflight, "Istio is not installed there: meshctl can configure the cluster after you install it")
	}
	return nil
}

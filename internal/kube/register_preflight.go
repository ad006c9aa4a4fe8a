package kube

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
)

// preflight finds out, without writing anything, whether the registration can
// work. Everything that is wrong is reported together.
func (r *registrar) preflight(ctx context.Context) (string, error) {
	if err := r.begin(ctx); err != nil {
		return "", err
	}
	questions := []func(context.Context) error{
		r.checkName, r.checkDuplicate, r.checkDefinitions, r.checkManagementPermissions, r.checkRemotePermissions, r.checkRole, r.noteIstio,
	}
	answers := inParallel(len(questions), questions, func(ask func(context.Context) error) error { return ask(ctx) })
	if err := errors.Join(withoutRepeats(answers)...); err != nil {
		return "", err
	}
	return fmt.Sprintf("Kubernetes %s at %s", r.result.Version, r.endpoint.server), nil
}

// withoutRepeats drops errors that say the same: a dead cluster fails every
// question.
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

// begin settles what the registration is made of, and refuses what cannot work
// whatever the clusters hold.
func (r *registrar) begin(ctx context.Context) error {
	if err := r.opts.check(); err != nil {
		return err
	}
	if err := r.identify(ctx); err != nil {
		return err
	}
	if err := r.settle(ctx); err != nil {
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

// settle fills in what the user left open: an earlier registration of the same
// cluster keeps what it has, so that repeating it changes nothing; a new one
// gets the defaults.
func (r *registrar) settle(ctx context.Context) error {
	found, err := findRegistration(ctx, r.management, r.opts.Namespace, r.opts.Cluster)
	switch {
	case IsReason(err, ReasonNotFound), IsReason(err, ReasonNoSuchKind), IsReason(err, ReasonForbidden):
		found = nil // what is forbidden is reported with the other permissions
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

// keep takes over what an earlier registration has and the user left open.
// That certificates are not verified must be said every time.
func (o *RegisterOptions) keep(found *registered) {
	annotations := found.object.GetAnnotations()
	o.RemoteNamespace = cmp.Or(o.RemoteNamespace, found.member.remoteNamespace)
	o.ClusterDomain = cmp.Or(o.ClusterDomain, found.member.clusterDomain)
	if access := annotations[accessAnnotation]; slices.Contains(Accesses(), access) {
		o.Access = cmp.Or(o.Access, Access(access))
	}
	o.APIServerAddress = cmp.Or(o.APIServerAddress, annotations[addressAnnotation])
	if o.TokenTTL == nil && found.secret != nil {
		text, _ := secretText(found.secret, KubeconfigSecretKey)
		if parts, err := splitKubeconfig(text); err == nil {
			life := tokenLife(parts.token)
			o.TokenTTL = &life
		}
	}
}

// identify finds out which clusters these are.
func (r *registrar) identify(ctx context.Context) error {
	type identity struct {
		uid     string
		version version.Info
		err     error
	}
	found := Each([]*Connection{r.management, r.remote}, func(c *Connection) identity {
		info, err := c.ServerVersion(ctx)
		if err == nil {
			err = CheckVersion(c, info)
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

// checkName refuses a name that another cluster has.
func (r *registrar) checkName(ctx context.Context) error {
	existing, err := Get(ctx, r.management, r.member.registrationKey())
	if IsReason(err, ReasonNotFound) || IsReason(err, ReasonNoSuchKind) {
		return nil // a missing kind is reported once, for all
	}
	if err != nil {
		return err
	}
	if uid := existing.GetLabels()[ClusterUIDLabel]; uid != "" && uid != r.member.remoteUID {
		return r.refuse("the name is taken by another cluster", "choose another name, or deregister that cluster first")
	}
	if err := r.management.checkOwner("register cluster "+r.opts.Cluster, existing, r.owner()); err != nil {
		return r.refuse("KubernetesCluster "+r.opts.Cluster+" exists and was not made by meshctl", "choose another name, or remove it with the tool that made it")
	}
	return nil
}

func (r *registrar) refuse(why, hint string) error {
	return &Error{Action: "register cluster " + r.opts.Cluster, Reason: ReasonAlreadyExists, Why: why, Hint: hint}
}

func (m membership) registrationKey() ObjectKey {
	return ObjectKey{GVK: registrationKind(), Namespace: m.namespace, Name: m.cluster}
}

func registrationKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: registrations().Group, Version: registrations().Version, Kind: "KubernetesCluster"}
}

// checkDuplicate refuses a cluster that is registered under another name. Of
// registrations that do not say which cluster they are for, those are asked
// that answer.
func (r *registrar) checkDuplicate(ctx context.Context) error {
	type labelled struct{ name, uid string }
	all, err := List(ctx, r.management, registrations(), ListOptions{Namespace: r.member.namespace}, func(u *unstructured.Unstructured) labelled {
		return labelled{u.GetName(), u.GetLabels()[ClusterUIDLabel]}
	})
	if IsReason(err, ReasonNoSuchKind) {
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
	connections, _, err := Registered(ctx, r.management, r.member.namespace, unknown, r.opts.Connection)
	if err != nil {
		return err
	}
	uids := Each(connections, func(c *Connection) string {
		uid, _ := c.UID(ctx) // one that does not answer cannot be compared
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

// checkAdoption refuses to take the place of a registration with another
// management cluster.
func (r *registrar) checkAdoption(ctx context.Context) error {
	role := r.member.clusterRole()
	existing, err := Get(ctx, r.remote, ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()})
	if err != nil || r.opts.Adopt {
		return nil //nolint:nilerr // what cannot be read is judged when it is written
	}
	labels := existing.GetLabels()
	if labels[ManagedByLabel] != ManagedBy || labels[ManagementLabel] == r.member.managementUID {
		return nil
	}
	return &Error{
		Action: "register cluster " + r.opts.Cluster, Reason: ReasonAlreadyExists,
		Why:  "it is registered under this name with another management cluster",
		Hint: "choose another name, deregister it there, or, if that cluster is gone, take over with --adopt",
	}
}

// checkDefinitions makes sure that a registration can be stored.
func (r *registrar) checkDefinitions(ctx context.Context) error {
	_, err := r.management.Resource(ctx, registrationKind())
	var e *Error
	if errors.As(err, &e) && e.Reason == ReasonNoSuchKind {
		missing := *e
		missing.Hint = "run 'meshctl install' for this cluster first"
		return &missing
	}
	return err
}

func (r *registrar) checkManagementPermissions(ctx context.Context) error {
	group := registrations().Group
	clusters := Permission{Group: group, Resource: "kubernetesclusters", Namespace: r.member.namespace, Name: r.opts.Cluster}
	status := clusters
	status.Subresource = "status"
	secret := Permission{Resource: "secrets", Namespace: r.member.namespace, Name: r.opts.Cluster}
	return requirePermissions(ctx, r.management, "register clusters", slices.Concat(
		permissionsFor(clusters, "get", "create", "patch"), permissionsFor(status, "patch"), permissionsFor(secret, "get", "create", "patch")))
}

func (r *registrar) checkRemotePermissions(ctx context.Context) error {
	const rbac = "rbac.authorization.k8s.io"
	role := Permission{Group: rbac, Resource: "clusterroles", Name: r.member.roleName()}
	binding := Permission{Group: rbac, Resource: "clusterrolebindings", Name: r.member.roleName()}
	account := Permission{Resource: "serviceaccounts", Namespace: r.member.remoteNamespace, Name: r.opts.Cluster}
	needed := slices.Concat(
		permissionsFor(role, "get", "create", "patch"), permissionsFor(binding, "get", "create", "patch"),
		permissionsFor(account, "get", "create", "patch"))
	if *r.opts.TokenTTL > 0 {
		account.Subresource = "token"
		needed = append(needed, permissionsFor(account, "create")...)
	} else {
		secret := Permission{Resource: "secrets", Namespace: r.member.remoteNamespace}
		needed = append(needed, permissionsFor(secret, "get", "list", "create", "patch")...)
	}
	namespace := Permission{Resource: "namespaces", Name: r.member.remoteNamespace}
	needed = append(needed, permissionsFor(namespace, "get")...)
	_, err := Get(ctx, r.remote, ObjectKey{GVK: NamespaceKind(), Name: r.member.remoteNamespace})
	if IsReason(err, ReasonNotFound) {
		needed = append(needed, permissionsFor(Permission{Resource: "namespaces"}, "create")...)
	}
	return requirePermissions(ctx, r.remote, "make a service account", needed)
}

// checkRole makes sure that the ClusterRole can be written. The cluster itself
// says whether the user may hand out the permissions of the registration: only
// those that the user has.
func (r *registrar) checkRole(ctx context.Context) error {
	if err := r.checkAdoption(ctx); err != nil {
		return err
	}
	opts := r.remoteApply()
	opts.DryRun = DryRunServer
	result := Apply(ctx, r.remote, []*unstructured.Unstructured{r.member.clusterRole()}, opts)[0]
	// Who may not write roles at all is told so with the other permissions.
	if result.Err != nil && (result.Err.Reason != ReasonForbidden || strings.Contains(result.Err.Why, "attempting to grant")) {
		return result.Err
	}
	return nil
}

// noteIstio says so if there is no Istio: registering is no mistake then, but
// nothing can be configured yet.
func (r *registrar) noteIstio(ctx context.Context) error {
	if len(r.remote.servedVersions(ctx, "networking.istio.io")) == 0 && ctx.Err() == nil {
		r.observe.warn(r.opts.Cluster, PhasePreflight, "Istio is not installed there: meshctl can look at the cluster, and configure it once Istio is")
	}
	return nil
}

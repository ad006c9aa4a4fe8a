package registration

import (
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/kube"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// registered is a registration as stored in the management cluster.
type registered struct {
	management *kube.Connection
	member     membership
	// object is the KubernetesCluster, secret the Secret that it refers to; nil if missing.
	object, secret *unstructured.Unstructured
	secretName     string
}

// findRegistration reads a registration, complete or not. If the cluster is not registered, it
// returns a *kube.Error with ReasonNotFound.
func findRegistration(ctx context.Context, management *kube.Connection, namespace, cluster string) (*registered, error) {
	found := &registered{management: management, secretName: cluster, member: membership{
		cluster: cluster, namespace: namespace, remoteNamespace: namespace, access: AccessFull, clusterDomain: DefaultClusterDomain,
	}}
	uid, err := management.UID(ctx)
	if err != nil {
		return nil, err
	}
	found.member.managementUID = uid
	object, err := kube.Get(ctx, management, found.member.registrationKey())
	if err != nil && !kube.IsReason(err, kube.ReasonNotFound) && !kube.IsReason(err, kube.ReasonNoSuchKind) {
		return nil, err
	}
	if err == nil {
		found.object = object
		found.read(object)
	}
	secret, err := kube.Get(ctx, management, kube.ObjectKey{GVK: kube.SecretKind(), Namespace: namespace, Name: found.secretName})
	if err != nil && !kube.IsReason(err, kube.ReasonNotFound) {
		return nil, err
	}
	if err == nil {
		found.secret = secret
	}
	if found.object == nil && (found.secret == nil || !kube.IsOwned(found.secret, found.member.labels())) {
		return nil, notRegistered(ctx, management, namespace, cluster)
	}
	return found, nil
}

// read sets the fields stored in a KubernetesCluster.
func (r *registered) read(object *unstructured.Unstructured) {
	var cluster multiclusterv1alpha1.KubernetesCluster
	if fromUnstructured(object, &cluster) != nil {
		return
	}
	if cluster.Spec.SecretName != "" {
		r.secretName = cluster.Spec.SecretName
	}
	if cluster.Status.Namespace != "" {
		r.member.remoteNamespace = cluster.Status.Namespace
	}
	if cluster.Spec.ClusterDomain != "" {
		r.member.clusterDomain = cluster.Spec.ClusterDomain
	}
	r.member.remoteUID = object.GetLabels()[ClusterUIDLabel]
}

func (r *registered) broken(why string) error {
	return &kube.Error{
		Cluster: r.management.Name, Action: "use the registration of cluster " + r.member.cluster, Reason: kube.ReasonUnusable, Why: why,
		Hint: "run 'meshctl cluster register " + r.member.cluster + "' again",
	}
}

// confirm checks that a connection leads to the registered cluster.
func (r *registered) confirm(ctx context.Context, remote *kube.Connection) error {
	uid, err := remote.UID(ctx)
	if err != nil {
		return err
	}
	if r.member.remoteUID != "" && r.member.remoteUID != uid {
		return &kube.Error{
			Action: "use context " + remote.Context, Reason: kube.ReasonUnusable,
			Why: "it is a different cluster than " + r.member.cluster, Hint: "use --remote-context with the context of that cluster",
		}
	}
	r.member.remoteUID = uid
	return nil
}

// notRegistered returns the error that a cluster is not registered; it lists those that are.
func notRegistered(ctx context.Context, management *kube.Connection, namespace, cluster string) error {
	e := &kube.Error{Cluster: management.Name, Action: "find cluster " + cluster, Reason: kube.ReasonNotFound, Why: "it is not registered in namespace " + namespace}
	names, err := RegisteredNames(ctx, management, namespace)
	switch {
	case kube.IsReason(err, kube.ReasonNoSuchKind):
		return err // no cluster can be registered there
	case err != nil:
		return e
	}
	switch near := spelling.Nearest(cluster, names); {
	case near != "":
		e.Hint = "did you mean " + near + "?"
	case len(names) > 0:
		e.Hint = "registered clusters: " + strings.Join(names, ", ")
	}
	return e
}

// fromUnstructured decodes an object into a typed one.
func fromUnstructured(object *unstructured.Unstructured, into any) error {
	return runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into)
}

// RegisteredNames returns the sorted names of the registered clusters. It reads only
// metadata. The error is a *kube.Error.
func RegisteredNames(ctx context.Context, management *kube.Connection, namespace string) ([]string, error) {
	found, err := kube.ListMetadata(ctx, management, kube.KubernetesClusters(), kube.ListOptions{Namespace: namespace})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(found))
	for _, object := range found {
		names = append(names, object.Name)
	}
	slices.Sort(names)
	return names, nil
}

package kube

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// The Secret that registration writes to the management cluster.
const (
	KubeconfigSecretType = "solo.io/kubeconfig" //nolint:gosec // a type, not a secret
	KubeconfigSecretKey  = "kubeconfig"
)

// FromKubeconfig returns a connection for the kubeconfig of a registered cluster.
// The kubeconfig must be self-contained: whoever can write it must not be able to
// make meshctl run programs or read files.
func FromKubeconfig(cluster string, text []byte, opts Options) (*Connection, error) {
	const action = "use the registered credentials"
	const hint = "register the cluster again"
	fail := func(why string, cause error) (*Connection, error) {
		e := unusable(action, why, hint, cause)
		e.Cluster = cluster
		return nil, e
	}
	raw, err := clientcmd.Load(text)
	if err != nil {
		// The error may contain the kubeconfig.
		return fail("it is not a kubeconfig", nil)
	}
	context := raw.CurrentContext
	if context == "" && len(raw.Contexts) == 1 {
		for name := range raw.Contexts {
			context = name
		}
	}
	if raw.Contexts[context] == nil {
		return fail("it has no current context", nil)
	}
	if why := UnsafeKubeconfig(raw, raw.Contexts[context]); why != "" {
		return fail(why, nil)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(*raw, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return fail(OneLine(err.Error()), err)
	}
	return New(cluster, SourceRegistered, config, opts), nil
}

// UnsafeKubeconfig returns why a context from a cluster must not be used; empty
// if it is safe.
func UnsafeKubeconfig(raw *clientcmdapi.Config, context *clientcmdapi.Context) string {
	cluster, user := raw.Clusters[context.Cluster], raw.AuthInfos[context.AuthInfo]
	switch {
	case cluster == nil:
		return "its context names no cluster"
	case cluster.Server == "":
		return "its cluster has no server"
	case user == nil:
		return "its context names no user"
	case user.Exec != nil || user.AuthProvider != nil:
		return "it uses a credential plugin"
	case cluster.CertificateAuthority != "" || user.ClientCertificate != "" || user.ClientKey != "" || user.TokenFile != "":
		return "it refers to files"
	default:
		return ""
	}
}

// Registered returns connections to the registered clusters of a namespace, read
// from the management cluster: those with the given names, or all if there are
// none.
//
// An unusable cluster does not affect the others: it has an entry in the errors,
// which are sorted by cluster like the connections. The last result is an error
// about all of them, if the list cannot be read or a name is not registered.
func Registered(ctx context.Context, management *Connection, namespace string, names []string, opts Options) ([]*Connection, []*Error, error) {
	registered, err := List(ctx, management, KubernetesClusters(), ListOptions{Namespace: namespace}, func(u *unstructured.Unstructured) registration {
		secret, _, _ := unstructured.NestedString(u.Object, "spec", "secretName")
		return registration{cluster: u.GetName(), secret: secret}
	})
	if err != nil {
		return nil, nil, err
	}
	if len(names) > 0 {
		if registered, err = chooseRegistrations(management, registered, names); err != nil {
			return nil, nil, err
		}
	}
	slices.SortFunc(registered, func(a, b registration) int { return strings.Compare(a.cluster, b.cluster) })
	type outcome struct {
		connection *Connection
		err        error
	}
	outcomes := ParallelRequests(registered, func(r registration) outcome {
		connection, err := readRegistration(ctx, management, namespace, r, opts)
		return outcome{connection, err}
	})
	var (
		connections []*Connection
		failed      []*Error
	)
	for i, o := range outcomes {
		if o.err != nil {
			e := management.Translate("read the credentials of cluster "+registered[i].cluster, o.err)
			failed = append(failed, e)
			continue
		}
		connections = append(connections, o.connection)
	}
	return connections, failed, ctx.Err()
}

// registration holds the fields of a KubernetesCluster that are needed here.
type registration struct{ cluster, secret string }

// KubernetesClusters returns the resource of registered clusters.
func KubernetesClusters() schema.GroupVersionResource {
	return multiclusterv1alpha1.GroupVersion().WithResource("kubernetesclusters")
}

func chooseRegistrations(management *Connection, all []registration, names []string) ([]registration, error) {
	known := make([]string, 0, len(all))
	for _, r := range all {
		known = append(known, r.cluster)
	}
	var chosen []registration
	for _, name := range names {
		i := slices.Index(known, name)
		if i < 0 {
			e := &Error{Cluster: management.Name, Action: "find cluster " + name, Reason: ReasonNotFound, Why: "it is not registered", Hint: "register it, or use a registered cluster"}
			if near := spelling.Nearest(name, known); near != "" {
				e.Hint = "did you mean " + near + "?"
			}
			return nil, e
		}
		if !slices.Contains(chosen, all[i]) {
			chosen = append(chosen, all[i])
		}
	}
	return chosen, nil
}

// readRegistration reads the kubeconfig of one cluster.
func readRegistration(ctx context.Context, management *Connection, namespace string, r registration, opts Options) (*Connection, error) {
	if r.secret == "" {
		r.secret = r.cluster
	}
	client, err := management.Dynamic()
	if err != nil {
		return nil, err
	}
	action := "read Secret " + r.secret + " in " + namespace
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	secret, err := client.Resource(secrets).Namespace(namespace).Get(ctx, r.secret, metav1.GetOptions{})
	if err != nil {
		return nil, management.Explain(action, err)
	}
	fail := func(why string) (*Connection, error) {
		return nil, &Error{Cluster: management.Name, Action: "use Secret " + r.secret + " in " + namespace, Reason: ReasonUnusable, Why: why, Hint: "register cluster " + r.cluster + " again"}
	}
	if kind, _, _ := unstructured.NestedString(secret.Object, "type"); kind != KubeconfigSecretType {
		return fail("its type is not " + KubeconfigSecretType)
	}
	encoded, _, _ := unstructured.NestedString(secret.Object, "data", KubeconfigSecretKey)
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(text) == 0 {
		return fail("it has no data under the key " + KubeconfigSecretKey)
	}
	return FromKubeconfig(r.cluster, text, opts)
}

package registration

import (
	"context"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// findKeys finds the Secrets with the private keys of root CAs that meshctl generated.
// Uninstall keeps them: without its root, no mesh gets a new certificate that the
// others trust.
func (u *uninstaller) findKeys(ctx context.Context) {
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	found, err := kube.ListMetadata(ctx, u.connection, secrets, kube.ListOptions{
		Namespace: u.opts.Namespace, Labels: kube.ManagedByLabel + "=" + kube.ManagedBy, Fields: "type=" + trust.RootSecretType,
	})
	if err != nil {
		u.keys = []Leftover{{
			Cluster: u.connection.Name, Object: "Secrets with private keys of root CAs in " + u.opts.Namespace,
			Advice: "not known whether there are any: " + err.Error(),
		}}
		return
	}
	for i := range found {
		left := leftoverOf(u.connection, u.opts.Kubeconfig, kube.ObjectKey{GVK: kube.SecretKind(), Namespace: found[i].Namespace, Name: found[i].Name})
		left.Object += ", with the private key of a root CA"
		u.keys = append(u.keys, left)
	}
}

//go:build e2e && unix

package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTrustByVault has a Vault sign the certificates of the meshes.
func TestTrustByVault(t *testing.T) {
	t.Parallel()
	v := startVault(t)
	f := newTrustFleet(t, "trustvault", false)
	f.virtualMesh(t, "{shared: "+small+"}")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	old := f.keysOf(t)

	byToken := f.byVault(v, "tokenSecretRef: {name: vault-token, namespace: gloo-mesh}")
	f.virtualMesh(t, byToken)
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "the root in the VirtualMesh (Vault at "+v.Address+") differs from the deployed root (generated, Secret prod.gloo-mesh in gloo-mesh)")
	got := f.meshctl(t, 1, "trust", "rotate", "prod", "--yes", "--ignore-older")
	f.expect(t, got.stderr, "credentials for Vault not found: the management cluster has no Secret vault-token in gloo-mesh")
	if states := f.conditions(t); len(states) > 0 {
		t.Fatalf("it recorded %v", states)
	}
	// Everybody may read the root; the token is needed to sign.
	f.provide(t, "vault-token", map[string]string{"token": "hvs.not-the-right-one"})
	f.rotate(t, 0)
	before := f.authorities(t)
	f.expect(t, f.rotate(t, 1).stdout, v.Address, "403 Forbidden")
	f.everyPairTalks(t, "while Vault does not sign", before)
	f.provide(t, "vault-token", map[string]string{"token": v.Signer + "\n"})

	for range 2 {
		before := f.authorities(t)
		f.rotate(t, 0)
		f.everyPairTalks(t, f.state(t), before)
	}
	if state := f.state(t); state != "FINISHED" {
		t.Fatalf("it ends with %s", state)
	}
	f.losesNoKey(t, "after the rotation to Vault", old)
	f.signedByVault(t)

	t.Run("renewal", func(t *testing.T) {
		before := f.authorities(t)
		f.virtualMesh(t, strings.Replace(byToken, "ttlDays: 30", "ttlDays: 30, secretRotationGracePeriodRatio: 0.999999", 1))
		// What Vault makes is valid since half a minute before.
		got := f.meshctl(t, 0, "trust", "issue", "prod", "--yes", "-v", "-v")
		f.expect(t, got.stdout, "reissue", "has been due since")
		f.everyPairTalks(t, "after a renewal", before)
		if f.authorities(t)["east"].intermediate.Equal(before["east"].intermediate) {
			t.Error("east was not renewed")
		}
		f.signedByVault(t)
	})
	t.Run("by a service account", func(t *testing.T) {
		f.letVaultReview(t, v)
		f.restore(t, trustState{})
		f.virtualMesh(t, f.byVault(v, "kubernetesAuth: {role: mesh, serviceAccountRef: {name: default, namespace: default}}"))
		f.meshctl(t, 0, "trust", "issue", "prod", "--yes", "-v", "-v")
		f.signedByVault(t)
		f.expect(t, f.meshctl(t, 0, "trust", "issue", "prod", "--yes").stdout, "keep")
	})
	for _, token := range []string{v.Signer, v.Operator, "eyJhbG"} {
		if strings.Contains(f.said.String(), token) {
			t.Errorf("the output has the token %.6s...", token)
		}
	}
	f.virtualMesh(t, "{shared: "+small+"}")
	f.keepsSecrets(t)
}

// byVault asks for the certificates of a Vault.
func (f *trustFleet) byVault(v *vaultServer, credentials string) string {
	return fmt.Sprintf("{shared: {intermediateCertificateAuthority: {vault: {server: %q, caPath: pki/ca/pem, csrPath: pki/root/sign-intermediate, caBundle: %s, %s}}, intermediateCertOptions: {rsaKeySizeBytes: 2048, ttlDays: 30}}}",
		v.Address, base64.StdEncoding.EncodeToString(v.CABundle), credentials)
}

func (f *trustFleet) signedByVault(t *testing.T) {
	t.Helper()
	f.everyPairTalks(t, "by Vault", nil)
	for name, a := range f.authorities(t) {
		root := a.chain[len(a.chain)-1]
		if root.Subject.CommonName != "Example Root" || len(a.roots) != 1 || !a.roots[0].Equal(root) {
			t.Errorf("%s has a certificate of %s", name, root.Subject)
		}
		if !a.intermediate.IsCA || !a.intermediate.MaxPathLenZero || len(a.intermediate.URIs) != 1 || a.intermediate.URIs[0].String() != "spiffe://shop.example.com/ns/istio-system/sa/istio-citadel" {
			t.Errorf("%s has a certificate for %v", name, a.intermediate.URIs)
		}
	}
}

// letVaultReview lets Vault ask the management cluster whose tokens it gets.
func (f *trustFleet) letVaultReview(t *testing.T, v *vaultServer) {
	t.Helper()
	client, ctx := admin(t, f.management), t.Context()
	if _, err := client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "vault-reviews-tokens"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "system:auth-delegator"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: corev1.NamespaceDefault, Name: "default"}},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	request, err := client.CoreV1().ServiceAccounts(corev1.NamespaceDefault).CreateToken(ctx, "default", &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	v.write(t, "auth/kubernetes/config", map[string]any{
		"kubernetes_host": f.management.Server, "kubernetes_ca_cert": string(f.management.Admin().Config().CAData),
		"token_reviewer_jwt": request.Status.Token, "disable_local_ca_jwt": true,
	})
	v.write(t, "auth/kubernetes/role/mesh", map[string]any{
		"bound_service_account_names": "default", "bound_service_account_namespaces": "default", "token_policies": "meshctl", "token_ttl": "10m",
	})
}

//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// small are options that make certificates quickly.
const small = "{rootCertificateAuthority: {generated: {rsaKeySizeBytes: 2048}}, intermediateCertOptions: {rsaKeySizeBytes: 2048}}"

// trustFleet is a management cluster and two members with a mesh each, all of
// them behind proxies, and the VirtualMesh prod of both.
type trustFleet struct {
	*registry
	faults  *faults
	central *kube.Connection
	// home is the home and temporary directory of every run.
	home string

	mu sync.Mutex
	// said is everything that meshctl said, keys all private keys that were ever
	// seen, by the hash of their PEM form.
	said bytes.Buffer
	keys map[string][]byte
}

// newTrustFleet starts the clusters; with nodes, the pods of the members run.
func newTrustFleet(t *testing.T, name string, nodes bool) *trustFleet {
	t.Helper()
	f := &trustFleet{registry: newRegistry(t, name), faults: &faults{}, home: t.TempDir(), keys: map[string][]byte{}}
	f.central = connection(f.management.Admin())
	f.faults.addProxy(t, "management", f.management)
	for name, c := range f.members() {
		f.faults.addProxy(t, name, c)
	}
	f.faults.none()
	f.faults.kubeconfig(t, f.kubeconfig)
	f.meshctl(t, 0, "install")
	for name, c := range f.members() {
		if nodes {
			if err := c.AddNodes(t.Context(), "worker"); err != nil {
				t.Fatal(err)
			}
		}
		putShop(t, c)
		f.register(t, name)
	}
	if err := clustertest.Eventually(t.Context(), 2*patience, func(ctx context.Context) error {
		for _, c := range f.members() {
			pods, err := admin(t, c).CoreV1().Pods("").List(ctx, metav1.ListOptions{})
			if err != nil {
				return err
			}
			ready := slices.DeleteFunc(pods.Items, func(p corev1.Pod) bool { return nodes && p.Status.Phase != corev1.PodRunning })
			if len(ready) < 2 {
				return fmt.Errorf("only %d pods of %s are there", len(ready), c.Name)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	f.meshctl(t, 0, "discover")
	return f
}

func (f *trustFleet) members() map[string]*clustertest.Cluster {
	return map[string]*clustertest.Cluster{"east": f.east, "west": f.west}
}

// register registers a member, by way of its proxy.
func (f *trustFleet) register(t *testing.T, name string, args ...string) {
	t.Helper()
	f.meshctl(t, 0, append([]string{"cluster", "register", name, "--remote-context", name}, args...)...)
}

// command prepares a run of meshctl.
func (f *trustFleet) command(t *testing.T, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd = exec.CommandContext(t.Context(), shared.binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.home, "TMPDIR=" + f.home, "KUBECONFIG=" + f.kubeconfig}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// meshctl runs meshctl, which must end with the code.
func (f *trustFleet) meshctl(t *testing.T, code int, args ...string) result {
	t.Helper()
	got := f.try(t, args...)
	if got.code != code {
		t.Errorf("meshctl %s: exit code %d, want %d; it said:\n%s%s", strings.Join(args, " "), got.code, code, got.stdout, got.stderr)
	}
	return got
}

// try runs meshctl, which may end with any code.
func (f *trustFleet) try(t *testing.T, args ...string) result {
	t.Helper()
	cmd, stdout, stderr := f.command(t, args...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run meshctl %s: %v", strings.Join(args, " "), err)
	}
	return f.heard(args, stdout, stderr, cmd.ProcessState.ExitCode())
}

// heard keeps what a run said.
func (f *trustFleet) heard(args []string, stdout, stderr *bytes.Buffer, code int) result {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintf(&f.said, "meshctl %s\n%s%s", strings.Join(args, " "), stdout, stderr)
	return result{stdout: stdout.String(), stderr: stderr.String(), code: code}
}

// virtualMesh makes or replaces the VirtualMesh prod, with what spec.mtlsConfig
// says.
func (f *trustFleet) virtualMesh(t *testing.T, config string, members ...string) {
	t.Helper()
	if len(members) == 0 {
		members = []string{"east", "west"}
	}
	var meshes []string
	for _, name := range members {
		meshes = append(meshes, fmt.Sprintf("{name: "+shopMesh+", namespace: gloo-mesh}", name))
	}
	put(t, f.management, parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: VirtualMesh, metadata: {name: prod, namespace: gloo-mesh}, spec: {"+
		"mtlsConfig: "+config+", meshes: ["+strings.Join(meshes, ", ")+"]}}"))
}

func prodKey() kube.ObjectKey {
	return kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: "VirtualMesh"}, Namespace: "gloo-mesh", Name: "prod"}
}

// conditions returns the states of the conditions of prod.
func (f *trustFleet) conditions(t *testing.T) []string {
	t.Helper()
	object, err := kube.Get(t.Context(), f.central, prodKey())
	if err != nil {
		t.Fatal(err)
	}
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	states := []string{}
	for _, c := range conditions {
		condition, _ := c.(map[string]any)
		states = append(states, fmt.Sprint(condition["state"]))
	}
	return states
}

func (f *trustFleet) state(t *testing.T) string {
	t.Helper()
	states := f.conditions(t)
	if len(states) == 0 {
		return ""
	}
	return states[len(states)-1]
}

// secret reads a Secret, nil if there is none.
func secret(t *testing.T, c *clustertest.Cluster, namespace, name string) *corev1.Secret {
	t.Helper()
	found, err := admin(t, c).CoreV1().Secrets(namespace).Get(t.Context(), name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil
	case err != nil:
		t.Fatal(err)
	}
	return found
}

// roots returns the Secrets with signing keys of prod, by name.
func (f *trustFleet) roots(t *testing.T) map[string]*corev1.Secret {
	t.Helper()
	list, err := admin(t, f.management).CoreV1().Secrets("gloo-mesh").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*corev1.Secret{}
	for i := range list.Items {
		if s := &list.Items[i]; len(s.Data["key.pem"]) > 0 {
			found[s.Name] = s
			f.sawKey(s.Data["key.pem"])
		}
	}
	return found
}

// authority is what a mesh has.
type authority struct {
	intermediate *x509.Certificate
	chain, roots []*x509.Certificate
}

// authorities returns what the members have; a member without Secret is left out.
func (f *trustFleet) authorities(t *testing.T) map[string]authority {
	t.Helper()
	found := map[string]authority{}
	for name, c := range f.members() {
		s := secret(t, c, "istio-system", "cacerts")
		if s == nil {
			continue
		}
		f.sawKey(s.Data["ca-key.pem"])
		if block, _ := pem.Decode(s.Data["ca-key.pem"]); block == nil {
			t.Fatalf("the Secret of %s has no key", name)
		} else if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err != nil || !key.PublicKey.Equal(certificates(t, s.Data["ca-cert.pem"])[0].PublicKey) {
			t.Errorf("the key of %s is not that of its certificate: %v", name, err)
		}
		found[name] = authority{certificates(t, s.Data["ca-cert.pem"])[0], certificates(t, s.Data["cert-chain.pem"]), certificates(t, s.Data["root-cert.pem"])}
	}
	return found
}

func certificates(t *testing.T, text []byte) []*x509.Certificate {
	t.Helper()
	var found []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, c)
	}
	if len(found) == 0 {
		t.Fatal("there are no certificates")
	}
	return found
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// accepts reports why a mesh does not accept the certificates of another one.
func (a authority) accepts(other authority) error {
	anchors, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range a.roots {
		anchors.AddCert(root)
	}
	for _, c := range other.chain {
		between.AddCert(c)
	}
	_, err := other.intermediate.Verify(x509.VerifyOptions{Roots: anchors, Intermediates: between, CurrentTime: time.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	return err
}

// everyPairTalks checks that the meshes accept each other: as they are now, and,
// since workloads keep what they have until they are restarted, as they were
// before.
func (f *trustFleet) everyPairTalks(t *testing.T, when string, before map[string]authority) {
	t.Helper()
	now := f.authorities(t)
	if len(now) != 2 {
		t.Fatalf("%s: only %d meshes have certificates", when, len(now))
	}
	for here := range now {
		for there := range now {
			for _, a := range []map[string]authority{before, now} {
				for _, b := range []map[string]authority{before, now} {
					if a == nil || b == nil {
						continue
					}
					if err := a[here].accepts(b[there]); err != nil {
						t.Errorf("%s: %s does not accept %s: %v", when, here, there, err)
					}
				}
			}
		}
	}
}

// sawKey remembers a private key.
func (f *trustFleet) sawKey(key []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.Sum256(key)
	f.keys[hex.EncodeToString(sum[:])] = key
}

// leaks returns where a text has a part of one of the private keys, as it is, or
// in base64.
func (f *trustFleet) leaks(text []byte) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []string
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) {
		found = append(found, "a PEM header")
	}
	for sum, key := range f.keys {
		lines := strings.Split(strings.TrimSpace(string(key)), "\n")
		forms := slices.Clone(lines[1 : len(lines)-1])
		encoded := base64.StdEncoding.EncodeToString(key)
		for len(encoded) > 60 {
			forms, encoded = append(forms, encoded[:60]), encoded[60:]
		}
		for _, form := range forms {
			if len(form) > 20 && bytes.Contains(text, []byte(form)) {
				found = append(found, "private key "+sum[:8])
				break
			}
		}
	}
	return found
}

// keepsSecrets searches all that meshctl said, and all files that it left, for
// private keys. It must have seen some.
func (f *trustFleet) keepsSecrets(t *testing.T) {
	t.Helper()
	f.roots(t)
	f.authorities(t)
	if len(f.keys) < 3 || f.said.Len() == 0 {
		t.Fatalf("%d keys are known, and meshctl said %d bytes", len(f.keys), f.said.Len())
	}
	for _, leak := range f.leaks(f.said.Bytes()) {
		t.Errorf("the output has %s", leak)
	}
	if err := filepath.WalkDir(f.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, leak := range f.leaks(text) {
			t.Errorf("%s has %s", path, leak)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// trustState is everything about the trust of prod, to return to.
type trustState struct {
	roots, cacerts map[string]*corev1.Secret
	virtualMesh    *unstructured.Unstructured
}

func (f *trustFleet) save(t *testing.T) trustState {
	t.Helper()
	s := trustState{roots: f.roots(t), cacerts: map[string]*corev1.Secret{}}
	for name, c := range f.members() {
		if found := secret(t, c, "istio-system", "cacerts"); found != nil {
			s.cacerts[name] = found
		}
	}
	var err error
	if s.virtualMesh, err = kube.Get(t.Context(), f.central, prodKey()); err != nil {
		t.Fatal(err)
	}
	return s
}

// restore returns to a state; the zero one has nothing.
func (f *trustFleet) restore(t *testing.T, s trustState) {
	t.Helper()
	for name := range f.roots(t) {
		if s.roots[name] == nil {
			replaceSecret(t, f.management, "gloo-mesh", name, nil)
		}
	}
	for name, root := range s.roots {
		replaceSecret(t, f.management, "gloo-mesh", name, root)
	}
	for name, c := range f.members() {
		replaceSecret(t, c, "istio-system", "cacerts", s.cacerts[name])
		replaceSecret(t, c, "istio-system", "cacerts-backup", nil)
	}
	if s.virtualMesh == nil {
		if result := kube.Delete(t.Context(), f.central, prodKey(), kube.DeleteOptions{}); result.Err != nil && result.Err.Reason != kube.ReasonNotFound {
			t.Fatal(result.Err)
		}
		return
	}
	client, err := f.central.Dynamic()
	if err != nil {
		t.Fatal(err)
	}
	resource, err := f.central.Resource(t.Context(), prodKey().GVK)
	if err != nil {
		t.Fatal(err)
	}
	target := client.Resource(resource.GroupVersionResource).Namespace("gloo-mesh")
	for _, update := range []func(context.Context, *unstructured.Unstructured, metav1.UpdateOptions) (*unstructured.Unstructured, error){
		func(ctx context.Context, u *unstructured.Unstructured, o metav1.UpdateOptions) (*unstructured.Unstructured, error) {
			return target.Update(ctx, u, o)
		}, target.UpdateStatus,
	} {
		wanted := s.virtualMesh.DeepCopy()
		wanted.SetResourceVersion("")
		stored, err := target.Get(t.Context(), "prod", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wanted.SetResourceVersion(stored.GetResourceVersion())
		if _, err := update(t.Context(), wanted, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}

// replaceSecret makes a Secret what it was, or deletes it if it is nil.
func replaceSecret(t *testing.T, c *clustertest.Cluster, namespace, name string, wanted *corev1.Secret) {
	t.Helper()
	client := admin(t, c).CoreV1().Secrets(namespace)
	if wanted != nil {
		if stored := secret(t, c, namespace, name); stored != nil && stored.ResourceVersion == wanted.ResourceVersion {
			return
		}
	}
	if err := client.Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	if wanted == nil {
		return
	}
	copied := wanted.DeepCopy()
	copied.ResourceVersion, copied.UID = "", ""
	if _, err := client.Create(t.Context(), copied, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

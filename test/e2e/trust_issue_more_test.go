//go:build e2e && unix

package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// testRenewal issues certificates that are due for renewal at once, because they
// are valid since an hour before they are made.
func (f *trustFleet) testRenewal(t *testing.T) {
	f.restore(t, trustState{})
	options := "{shared: {rootCertificateAuthority: {generated: {rsaKeySizeBytes: 2048}}, intermediateCertOptions: {rsaKeySizeBytes: 2048, ttlDays: 1, secretRotationGracePeriodRatio: %s}}}"
	f.virtualMesh(t, fmt.Sprintf(options, "0.99"))
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	first := f.authorities(t)
	if life := time.Until(first["east"].intermediate.NotAfter); life > 24*time.Hour || life < 23*time.Hour {
		t.Errorf("the certificate is valid for another %s", life)
	}
	got := f.meshctl(t, 3, "trust", "status", "prod")
	f.expect(t, got.stdout, "the renewal of the intermediate certificate has been due since", "run 'meshctl trust issue prod.gloo-mesh --context management'")
	got = f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "reissue", "has been due since")
	second := f.authorities(t)
	for name := range second {
		if first[name].intermediate.Equal(second[name].intermediate) || bytes.Equal(first[name].intermediate.RawSubjectPublicKeyInfo, second[name].intermediate.RawSubjectPublicKeyInfo) {
			t.Errorf("%s was not renewed", name)
		}
		if !first[name].roots[0].Equal(second[name].roots[0]) {
			t.Errorf("%s has another root", name)
		}
	}
	f.everyPairTalks(t, "after a renewal", first)
	f.virtualMesh(t, fmt.Sprintf(options, "0.1"))
	f.faults.none()
	got = f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "keep", "valid; renewal is due at ")
	for _, write := range f.faults.written() {
		if strings.Contains(write, "secrets") {
			t.Errorf("it writes %s", write)
		}
	}
}

// certified is a certificate and its key.
type certified struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func (c *certified) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.certificate.Raw}))
}

func (c *certified) keyPEM(t *testing.T) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// certify makes an authority; without a signer it signs itself.
func certify(t *testing.T, name string, expires time.Time, signer *certified) *certified {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: expires,
		BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	parent, signing := template, key
	if signer != nil {
		parent, signing = signer.certificate, signer.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signing)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &certified{certificate, key}
}

// provide makes the Secret of a root.
func (f *trustFleet) provide(t *testing.T, name string, data map[string]string) {
	t.Helper()
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "gloo-mesh", Name: name}, Data: map[string][]byte{}}
	for key, value := range data {
		s.Data[key] = []byte(value)
	}
	replaceSecret(t, f.management, "gloo-mesh", name, s)
}

func provided(name string) string {
	return "{shared: {rootCertificateAuthority: {secret: {name: " + name + ", namespace: gloo-mesh}}, intermediateCertOptions: {rsaKeySizeBytes: 2048}}}"
}

func (f *trustFleet) testProvidedRoot(t *testing.T) {
	f.restore(t, trustState{})
	later := time.Now().Add(30 * 24 * time.Hour)
	root, other := certify(t, "Corp Root", later, nil), certify(t, "Other Root", later, nil)
	expired := certify(t, "Old Root", time.Now().Add(-time.Hour), nil)
	below := certify(t, "Corp Issuing", later.Add(-24*time.Hour), root)
	f.virtualMesh(t, provided("corp"))
	for _, tt := range []struct {
		name string
		data map[string]string
		want []string
	}{
		{"missing", nil, []string{"root CA of the VirtualMesh not found: create Secret corp in gloo-mesh on the management cluster with the keys root-cert.pem and key.pem"}},
		{"empty", map[string]string{}, []string{"invalid Secret corp in gloo-mesh with the root CA of the VirtualMesh: it has nothing under the key root-cert.pem"}},
		{"expired", map[string]string{"root-cert.pem": expired.pem(), "key.pem": expired.keyPEM(t)}, []string{`the certificate "CN=Old Root" expired at `}},
		{"another key", map[string]string{"root-cert.pem": root.pem(), "key.pem": other.keyPEM(t)}, []string{"the private key in key.pem does not belong to the first certificate"}},
		{"a key in the place of the certificate", map[string]string{"root-cert.pem": root.keyPEM(t), "key.pem": root.keyPEM(t)}, []string{"root-cert.pem: block 1 is not a certificate but has type"}},
		{"without its chain", map[string]string{"root-cert.pem": below.pem(), "key.pem": below.keyPEM(t)}, []string{`is not a root but an intermediate, issued by "CN=Corp Root"`, "add the certificates up to its self-signed root"}},
		{"with another chain", map[string]string{"root-cert.pem": below.pem(), "key.pem": below.keyPEM(t), "cert-chain.pem": other.pem()}, []string{"does not lead to one of the given roots"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.data == nil {
				replaceSecret(t, f.management, "gloo-mesh", "corp", nil)
			} else {
				f.provide(t, "corp", tt.data)
			}
			f.faults.none()
			for _, args := range [][]string{{"--dry-run"}, {"--yes"}} {
				got := f.try(t, append([]string{"trust", "issue", "prod"}, args...)...)
				if got.code != 1 {
					t.Errorf("exit code %d", got.code)
				}
				f.expect(t, got.stdout+got.stderr, tt.want...)
			}
			if writes := f.faults.written(); len(writes) > 0 {
				t.Errorf("it wrote %v", writes)
			}
			f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, tt.want[0])
		})
	}
	if len(f.authorities(t)) > 0 {
		t.Fatal("meshes have certificates")
	}
	f.provide(t, "corp", map[string]string{"root-cert.pem": below.pem(), "key.pem": below.keyPEM(t), "cert-chain.pem": root.pem()})
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.everyPairTalks(t, "with an authority below a root", nil)
	for name, c := range f.members() {
		s := secret(t, c, "istio-system", "cacerts")
		if chain := certificates(t, s.Data["cert-chain.pem"]); len(chain) != 3 || !chain[2].Equal(root.certificate) || chain[0].NotAfter.After(below.certificate.NotAfter) {
			t.Errorf("the chain of %s has %d certificates", name, len(chain))
		}
		if roots := certificates(t, s.Data["root-cert.pem"]); len(roots) != 1 || !roots[0].Equal(root.certificate) {
			t.Errorf("%s accepts %d roots", name, len(roots))
		}
		verifyWithOpenSSL(t, s.Data["root-cert.pem"], s.Data["cert-chain.pem"], s.Data["ca-cert.pem"])
	}
	// The root takes the place of the authority below it: the anchor is the same.
	f.provide(t, "corp", map[string]string{"root-cert.pem": root.pem(), "key.pem": root.keyPEM(t)})
	f.expect(t, f.meshctl(t, 0, "trust", "issue", "prod", "--yes").stdout, "keep")
	replaceSecret(t, f.management, "gloo-mesh", "corp", nil)
}

func (f *trustFleet) testTakeover(t *testing.T) {
	f.restore(t, trustState{})
	f.virtualMesh(t, "{shared: "+small+"}")
	theirs := certify(t, "Their Root", time.Now().Add(30*24*time.Hour), nil)
	data := map[string][]byte{"ca-cert.pem": []byte(theirs.pem()), "ca-key.pem": []byte(theirs.keyPEM(t)), "root-cert.pem": []byte(theirs.pem()), "cert-chain.pem": []byte(theirs.pem()), "more": []byte("x")}
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "istio-system", Name: "cacerts", Labels: map[string]string{"team": "blue"}}, Data: data}
	replaceSecret(t, f.east, "istio-system", "cacerts", foreign)
	stored := secret(t, f.east, "istio-system", "cacerts")

	got := f.meshctl(t, 1, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "refuse", "Secret cacerts in istio-system is not meshctl's: it lacks the label", "--force-takeover backs it up as Secret cacerts-backup and replaces it")
	f.expect(t, got.stderr, "Some meshes have no valid certificate")
	if after := secret(t, f.east, "istio-system", "cacerts"); after.ResourceVersion != stored.ResourceVersion {
		t.Error("the Secret was written")
	}
	if secret(t, f.west, "istio-system", "cacerts") == nil {
		t.Error("the other mesh has no certificate")
	}
	got = f.meshctl(t, 0, "trust", "issue", "prod", "--yes", "--force-takeover")
	f.expect(t, got.stdout, "take over")
	f.everyPairTalks(t, "after the takeover", nil)
	after, backup := secret(t, f.east, "istio-system", "cacerts"), secret(t, f.east, "istio-system", "cacerts-backup")
	if keys := slices.Sorted(maps.Keys(after.Data)); !slices.Equal(keys, []string{"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}) {
		t.Errorf("it has the keys %v", keys)
	}
	if backup == nil {
		t.Fatal("there is no backup")
	}
	if diff := cmp.Diff(data, backup.Data); diff != "" {
		t.Error("the backup differs")
	}
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	// A second takeover does not lose what the first one kept.
	data["more"] = []byte("y")
	replaceSecret(t, f.east, "istio-system", "cacerts", foreign)
	got = f.meshctl(t, 1, "trust", "issue", "prod", "--yes", "--force-takeover")
	f.expect(t, got.stdout, "backup of an earlier takeover found: rename or delete Secret cacerts-backup in istio-system on cluster east first")
	f.restore(t, trustState{})
}

func (f *trustFleet) testIssueForbidden(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+"}")
	f.register(t, "west", "--access", "configure")
	for _, args := range [][]string{{"--dry-run"}, {"--yes"}} {
		got := f.meshctl(t, 1, append([]string{"trust", "issue", "prod"}, args...)...)
		f.expect(t, got.stdout, "west", "refuse", "cluster west", "--access full")
	}
	if secret(t, f.east, "istio-system", "cacerts") == nil {
		t.Error("the other mesh has no certificate")
	}
	got := f.meshctl(t, 3, "trust", "status", "prod")
	f.expect(t, got.stdout, "cluster west", "--access full")
	f.register(t, "west", "--access", "full")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.everyPairTalks(t, "after the registration", nil)
	f.restore(t, trustState{})
}

func (f *trustFleet) testIssueInPart(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+"}")
	f.faults.cut("west")
	began := time.Now()
	got := f.meshctl(t, 1, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "east", "issue", "west", "refuse", "cluster west")
	f.expect(t, got.stderr, "run 'meshctl trust issue --context management' again")
	if took := time.Since(began); took > patience {
		t.Errorf("it took %s", took)
	}
	if got := slices.Collect(maps.Keys(f.authorities(t))); !slices.Equal(got, []string{"east"}) {
		t.Errorf("certificates have %v", got)
	}
	got = f.meshctl(t, 3, "trust", "status", "prod")
	f.expect(t, got.stdout, "<unknown>", "cluster west")
	f.faults.cut("management")
	f.expect(t, f.meshctl(t, 1, "trust", "issue", "prod", "--yes").stderr, "management")
	f.faults.none()
	east := f.authorities(t)["east"]
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.everyPairTalks(t, "after the second run", nil)
	if !f.authorities(t)["east"].intermediate.Equal(east.intermediate) {
		t.Error("east has another certificate")
	}
	f.restore(t, trustState{})
}

// testIssueToFiles writes Secrets to files, with clusters and without any.
func (f *trustFleet) testIssueToFiles(t *testing.T) {
	f.virtualMesh(t, "{shared: "+small+"}")
	world := t.TempDir()
	for _, key := range []kube.ObjectKey{discoveredKey("Mesh", shopMesh, "east"), discoveredKey("Mesh", shopMesh, "west"), prodKey()} {
		object, err := kube.Get(t.Context(), f.central, key)
		if err != nil {
			t.Fatal(err)
		}
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(world, key.Name+".yaml"), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		args []string
		down []string
	}{
		{"from clusters", nil, nil},
		{"from manifests alone", []string{"-f", world}, []string{"management", "east", "west"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.faults.cut(tt.down...)
			defer f.faults.none()
			dir := filepath.Join(t.TempDir(), "secrets")
			args := append([]string{"trust", "issue", "prod", "--yes", "--output-dir", dir}, tt.args...)
			f.meshctl(t, 0, append([]string{"trust", "issue", "prod", "--dry-run", "--output-dir", dir}, tt.args...)...)
			if _, err := os.Stat(dir); err == nil {
				t.Error("a dry run wrote files")
			}
			got := f.meshctl(t, 0, args...)
			f.expect(t, got.stderr, "warning: the files in "+dir+" contain private keys: encrypt them before you share them")
			files := readSecrets(t, f, dir)
			if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"east/secret-istio-system-cacerts.yaml", "management/secret-gloo-mesh-prod.gloo-mesh.yaml", "west/secret-istio-system-cacerts.yaml"}) {
				t.Errorf("it wrote %v", got)
			}
			if writes := f.faults.written(); len(writes) > 0 {
				t.Errorf("it wrote to clusters: %v", writes)
			}
			got = f.meshctl(t, 0, args...)
			f.expect(t, got.stdout, "keep")
			if diff := cmp.Diff(files, readSecrets(t, f, dir)); diff != "" {
				t.Error("the second run changed files")
			}
		})
	}
	if len(f.roots(t)) > 0 || len(f.authorities(t)) > 0 {
		t.Error("clusters have Secrets")
	}
}

// readSecrets reads a directory of Secrets, and checks that nobody else may.
func readSecrets(t *testing.T, f *trustFleet, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	if err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if info.Mode().Perm() != 0o700 {
				t.Errorf("%s has mode %s", path, info.Mode())
			}
			return nil
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var s corev1.Secret
		if err := yaml.UnmarshalStrict(text, &s); err != nil || s.Kind != "Secret" || s.APIVersion != "v1" {
			t.Errorf("%s: %v", path, err)
		}
		for _, key := range []string{"key.pem", "ca-key.pem"} {
			if len(s.Data[key]) > 0 {
				f.sawKey(s.Data[key])
			}
		}
		name, err := filepath.Rel(dir, path)
		found[name] = string(text)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

// trustRoots makes the ConfigMap istio-ca-root-cert of a namespace as istiod does.
func trustRoots(t *testing.T, c *clustertest.Cluster, namespace, roots string) {
	t.Helper()
	text, err := json.Marshal(roots)
	if err != nil {
		t.Fatal(err)
	}
	put(t, c, parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio-ca-root-cert, namespace: "+namespace+"}, data: {root-cert.pem: "+string(text)+"}}"))
}

func (f *trustFleet) testTrustStatus(t *testing.T) {
	f.restore(t, trustState{})
	f.virtualMesh(t, "{shared: "+small+"}")
	got := f.meshctl(t, 3, "trust", "status")
	f.expect(t, got.stdout, "Root:          <none> (generated)", "the mesh has no certificate yet", "run 'meshctl trust issue prod.gloo-mesh --context management'")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")

	type status struct {
		Items []struct {
			OK       bool
			Root     struct{ Fingerprint string }
			Rotation *struct{ State string }
			Meshes   []struct {
				Cluster, RenewAt  string
				Managed, Verifies bool
				Intermediate      struct{ Issuer string }
				Namespaces, Older []struct{ Namespace, Name, State string }
			}
			Problems []struct{ ID, Cluster string }
		}
	}
	read := func(code int, args ...string) status {
		t.Helper()
		got := f.meshctl(t, code, append([]string{"trust", "status", "prod", "-o", "json"}, args...)...)
		if again := f.meshctl(t, code, append([]string{"trust", "status", "prod", "-o", "json"}, args...)...); again.stdout != got.stdout {
			t.Errorf("two answers differ: %s", cmp.Diff(got.stdout, again.stdout))
		}
		var s status
		if err := json.Unmarshal([]byte(got.stdout), &s); err != nil || len(s.Items) != 1 || len(s.Items[0].Meshes) != 2 {
			t.Fatalf("%v in %s", err, got.stdout)
		}
		return s
	}
	root := f.authorities(t)["east"].roots[0]
	trustRoots(t, f.east, "shop", string(secret(t, f.east, "istio-system", "cacerts").Data["root-cert.pem"]))
	trustRoots(t, f.west, "shop", certify(t, "Another Root", time.Now().Add(time.Hour), nil).pem())
	s := read(3)
	item := s.Items[0]
	if item.Root.Fingerprint != fingerprint(root) || item.Rotation != nil || item.OK {
		t.Errorf("got %+v", item)
	}
	for i, want := range []struct{ cluster, state string }{{"east", "current"}, {"west", "stale"}} {
		m := item.Meshes[i]
		if m.Cluster != want.cluster || !m.Managed || !m.Verifies || m.Intermediate.Issuer != fingerprint(root) || m.RenewAt == "" {
			t.Errorf("got %+v", m)
		}
		state := ""
		for _, n := range m.Namespaces {
			if n.Namespace == "shop" {
				state = n.State
			}
		}
		var older []string
		for _, o := range m.Older {
			older = append(older, o.Name)
		}
		if state != want.state || !slices.Equal(older, []string{"istiod", "reviews"}) {
			t.Errorf("%s: roots %q, older %v", want.cluster, state, older)
		}
	}
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod").stdout, "ConfigMap istio-ca-root-cert of shop does not have the root yet", "outdated certificates are used by")
	f.expect(t, f.meshctl(t, 3, "trust", "status", "prod", "--expiry-warning", "400d").stdout, "expires in 36")
	f.meshctl(t, 3, "trust", "status", "prod", "-o", "wide")
	f.meshctl(t, 3, "trust", "status", "prod", "-o", "yaml", "-v", "-v")

	// A mesh that left.
	f.virtualMesh(t, "{shared: "+small+"}", "east")
	got = f.meshctl(t, 3, "trust", "status", "prod")
	f.expect(t, got.stdout, "trust-left", "west", "the mesh no longer belongs to the VirtualMesh but still has its certificates")
	f.virtualMesh(t, "{shared: "+small+"}")

	// An istiod that is gone.
	if err := admin(t, f.west).AppsV1().Deployments("istio-system").Delete(t.Context(), "istiod", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	got = f.meshctl(t, 3, "trust", "status", "prod")
	f.expect(t, got.stdout, "cannot check for workloads with outdated certificates", "does not run on cluster west")
	f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	putShop(t, f.west)
}

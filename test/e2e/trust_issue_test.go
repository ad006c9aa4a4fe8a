//go:build e2e && unix

package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTrustIssue establishes trust from nothing.
func TestTrustIssue(t *testing.T) {
	t.Parallel()
	f := newTrustFleet(t, "trust", false)
	f.virtualMesh(t, "{shared: "+small+"}")
	t.Run("from nothing", f.testIssueFromNothing)
	t.Run("renewal", f.testRenewal)
	t.Run("a provided root", f.testProvidedRoot)
	t.Run("a Secret of somebody else", f.testTakeover)
	t.Run("a token that may not", f.testIssueForbidden)
	t.Run("a member that is down", f.testIssueInPart)
	t.Run("files", f.testIssueToFiles)
	t.Run("status", f.testTrustStatus)
	t.Run("a changed trust domain", f.testChangedTrustDomain)
	t.Run("hostile input", f.testHostileInput)
	f.keepsSecrets(t)
}

// versions returns the resource versions of everything that trust writes.
func (f *trustFleet) versions(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for name, s := range f.roots(t) {
		found[name] = s.ResourceVersion
	}
	for name, c := range f.members() {
		for _, kind := range []string{"cacerts", "cacerts-backup"} {
			if s := secret(t, c, "istio-system", kind); s != nil {
				found[kind+" of "+name] = s.ResourceVersion
			}
		}
	}
	found["prod"] = f.save(t).virtualMesh.GetResourceVersion()
	return found
}

func (f *trustFleet) testIssueFromNothing(t *testing.T) {
	before := f.versions(t)
	for _, args := range [][]string{{"--dry-run"}, {"--dry-run=client", "-o", "json"}, {"--dry-run=server"}, {"--dry-run=server", "-o", "yaml", "-v", "-v"}} {
		got := f.meshctl(t, 0, append([]string{"trust", "issue", "prod"}, args...)...)
		f.expect(t, got.stdout, "issue", "the mesh has no certificate yet")
		f.expect(t, got.stderr, "The root CA does not exist yet and will be created: Secret prod.gloo-mesh in gloo-mesh.")
		if diff := cmp.Diff(before, f.versions(t)); diff != "" {
			t.Fatalf("%v wrote (-before +after):\n%s", args, diff)
		}
	}
	got := f.meshctl(t, 0, "trust", "issue", "prod", "--yes", "-v", "-v")
	f.expect(t, got.stderr, "management: created root ", "east: istiod-istio-system-east has an intermediate certificate of root ", "Next: restart workloads with outdated certificates")

	f.expect(t, got.stdout, "STATE", "valid")
	if strings.Contains(got.stdout, "the mesh has no certificate yet") {
		t.Errorf("the result is about the state before:\n%s", got.stdout)
	}

	root := f.roots(t)["prod.gloo-mesh"]
	if root == nil {
		t.Fatal("there is no root")
	}
	wantLabels := map[string]string{"owner.networking.mesh.gloo.solo.io": "gloo-mesh", "cluster.multicluster.solo.io": ""}
	if diff := cmp.Diff(wantLabels, root.Labels); diff != "" || root.Type != "certificates.mesh.gloo.solo.io/generated_signing_cert" {
		t.Errorf("type %s, labels (-want +got):\n%s", root.Type, diff)
	}
	if keys := slices.Sorted(maps.Keys(root.Data)); !slices.Equal(keys, []string{"key.pem", "root-cert.pem"}) {
		t.Errorf("the root has the keys %v", keys)
	}
	anchor := certificates(t, root.Data["root-cert.pem"])[0]
	for name, c := range f.members() {
		s := secret(t, c, "istio-system", "cacerts")
		if s == nil {
			t.Fatalf("%s has no certificate", name)
		}
		wantLabels["cluster.multicluster.solo.io"] = name
		if diff := cmp.Diff(wantLabels, s.Labels); diff != "" || s.Type != "certificates.mesh.gloo.solo.io/issued_certificate" {
			t.Errorf("%s: type %s, labels (-want +got):\n%s", name, s.Type, diff)
		}
		f.expect(t, s.Annotations["parents.networking.mesh.gloo.solo.io"], `"name":"prod"`, `"namespace":"gloo-mesh"`, "Kind=VirtualMesh")
		if keys := slices.Sorted(maps.Keys(s.Data)); !slices.Equal(keys, []string{"ca-cert.pem", "ca-key.pem", "cert-chain.pem", "root-cert.pem"}) {
			t.Errorf("%s has the keys %v", name, keys)
		}
		intermediate := certificates(t, s.Data["ca-cert.pem"])[0]
		var identities []string
		for _, u := range intermediate.URIs {
			identities = append(identities, u.String())
		}
		if want := []string{"spiffe://shop.example.com/ns/istio-system/sa/istio-citadel"}; !slices.Equal(identities, want) {
			t.Errorf("%s is for %v, want %v", name, identities, want)
		}
		if !intermediate.IsCA || !intermediate.MaxPathLenZero || intermediate.NotAfter.After(anchor.NotAfter) || len(intermediate.Subject.Organization) != 1 || intermediate.Subject.CommonName == "" {
			t.Errorf("%s has a certificate %+v", name, intermediate.Subject)
		}
		verifyWithOpenSSL(t, s.Data["root-cert.pem"], s.Data["cert-chain.pem"], s.Data["ca-cert.pem"])
	}
	f.everyPairTalks(t, "after issue", nil)

	before = f.versions(t)
	f.faults.none()
	got = f.meshctl(t, 0, "trust", "issue", "prod", "--yes")
	f.expect(t, got.stdout, "keep", "valid")
	if writes := f.faults.written(); len(writes) > 0 {
		t.Errorf("repeating it writes %v", writes)
	}
	if diff := cmp.Diff(before, f.versions(t)); diff != "" {
		t.Errorf("repeating it writes (-before +after):\n%s", diff)
	}
}

// verifyWithOpenSSL has openssl verify a chain, where there is one.
func verifyWithOpenSSL(t *testing.T, root, chain, certificate []byte) {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("there is no openssl")
		return
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"root": root, "chain": chain, "certificate": certificate} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "verify", "-x509_strict", "-check_ss_sig", "-CAfile", "root", "-untrusted", "chain", "certificate")
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(output), "certificate: OK") {
		t.Errorf("openssl: %v\n%s", err, output)
	}
}

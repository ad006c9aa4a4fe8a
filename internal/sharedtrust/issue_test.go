package sharedtrust_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// put stores a Secret as a user might.
func (m *memory) put(cluster, namespace, name, kind string, labels map[string]string, data map[string][]byte) {
	m.secrets[place(cluster, namespace, name)] = kube.Secret{Namespace: namespace, Name: name, Type: kind, Labels: labels, Data: data}
}

// authority creates a root with a small key, as users provide it.
func authority(t *testing.T, name string) (*trust.Authority, map[string][]byte) {
	t.Helper()
	key, err := trust.NewKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	root, err := trust.GenerateRoot(name, key, trust.Options{TTL: 1000 * 24 * 3600 * 1e9, KeyBits: 2048, Organization: "Acme"}, now())
	if err != nil {
		t.Fatal(err)
	}
	data, err := root.Data()
	if err != nil {
		t.Fatal(err)
	}
	return root, data
}

// TestIssue checks what is written, and that repeating the command writes nothing.
func TestIssue(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, shared(small, ""), "east", "west"))
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east issue, west issue"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	secret := m.secrets["east/istio-system/cacerts"]
	if diff := cmp.Diff(map[string]string{"owner.networking.mesh.gloo.solo.io": "gloo-mesh", "cluster.multicluster.solo.io": "east"}, secret.Labels); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if got, want := secret.Annotations["parents.networking.mesh.gloo.solo.io"], `{"networking.mesh.gloo.solo.io/v1, Kind=VirtualMesh":[{"name":"prod","namespace":"gloo-mesh"}]}`; got != want {
		t.Errorf("parents are %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(slices.Sorted(maps.Keys(secret.Data)), secret.Type), "[ca-cert.pem ca-key.pem cert-chain.pem root-cert.pem]certificates.mesh.gloo.solo.io/issued_certificate"; got != want {
		t.Errorf("the Secret has %s, want %s", got, want)
	}
	root := m.secrets["/gloo-mesh/prod.gloo-mesh"]
	if got, want := fmt.Sprint(slices.Sorted(maps.Keys(root.Data)), root.Type), "[key.pem root-cert.pem]certificates.mesh.gloo.solo.io/generated_signing_cert"; got != want {
		t.Errorf("the root Secret has %s, want %s", got, want)
	}
	bundles := m.bundles(t)
	if got, want := bundles["east"].Certificate.URIs[0].String(), "spiffe://east.example/ns/istio-system/sa/istiod"; got != want {
		t.Errorf("identity is %s, want %s", got, want)
	}
	if bytes.Equal(m.secrets["east/istio-system/cacerts"].Data["ca-key.pem"], m.secrets["west/istio-system/cacerts"].Data["ca-key.pem"]) {
		t.Error("two meshes have the same key")
	}
	everyPairTalks(t, m, "after issue")
	if m.trail.Deployed == nil || len(m.trail.Conditions) != 0 {
		t.Errorf("the trail is %s", marshal(t, m.trail))
	}
	writes := m.writes
	outcomes, err = issue(t, m, s, false)
	if got, want := tally(outcomes), "east keep, west keep"; err != nil || got != want || m.writes != writes {
		t.Errorf("again: %s, want %s, %d writes: %v", got, want, m.writes-writes, err)
	}
}

// TestIssueGoesOn checks that an unreachable cluster does not block the others, and that a
// later run completes the work.
func TestIssueGoesOn(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, shared(small, ""), "east", "north", "west"))
	m.down["north"] = true
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east issue, north refuse, west issue"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	delete(m.down, "north")
	outcomes, err = issue(t, m, s, false)
	if got, want := tally(outcomes), "east keep, north issue, west keep"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	everyPairTalks(t, m, "in the end")
}

// TestIssueWithProvidedRoot checks roots in Secrets of users.
func TestIssueWithProvidedRoot(t *testing.T) {
	t.Parallel()
	const ref = `{secret: {name: corporate, namespace: certs}}`
	root, data := authority(t, "corporate")
	_, other := authority(t, "other")
	mixed := maps.Clone(data)
	mixed["key.pem"] = other["key.pem"]
	tests := []struct {
		name   string
		config string
		data   map[string][]byte
		want   string
		reason string
	}{
		{"good", shared(ref, ""), data, "east issue", "no certificate yet"},
		{"missing", shared(ref, ""), nil, "east refuse", "root CA of the VirtualMesh not found: create Secret corporate in certs on the management cluster"},
		{"mismatched", shared(ref, ""), mixed, "east refuse", "does not belong to the first certificate"},
		{"the output as input", shared(`{secret: {name: cacerts, namespace: istio-system}}`, ""), nil, "east refuse", "cannot hold the root"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, s := newMemory(), subject(t, evaluated(t, tt.config, "east"))
			if tt.data != nil {
				m.put("", "certs", "corporate", "Opaque", nil, tt.data)
			}
			outcomes, err := issue(t, m, s, false)
			if got := tally(outcomes); err != nil || got != tt.want || !strings.Contains(outcomes[0].Action.Reason, tt.reason) {
				t.Fatalf("%s (%s), want %s (%s): %v", got, outcomes[0].Action.Reason, tt.want, tt.reason, err)
			}
			if tt.want == "east issue" && !m.bundles(t)["east"].Signer().Equal(root.Root()) {
				t.Error("another root signed")
			}
		})
	}
}

// TestForeignSecrets checks that Secrets of others are left alone, unless they are taken over;
// then they are backed up.
func TestForeignSecrets(t *testing.T) {
	t.Parallel()
	m, s := newMemory(), subject(t, evaluated(t, shared(small, ""), "east", "west"))
	theirs := map[string][]byte{"ca-cert.pem": []byte("x"), "ca-key.pem": []byte("y"), "more": []byte("z")}
	m.put("west", "istio-system", "cacerts", "Opaque", nil, theirs)
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east issue, west refuse"; err != nil || got != want {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	if !maps.EqualFunc(m.secrets["west/istio-system/cacerts"].Data, theirs, bytes.Equal) {
		t.Fatal("a foreign Secret was changed")
	}
	outcomes, err = issue(t, m, s, true)
	if got, want := tally(outcomes), "east keep, west take over"; err != nil || got != want || outcomes[1].Err != nil {
		t.Fatalf("%s, want %s: %v %v", got, want, err, outcomes[1].Err)
	}
	if !maps.EqualFunc(m.secrets["west/istio-system/cacerts-backup"].Data, theirs, bytes.Equal) {
		t.Error("the replaced Secret was not backed up")
	}
	if got := m.secrets["west/istio-system/cacerts"]; len(got.Data) != 4 || got.Type != "Opaque" {
		t.Errorf("the Secret has %d keys and type %s", len(got.Data), got.Type)
	}
	everyPairTalks(t, m, "after the takeover")
	m.put("west", "istio-system", "cacerts", "Opaque", nil, map[string][]byte{"another": []byte("one")})
	outcomes, err = issue(t, m, s, true)
	if err != nil || outcomes[1].Err == nil || !strings.Contains(outcomes[1].Err.Error(), "rename or delete Secret cacerts-backup") {
		t.Errorf("an earlier backup is replaced: %v, %v", err, outcomes[1].Err)
	}
}

// TestAdoption checks that a Secret issued by an agent of this API with the same root is kept.
func TestAdoption(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east")
	issued := m.secrets["east/istio-system/cacerts"]
	issued.Labels = map[string]string{"agent.certificates.mesh.gloo.solo.io": "gloo-mesh"}
	issued.Data = maps.Clone(issued.Data)
	issued.Data["key.pem"] = nil
	m.secrets["east/istio-system/cacerts"] = issued
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east update"; err != nil || got != want || outcomes[0].Err != nil {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	now := m.secrets["east/istio-system/cacerts"]
	if !bytes.Equal(now.Data["ca-cert.pem"], issued.Data["ca-cert.pem"]) || len(now.Data) != 4 {
		t.Error("the intermediate was not kept, or the Secret has other keys")
	}
}

// TestLostRoot checks that a root without a key is never silently replaced.
func TestLostRoot(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	delete(m.secrets, "/gloo-mesh/prod.gloo-mesh")
	delete(m.secrets, "west/istio-system/cacerts")
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east keep, west refuse"; err != nil || got != want || !strings.Contains(outcomes[1].Action.Reason, "the private key of root") {
		t.Fatalf("%s (%s), want %s: %v", got, outcomes[1].Action.Reason, want, err)
	}
	if len(m.roots(t)) != 0 {
		t.Error("another root was made")
	}
}

// TestMovedMesh checks that a mesh moved from another virtual mesh keeps its certificate until
// the user asks to replace it.
func TestMovedMesh(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east")
	moved := *s
	resource := *s.Resource
	resource.Name = "other"
	moved.Resource = &resource
	m.trail = sharedtrust.Trail{}
	outcomes, err := issue(t, m, &moved, false)
	if got, want := tally(outcomes), "east refuse"; err != nil || got != want || !strings.Contains(outcomes[0].Action.Reason, "a certificate of its former VirtualMesh prod.gloo-mesh") {
		t.Fatalf("%s (%s), want %s: %v", got, outcomes[0].Action.Reason, want, err)
	}
	outcomes, err = issue(t, m, &moved, true)
	if got, want := tally(outcomes), "east take over"; err != nil || got != want || outcomes[0].Err != nil {
		t.Fatalf("%s, want %s: %v", got, want, err)
	}
	if root := m.roots(t)["other.gloo-mesh"]; root == nil || !m.bundles(t)["east"].Signer().Equal(root) {
		t.Error("the mesh does not have a certificate of its new virtual mesh")
	}
	if m.secrets["east/istio-system/cacerts-backup"].Data == nil {
		t.Error("the replaced Secret was not backed up")
	}
}

// TestStrangeRoot checks that a mesh with a valid certificate of another root is not changed.
func TestStrangeRoot(t *testing.T) {
	t.Parallel()
	m, s := established(t, shared(small, ""), "east", "west")
	elsewhere, other := established(t, shared(small, ""), "east")
	_ = other
	m.secrets["east/istio-system/cacerts"] = elsewhere.secrets["east/istio-system/cacerts"]
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east refuse, west keep"; err != nil || got != want || !strings.Contains(outcomes[0].Action.Reason, "which does not belong to this VirtualMesh") {
		t.Fatalf("%s (%s), want %s: %v", got, outcomes[0].Action.Reason, want, err)
	}
}

// TestMissingMesh checks that the other meshes keep their trust if one no longer exists, and
// that the root is not rotated meanwhile (D69).
func TestMissingMesh(t *testing.T) {
	t.Parallel()
	m, _ := established(t, shared(small, ""), "east", "west")
	result := evaluated(t, shared(small, ""), "east")
	vm := result.World.VirtualMeshes[0].Resource
	vm.Spec.Meshes = append(vm.Spec.Meshes, core.ObjectRef{Name: "istiod-west", Namespace: "gloo-mesh"})
	s := subject(t, policy.Evaluate(result.World))
	if diff := cmp.Diff([]string{"istiod-west.gloo-mesh"}, s.Missing); diff != "" {
		t.Error(diff)
	}
	outcomes, err := issue(t, m, s, false)
	if got, want := tally(outcomes), "east keep"; err != nil || got != want {
		t.Errorf("%s, want %s: %v", got, want, err)
	}
	if _, err := advance(t, m, s); err == nil || !strings.Contains(err.Error(), "meshes not found (istiod-west.gloo-mesh)") {
		t.Errorf("the root was rotated: %v", err)
	}
	if m.states() != "" {
		t.Errorf("the conditions are %s", m.states())
	}
	vm.Spec.Meshes = vm.Spec.Meshes[1:]
	if _, err := sharedtrust.Of(policy.Evaluate(result.World), 0); err == nil || !strings.Contains(err.Error(), "has no Istio mesh: meshes not found (istiod-west.gloo-mesh)") {
		t.Errorf("without any mesh: %v", err)
	}
}

// TestRefusedSubjects checks which virtual meshes cannot have shared trust.
func TestRefusedSubjects(t *testing.T) {
	t.Parallel()
	for config, want := range map[string]string{
		"{limited: {}}": "limited trust, which is not supported yet",
		"{}":            "does not use shared trust",
		"{shared: {intermediateCertOptions: {rsaKeySizeBytes: 512}}}": "it counts bits",
	} {
		if _, err := sharedtrust.Of(evaluated(t, config, "east"), 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}

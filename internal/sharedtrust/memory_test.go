package sharedtrust_test

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// now is the time of the tests.
func now() time.Time { return time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC) }

// errCrash is the error of every operation after a crash.
var errCrash = errors.New("crashed")

// memory simulates all clusters. It holds Secrets and trails, and can crash.
type memory struct {
	mu      sync.Mutex
	secrets map[string]kube.Secret
	trail   sharedtrust.Trail
	// down are unreachable clusters.
	down map[string]bool
	// writes counts the writes. After left more writes, every operation fails; no limit if
	// negative.
	writes, left int
	crashed      bool
	// after is called after every write.
	after func(*memory, string)
	// made counts the created keys.
	made int
}

// madeKeys are keys shared by all tests, because generating keys is the slowest part of the
// tests. No memory uses one twice.
var madeKeys struct {
	mu   sync.Mutex
	keys []trust.Key
}

// newKey returns a key that this memory has not used yet.
func (m *memory) newKey(bits int) (trust.Key, error) {
	if bits != 2048 {
		return trust.NewKey(bits)
	}
	m.mu.Lock()
	n := m.made
	m.made++
	m.mu.Unlock()
	madeKeys.mu.Lock()
	defer madeKeys.mu.Unlock()
	for len(madeKeys.keys) <= n {
		key, err := trust.NewKey(bits)
		if err != nil {
			return trust.Key{}, err
		}
		madeKeys.keys = append(madeKeys.keys, key)
	}
	return madeKeys.keys[n], nil
}

func newMemory() *memory {
	return &memory{secrets: map[string]kube.Secret{}, down: map[string]bool{}, left: -1}
}

func place(cluster, namespace, name string) string { return cluster + "/" + namespace + "/" + name }

// begin starts an operation; wrote ends one that wrote.
func (m *memory) begin(cluster string) error {
	switch {
	case m.crashed:
		return errCrash
	case m.down[cluster]:
		return &kube.Error{Cluster: cluster, Reason: kube.ReasonUnreachable, Why: "no answer"}
	default:
		return nil
	}
}

// wrote records a write. The process may crash right after it, before it gets the result.
func (m *memory) wrote(what string) error {
	m.writes++
	if m.after != nil {
		m.after(m, what)
	}
	if m.left--; m.left == 0 {
		m.crashed = true
		return errCrash
	}
	return nil
}

func (m *memory) Read(_ context.Context, cluster, namespace, name string) (*kube.Secret, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(cluster); err != nil {
		return nil, err
	}
	secret, there := m.secrets[place(cluster, namespace, name)]
	if !there {
		return nil, nil
	}
	return &secret, nil
}

func (m *memory) Write(_ context.Context, cluster string, secret *kube.Secret, how sharedtrust.Write) (kube.Outcome, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(cluster); err != nil {
		return kube.Failed, err
	}
	at := place(cluster, secret.Namespace, secret.Name)
	stored, there := m.secrets[at]
	if there && how.Create {
		return kube.Failed, &kube.Error{Cluster: cluster, Reason: kube.ReasonAlreadyExists}
	}
	for key, value := range how.Owner {
		if there && stored.Labels[key] != value {
			return kube.Conflict, &kube.Error{Cluster: cluster, Reason: kube.ReasonConflict}
		}
	}
	version := kube.VersionOfNone
	if there {
		version = stored.Version
	}
	if how.Version != "" && how.Version != version {
		return kube.Conflict, &kube.Error{Cluster: cluster, Reason: kube.ReasonConflict, Why: "changed meanwhile"}
	}
	if there && stored.Type != secret.Type {
		return kube.Failed, &kube.Error{Cluster: cluster, Reason: kube.ReasonInvalid, Why: "the type of a Secret cannot be changed"}
	}
	copied := *secret
	copied.Data = maps.Clone(secret.Data)
	copied.Version = fmt.Sprintf("after %d writes", m.writes)
	m.secrets[at] = copied
	return kube.Configured, m.wrote("Secret " + at)
}

func (m *memory) Delete(_ context.Context, cluster, namespace, name string, owner map[string]string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(cluster); err != nil {
		return err
	}
	at := place(cluster, namespace, name)
	stored, there := m.secrets[at]
	if !there {
		return nil
	}
	for key, value := range owner {
		if stored.Labels[key] != value {
			return &kube.Error{Cluster: cluster, Reason: kube.ReasonConflict}
		}
	}
	delete(m.secrets, at)
	return m.wrote("delete " + at)
}

func (m *memory) Change(_ context.Context, _ *networkingv1.VirtualMesh, change func(*sharedtrust.Trail) (bool, error)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.begin(sharedtrust.Management); err != nil {
		return err
	}
	trail := m.trail
	trail.Conditions = slices.Clone(trail.Conditions)
	write, err := change(&trail)
	if err != nil || !write {
		return err
	}
	m.trail = trail
	return m.wrote("trail " + m.state())
}

func (m *memory) state() string {
	if len(m.trail.Conditions) == 0 {
		return ""
	}
	return string(m.trail.Conditions[len(m.trail.Conditions)-1].State)
}

// restart simulates a new process on the same clusters.
func (m *memory) restart() *memory {
	m.crashed, m.left = false, -1
	return m
}

func (m *memory) env() *sharedtrust.Env {
	return &sharedtrust.Env{Store: m, History: m, Namespace: "gloo-mesh", Now: now, NewKey: m.newKey, Parallel: 1}
}

// bundles returns the bundles of the meshes by cluster.
func (m *memory) bundles(t *testing.T) map[string]*trust.Bundle {
	t.Helper()
	found := map[string]*trust.Bundle{}
	for at, secret := range m.secrets {
		if parts := strings.Split(at, "/"); parts[2] == trust.CASecretName {
			bundle, err := trust.ParseBundle(secret.Data)
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			found[parts[0]] = bundle
		}
	}
	return found
}

// roots returns the root Secrets of the management cluster by name.
func (m *memory) roots(t *testing.T) map[string]*x509.Certificate {
	t.Helper()
	found := map[string]*x509.Certificate{}
	for at, secret := range m.secrets {
		if name, root := strings.CutPrefix(at, "/gloo-mesh/"); root {
			authority, err := trust.ParseAuthority(secret.Data, now())
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			found[name] = authority.Root()
		}
	}
	return found
}

const small = `{generated: {rsaKeySizeBytes: 2048}}`

// evaluated returns a world with a VirtualMesh of Istio meshes, one per cluster.
func evaluated(t *testing.T, config string, names ...string) *policy.Result {
	t.Helper()
	var text strings.Builder
	for _, name := range names {
		fmt.Fprintf(&text, `---
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Mesh
metadata: {name: istiod-%[1]s, namespace: gloo-mesh}
spec:
  istio:
    trustDomain: %[1]s.example
    istiodServiceAccount: istiod
    installation: {namespace: istio-system, cluster: %[1]s, version: "1.27"}
`, name)
	}
	fmt.Fprintf(&text, `---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
metadata: {name: prod, namespace: gloo-mesh}
spec:
  mtlsConfig: %s
  meshes:
`, config)
	for _, name := range names {
		fmt.Fprintf(&text, "  - {name: istiod-%s, namespace: gloo-mesh}\n", name)
	}
	objects, err := load.Files(t.Context(), load.FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text.String()), DefaultNamespace: "gloo-mesh"}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	result := policy.Evaluate(world.New(objects))
	for _, f := range result.Findings {
		t.Logf("finding %s %s: %s", f.Code, f.Object, f.Message)
	}
	return result
}

func shared(root, more string) string {
	return fmt.Sprintf("{shared: {rootCertificateAuthority: %s, intermediateCertOptions: {rsaKeySizeBytes: 2048}}%s}", root, more)
}

func subject(t *testing.T, result *policy.Result) *sharedtrust.Subject {
	t.Helper()
	s, err := sharedtrust.Of(result, 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// issue establishes trust, as trust issue does.
func issue(t *testing.T, m *memory, s *sharedtrust.Subject, force bool) ([]sharedtrust.Outcome, error) {
	t.Helper()
	v, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		return nil, err
	}
	return m.env().Issue(t.Context(), v, v.Plan(force), kube.DryRunNone)
}

// advance executes one step of a rotation, as trust rotate does.
func advance(t *testing.T, m *memory, s *sharedtrust.Subject) ([]sharedtrust.Outcome, error) {
	t.Helper()
	v, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		return nil, err
	}
	direction := sharedtrust.Forward
	if v.Position.RollingBack {
		direction = sharedtrust.Back
	}
	return m.foreseen(t, v, direction, m.env().Advance)
}

// foreseen executes a step, and checks that Feasible predicted whether it is refused.
func (m *memory) foreseen(
	t *testing.T, v *sharedtrust.Survey, direction sharedtrust.Direction, do func(context.Context, *sharedtrust.Survey) ([]sharedtrust.Outcome, error),
) ([]sharedtrust.Outcome, error) {
	t.Helper()
	writes := m.writes
	feasible := m.env().Feasible(t.Context(), v, direction)
	if m.writes != writes {
		t.Error("Feasible wrote something")
	}
	outcomes, err := do(t.Context(), v)
	switch {
	case m.crashed:
	case feasible != nil && (err == nil || err.Error() != feasible.Error() || m.writes != writes):
		t.Errorf("Feasible returned %v, but the step ended with %v after %d writes", feasible, err, m.writes-writes)
	case feasible == nil && err != nil && m.writes == writes:
		t.Errorf("Feasible did not predict that the step is refused: %v", err)
	}
	return outcomes, err
}

func rollBack(t *testing.T, m *memory, s *sharedtrust.Subject) ([]sharedtrust.Outcome, error) {
	t.Helper()
	v, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		return nil, err
	}
	return m.foreseen(t, v, sharedtrust.Back, m.env().RollBack)
}

func verify(t *testing.T, m *memory, s *sharedtrust.Subject) error {
	t.Helper()
	v, err := sharedtrust.Look(t.Context(), m.env(), s)
	if err != nil {
		return err
	}
	return m.env().Verify(t.Context(), v)
}

// everyPairTalks fails if two meshes do not trust each other.
func everyPairTalks(t *testing.T, m *memory, when string) {
	t.Helper()
	bundles := m.bundles(t)
	for from, a := range bundles {
		for to, b := range bundles {
			if !b.Accepts(a.Signer()) || a.Verify(now()) != nil {
				t.Errorf("%s: %s does not accept %s", when, to, from)
			}
		}
	}
}

// tally returns the sorted outcomes of the meshes.
func tally(outcomes []sharedtrust.Outcome) string {
	var texts []string
	for i := range outcomes {
		o := &outcomes[i]
		text := o.Action.Mesh.Cluster + " " + string(o.Action.Kind)
		if o.Err != nil {
			text += " failed"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

package trust_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/trust"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

type (
	state     = certificatesv1.CertificateRotationState
	condition = certificatesv1.CertificateRotationCondition
)

func conditions(states ...state) []condition {
	var all []condition
	for _, s := range states {
		all = append(all, condition{State: s, Timestamp: "2026-06-01T12:00:00Z"})
	}
	return all
}

const (
	adding      = trust.StateAddingNewRoot
	propagating = trust.StatePropagatingIntermediate
	deleting    = trust.StateDeletingOldRoot
	verifying   = trust.StateVerifying
	verified    = trust.StateVerified
	back        = trust.StateRollingBack
	failed      = trust.StateFailed
	finished    = trust.StateFinished
	idle        = trust.StateNotRotating
)

// TestLocate holds where a rotation stands after its conditions.
func TestLocate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		states []state
		want   string // position, roots, signer, next
	}{
		{nil, "not rotating [old] old ->"},
		{[]state{idle}, "not rotating [old] old ->"},
		{[]state{adding}, "step 1 of 3, ADDING_NEW_ROOT, distributing [old new] old ->"},
		{[]state{adding, failed}, "step 1 of 3, ADDING_NEW_ROOT, distributing (the last attempt failed) [old new] old ->"},
		{[]state{adding, failed, adding}, "step 1 of 3, ADDING_NEW_ROOT, distributing [old new] old ->"},
		{[]state{adding, verifying}, "step 1 of 3, ADDING_NEW_ROOT, verifying [old new] old ->"},
		{[]state{adding, verifying, verified}, "step 1 of 3, ADDING_NEW_ROOT, verified [old new] old -> PROPAGATING_NEW_INTERMEDIATE"},
		{[]state{adding, verifying, verified, propagating}, "step 2 of 3, PROPAGATING_NEW_INTERMEDIATE, distributing [old new] new ->"},
		{[]state{adding, verifying, verified, propagating, failed, verifying, verified}, "step 2 of 3, PROPAGATING_NEW_INTERMEDIATE, verified [old new] new -> DELETING_OLD_ROOT"},
		{[]state{adding, verifying, verified, propagating, verifying, verified, deleting, verifying, verified}, "step 3 of 3, DELETING_OLD_ROOT, verified [new] new -> FINISHED"},
		{[]state{adding, verifying, verified, propagating, verifying, verified, deleting, verifying, verified, finished}, "not rotating [old] old ->"},
		{[]state{deleting, verifying, verified}, "step 1 of 1, DELETING_OLD_ROOT, verified [new] new -> FINISHED"},
		{[]state{adding, back}, "step 1 of 1, ROLLING_BACK, distributing [old] old ->"},
		{[]state{adding, back, verifying, verified}, "step 1 of 1, ROLLING_BACK, verified [old] old -> NOT_ROTATING"},
		{[]state{adding, verifying, verified, propagating, back}, "step 1 of 2, ROLLING_BACK, distributing [old new] old ->"},
		{[]state{adding, verifying, verified, propagating, back, failed, back}, "step 1 of 2, ROLLING_BACK, distributing [old new] old ->"},
		{[]state{adding, verifying, verified, propagating, back, verifying, verified, back}, "step 2 of 2, ROLLING_BACK, distributing [old] old ->"},
		{[]state{adding, verifying, verified, propagating, verifying, verified, deleting, back}, "step 1 of 3, ROLLING_BACK, distributing [old new] new ->"},
		{[]state{deleting, back}, "step 1 of 1, ROLLING_BACK, distributing [old] old ->"},
		{[]state{adding, back, verifying, verified, idle, adding}, "step 1 of 3, ADDING_NEW_ROOT, distributing [old new] old ->"},
		{[]state{propagating}, "error"},
		{[]state{verifying}, "error"},
		{[]state{adding, propagating}, "error"},
		{[]state{adding, verifying, propagating}, "error"},
		{[]state{adding, verified}, "error"},
		{[]state{adding, back, adding}, "error"},
		{[]state{back}, "error"},
		{[]state{"SOMETHING"}, "error"},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.states), func(t *testing.T) {
			t.Parallel()
			p, err := trust.Locate(conditions(tt.states...))
			got := "error"
			if err == nil {
				d := p.Distribution()
				got = strings.TrimSuffix(fmt.Sprintf("%s %v %s -> %s", p.String(), d.Roots, d.Signer, p.Next()), " ")
			}
			if got != tt.want {
				t.Errorf("%v is\n%s, want\n%s (%v)", tt.states, got, tt.want, err)
			}
		})
	}
}

// TestRecord holds what happens to the history.
func TestRecord(t *testing.T) {
	t.Parallel()
	history := trust.Record(nil, adding, "east", nil, now())
	again := trust.Record(trust.Record(history, failed, "east", []string{"down"}, now()), failed, "east", []string{"down"}, now().Add(time.Minute))
	want := []condition{
		{Timestamp: "2026-06-01T12:00:00Z", State: adding, Message: "east"},
		{Timestamp: "2026-06-01T12:01:00Z", State: failed, Message: "east", Errors: []string{"down"}},
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	whole := []state{adding, verifying, verified, propagating, verifying, verified, deleting, verifying, verified, finished}
	history = nil
	for range 20 {
		for _, s := range whole {
			history = trust.Record(history, s, "", nil, now())
			if _, err := trust.Locate(history); err != nil {
				t.Fatalf("after %d conditions: %v", len(history), err)
			}
		}
	}
	if len(history) > 64+len(whole) || history[0].State != adding {
		t.Errorf("%d conditions are kept, the first is %s", len(history), history[0].State)
	}
}

// mesh is what the proxies of a mesh have: what they accept, and the key and
// certificates of a workload.
type mesh struct {
	name     string
	accepts  *x509.CertPool
	workload tls.Certificate
}

// newMesh starts a workload with what a bundle says, as istiod would.
func newMesh(t *testing.T, name string, data map[string][]byte) mesh {
	t.Helper()
	parse := func(key string) []*x509.Certificate {
		certificates, err := trust.ParseCertificates(data[key])
		if err != nil {
			t.Fatal(err)
		}
		return certificates
	}
	block, _ := pem.Decode(data["ca-key.pem"])
	caKey, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	identity, _ := url.Parse("spiffe://" + name + ".example/ns/shop/sa/web")
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), URIs: []*url.URL{identity}, NotBefore: now().Add(-time.Minute), NotAfter: now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, parse("ca-cert.pem")[0], key.Public(), crypto.Signer(caKey))
	if err != nil {
		t.Fatal(err)
	}
	m := mesh{name: name, accepts: x509.NewCertPool(), workload: tls.Certificate{PrivateKey: key, Certificate: [][]byte{der}}}
	for _, c := range parse("cert-chain.pem") {
		m.workload.Certificate = append(m.workload.Certificate, c.Raw)
	}
	for _, c := range parse("root-cert.pem") {
		m.accepts.AddCert(c)
	}
	return m
}

// call opens a connection with mutual TLS from a workload of one mesh to one of
// another, and says why that fails.
func call(client, server mesh) error {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	served := make(chan error, 1)
	go func() {
		served <- tls.Server(far, &tls.Config{
			Certificates: []tls.Certificate{server.workload}, ClientCAs: server.accepts, ClientAuth: tls.RequireAndVerifyClientCert,
			Time: now, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		}).Handshake()
		far.Close()
	}()
	called := tls.Client(near, &tls.Config{
		Certificates: []tls.Certificate{client.workload}, InsecureSkipVerify: true, Time: now, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		// Meshes verify identities, not host names.
		VerifyConnection: func(state tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, c := range state.PeerCertificates[1:] {
				between.AddCert(c)
			}
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: server.roots(client), Intermediates: between, CurrentTime: now()})
			return err
		},
	}).Handshake()
	near.Close()
	return errors.Join(called, <-served)
}

// roots returns what the client accepts; it exists so that the closure above
// names who decides.
func (mesh) roots(client mesh) *x509.CertPool { return client.accepts }

// everyPairTalks reports which meshes do not accept each other.
func everyPairTalks(t *testing.T, when string, meshes []mesh) {
	t.Helper()
	for _, client := range meshes {
		for _, server := range meshes {
			if err := call(client, server); err != nil {
				t.Errorf("%s: %s cannot call %s: %v", when, client.name, server.name, err)
			}
		}
	}
}

// TestEveryPairOfMeshesTalksAtEveryState walks a rotation with three meshes, one
// mesh at a time, forward and back from every step. After every single write
// every pair of meshes opens a connection with mutual TLS.
func TestEveryPairOfMeshesTalksAtEveryState(t *testing.T) {
	t.Parallel()
	authorities := map[trust.Which]*trust.Authority{trust.Old: newRoot(t, 100), trust.New: newRoot(t, 200)}
	names := []string{"east", "north", "west"}
	// What each mesh can get, made once: keys take long.
	given := map[string]mesh{}
	give := func(name string, d trust.Distribution) mesh {
		id := name + fmt.Sprint(d)
		if _, made := given[id]; !made {
			var roots []*x509.Certificate
			for _, which := range d.Roots {
				roots = append(roots, authorities[which].Root())
			}
			given[id] = newMesh(t, name, dataOf(t, newBundle(t, authorities[d.Signer], name, 50, roots...)))
		}
		return given[id]
	}
	start := func() []mesh {
		var meshes []mesh
		for _, name := range names {
			meshes = append(meshes, give(name, trust.Distribution{Roots: []trust.Which{trust.Old}, Signer: trust.Old}))
		}
		return meshes
	}
	// distribute gives every mesh in turn what the position says.
	distribute := func(meshes []mesh, history []condition) {
		p, err := trust.Locate(history)
		if err != nil {
			t.Fatal(err)
		}
		for i := range meshes {
			meshes[i] = give(names[i], p.Distribution())
			everyPairTalks(t, fmt.Sprintf("%s, %d of %d meshes written", p.String(), i+1, len(meshes)), meshes)
		}
	}
	forward := []state{adding, propagating, deleting}
	for turn := range len(forward) + 1 {
		for written := range len(names) + 1 { // how many meshes the last step reached
			meshes, history := start(), []condition(nil)
			everyPairTalks(t, "before", meshes)
			for i, s := range forward[:turn] {
				history = append(history, conditions(s)...)
				if i == turn-1 && written < len(names) {
					p, err := trust.Locate(history)
					if err != nil {
						t.Fatal(err)
					}
					for k := range written {
						meshes[k] = give(names[k], p.Distribution())
					}
					everyPairTalks(t, fmt.Sprintf("stopped in %s after %d meshes", s, written), meshes)
					break
				}
				distribute(meshes, history)
				history = append(history, conditions(verifying, verified)...)
			}
			if turn == 0 {
				break
			}
			// And back again.
			for next := back; next == back; {
				history = append(history, conditions(back)...)
				distribute(meshes, history)
				history = append(history, conditions(verifying, verified)...)
				p, err := trust.Locate(history)
				if err != nil {
					t.Fatal(err)
				}
				next = p.Next()
			}
			if !slices.ContainsFunc(meshes, func(m mesh) bool { return m.accepts.Equal(start()[0].accepts) }) {
				t.Error("the old root is not back")
			}
		}
	}
}

// TestSwappingRootsAtOnceBreaksCalls shows that the test above can fail: it is
// why strategy NONE is not the default.
func TestSwappingRootsAtOnceBreaksCalls(t *testing.T) {
	t.Parallel()
	from, to := newRoot(t, 100), newRoot(t, 100)
	east := newMesh(t, "east", dataOf(t, newBundle(t, to, "east", 50, to.Root())))
	west := newMesh(t, "west", dataOf(t, newBundle(t, from, "west", 50, from.Root())))
	if call(east, west) == nil || call(west, east) == nil {
		t.Error("meshes without a common root accept each other")
	}
}

package sharedtrust

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// SessionOptions configure a Session.
type SessionOptions struct {
	// Management is nil if there is no management cluster. No state is kept then, and rotations
	// are not possible.
	Management *kube.Connection
	// Members are the connections to the clusters of the meshes.
	Members kube.Members
	// Namespace is the namespace of meshctl's resources in the management cluster.
	Namespace string
	// Timeout limits the wait for a single cluster.
	Timeout time.Duration
	Clock   func() time.Time
	// Getenv reads the environment, for credentials of Vault.
	Getenv func(name string) string
}

// Session manages the trust of virtual meshes in clusters. It must be closed.
type Session struct {
	Store *ClusterStore
	Env   *Env

	vaults *VaultLogins
}

// NewSession returns a session. It does not connect to any cluster yet.
func NewSession(opts SessionOptions) *Session {
	t := &Session{
		Store:  &ClusterStore{Management: opts.Management, Members: opts.Members, Deadline: opts.Timeout},
		vaults: NewVaultLogins(opts.Management, opts.Clock, opts.Getenv),
	}
	t.Env = &Env{Store: t.Store, Vault: t.vaults.Connect, Namespace: opts.Namespace, Now: opts.Clock}
	if opts.Management != nil {
		t.Env.History = ClusterHistory{Management: opts.Management}
	}
	return t
}

// Close logs out of all Vaults.
func (t *Session) Close(ctx context.Context) { t.vaults.Close(ctx) }

// ReadingTime returns the time limit for reading everything, given the timeout for a single
// cluster. A cluster may be read several times in a row: for the world, the clocks, the
// Secrets, the namespaces and the workloads. The limit leaves time for the other clusters even
// if one never responds.
func ReadingTime(timeout time.Duration) time.Duration {
	const readings = 5
	return readings * timeout
}

// Inspect reads the complete state of the trust of a virtual mesh. For errors see the function
// Inspect.
func (t *Session) Inspect(ctx context.Context, result *policy.Result, s *Subject) (*Report, error) {
	return Inspect(ctx, t.Env, s, result.World, t.Store.Connection, t.Store.Deadline)
}

// Findings inspects all virtual meshes with shared trust and returns the problems as findings,
// including certificates that expire within the warning time. It returns an error only if the
// inspection as a whole fails.
func (t *Session) Findings(ctx context.Context, result *policy.Result, warning time.Duration) ([]finding.Finding, error) {
	var findings []finding.Finding
	for i := range result.VirtualMeshes {
		if result.VirtualMeshes[i].Trust() != policy.TrustShared {
			continue
		}
		subject, err := Of(result, i)
		if err != nil {
			continue // reported by the findings of the virtual mesh
		}
		report, err := t.Inspect(ctx, result, subject)
		if err != nil {
			return nil, err
		}
		findings = append(findings, report.Findings(result.World, t.Env.Now(), warning)...)
	}
	return findings, nil
}

// maxClockSkew is the tolerated difference between the local clock and that of a cluster when
// issuing certificates.
const maxClockSkew = 10 * time.Minute

// CheckClocks returns an error if the local clock differs too much from those of the clusters:
// the certificates would not be valid there yet, or would expire too early.
func (t *Session) CheckClocks(ctx context.Context, s *Subject) error {
	connections := []*kube.Connection{}
	if t.Store.Management != nil {
		connections = append(connections, t.Store.Management)
	}
	for i := range s.Meshes {
		if c := t.Store.Members.Connections[s.Meshes[i].Cluster]; c != nil {
			connections = append(connections, c)
		}
	}
	var wrong []string
	ctx, stop := within(ctx, t.Store.Deadline)
	defer stop()
	for i, skew := range kube.Each(connections, func(c *kube.Connection) time.Duration { return kube.ClockSkew(ctx, c, t.Env.Now) }) {
		if skew.Abs() > maxClockSkew {
			wrong = append(wrong, fmt.Sprintf("cluster %s (by %s)", connections[i].Name, skew.Abs().Round(time.Minute)))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the clock of this machine (%s) differs from the clock of %s: correct it before issuing certificates", t.Env.Now().UTC().Format(time.RFC3339), strings.Join(wrong, " and "))
	}
	return nil
}

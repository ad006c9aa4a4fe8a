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

// SessionOptions say with what a Session works.
type SessionOptions struct {
	// Management is nil if no management cluster takes part: then no state is kept,
	// and no root is rotated.
	Management *kube.Connection
	// Members are the clusters of meshes.
	Members kube.Members
	// Namespace is that of meshctl's resources on the management cluster.
	Namespace string
	// Timeout is how long a single cluster is waited for.
	Timeout time.Duration
	Clock   func() time.Time
	// Getenv reads the environment, for credentials of Vaults.
	Getenv func(name string) string
}

// Session works on the trust of virtual meshes in real clusters. It must be
// closed.
type Session struct {
	Store *ClusterStore
	Env   *Env

	vaults *VaultLogins
}

// NewSession returns a session. It contacts no cluster yet.
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

// Close logs out of Vaults.
func (t *Session) Close(ctx context.Context) { t.vaults.Close(ctx) }

// ReadingTime is how long everything may take that is read, if a single cluster
// may take the timeout: several times in a row, for the world, the clocks, the
// Secrets, the namespaces and the workloads. None of them keeps the other clusters
// from being read.
func ReadingTime(timeout time.Duration) time.Duration {
	const readings = 5
	return readings * timeout
}

// Inspect reads everything about the trust of a virtual mesh of the result.
func (t *Session) Inspect(ctx context.Context, result *policy.Result, s *Subject) (*Report, error) {
	return Inspect(ctx, t.Env, s, result.World, t.Store.Connection, t.Store.Deadline)
}

// Findings inspects the trust of all virtual meshes with shared trust and returns
// what is found as findings. Certificates that expire within the warning time
// are part of that.
func (t *Session) Findings(ctx context.Context, result *policy.Result, warning time.Duration) ([]finding.Finding, error) {
	var findings []finding.Finding
	for i := range result.VirtualMeshes {
		if result.VirtualMeshes[i].Trust() != policy.TrustShared {
			continue
		}
		subject, err := Of(result, i)
		if err != nil {
			continue // its findings say so
		}
		report, err := t.Inspect(ctx, result, subject)
		if err != nil {
			return nil, err
		}
		findings = append(findings, report.Findings(result.World, t.Env.Now(), warning)...)
	}
	return findings, nil
}

// maxClockSkew is how far the clock of this machine may be from that of a
// cluster when certificates are made.
const maxClockSkew = 10 * time.Minute

// CheckClocks refuses to make certificates while the clock of this machine is
// far from those of the clusters: they would not be valid there yet, or not long
// enough.
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

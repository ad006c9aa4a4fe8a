package apply

import (
	"context"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/world"
)

// checkAccepted refuses accepted trust domains that are not MESH=DOMAIN.
func (o *options) checkAccepted() error {
	for _, text := range o.acceptedDomains {
		if mesh, domain, _ := strings.Cut(text, "="); mesh == "" || domain == "" {
			return cli.Usagef("invalid value %q for --accept-trust-domain: must be MESH=DOMAIN", text)
		}
	}
	return nil
}

// acceptDomains accepts the trust domains that the command line names, and records that
// on the management cluster for later runs.
func (o *options) acceptDomains(ctx context.Context, in rollout.Input) (*world.World, error) {
	w := in.World
	for _, text := range o.acceptedDomains {
		name, domain, _ := strings.Cut(text, "=")
		accepted, mesh, err := w.AcceptTrustDomain(name, domain)
		if err != nil {
			return in.World, cli.Usagef("invalid value %q for --accept-trust-domain: %w", text, err)
		}
		w = accepted
		if !o.writes() || in.Management == nil {
			continue
		}
		if err := sharedtrust.RecordAccepted(ctx, in.Management, w, &sharedtrust.Mesh{Ref: mesh.Ref, TrustDomain: mesh.TrustDomain}); err != nil {
			return in.World, err
		}
	}
	return w, nil
}

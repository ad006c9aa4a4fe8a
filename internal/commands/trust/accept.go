package trust

import (
	"context"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/wizard"
)

// accept accepts trust domains that meshes changed to: those that the command line
// names, and those that the user agrees to. It returns the meshes. --yes accepts
// none: a trust domain is accepted by name.
func (o *issueOptions) accept(ctx context.Context, r *trusting, s *sharedtrust.Subject) ([]*sharedtrust.Mesh, error) {
	var accepted []*sharedtrust.Mesh
	for _, text := range o.accepted {
		name, domain, _ := strings.Cut(text, "=")
		mesh, err := s.Accept(name, domain)
		if err != nil {
			return nil, cli.Usagef("invalid value %q for --accept-trust-domain: %w", text, err)
		}
		accepted = append(accepted, mesh)
	}
	prompter := cmdutil.NewPrompter(ctx, r.streams)
	if o.yes || !o.writes() || prompter == nil {
		return accepted, nil
	}
	for _, mesh := range s.Unaccepted() {
		question := wizard.Question{
			Text: fmt.Sprintf("Accept trust domain %s of mesh %s?", mesh.TrustDomain, mesh.Ref.Name),
			Help: "Its workloads can then be taken for those of all other meshes with this trust domain.",
		}
		r.say("warning: mesh %s on cluster %s: %s", mesh.Ref.Name, mesh.Cluster, mesh.ChangeText())
		agreed, err := prompter.Confirm(question, false)
		if err != nil {
			return nil, err
		}
		if !agreed {
			continue // then it gets no certificate
		}
		if mesh, err = s.Accept(mesh.Ref.Name+"."+mesh.Ref.Namespace, mesh.TrustDomain); err != nil {
			return nil, err
		}
		accepted = append(accepted, mesh)
	}
	return accepted, nil
}

// recordAccepted notes on the management cluster what was accepted, for later runs.
func (o *issueOptions) recordAccepted(ctx context.Context, r *trusting, accepted []*sharedtrust.Mesh) error {
	if !o.writes() || r.Store.Management == nil || !o.world.FromManagement() {
		return nil
	}
	for _, mesh := range accepted {
		if err := sharedtrust.RecordAccepted(ctx, r.Store.Management, r.result.World, mesh); err != nil {
			return err
		}
	}
	return nil
}

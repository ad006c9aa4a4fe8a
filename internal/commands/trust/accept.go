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

// accept accepts changed trust domains of meshes: those named on the command line, and those
// that the user confirms. It returns the meshes. --yes does not accept any, because a trust
// domain must be accepted by name.
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
			Help: "Its workloads can then act as workloads of any other mesh with this trust domain.",
		}
		r.say("warning: mesh %s on cluster %s: %s", mesh.Ref.Name, mesh.Cluster, mesh.ChangeText())
		agreed, err := prompter.Confirm(question, false)
		if err != nil {
			return nil, err
		}
		if !agreed {
			continue // the mesh gets no certificate
		}
		if mesh, err = s.Accept(mesh.Ref.Name+"."+mesh.Ref.Namespace, mesh.TrustDomain); err != nil {
			return nil, err
		}
		accepted = append(accepted, mesh)
	}
	return accepted, nil
}

// recordAccepted stores the accepted trust domains in the management cluster, for later runs.
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

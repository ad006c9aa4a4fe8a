package describe

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

// trustFlags are the flags for inspecting certificates, which accesses the clusters.
type trustFlags struct {
	trust         bool
	expiryWarning *cmdutil.DaysValue
	factory       *cmdutil.Factory
}

func (t *trustFlags) register(cmd *cobra.Command, f *cmdutil.Factory, noun describeNoun) {
	t.factory, t.expiryWarning = f, &cmdutil.DaysValue{Duration: cmdutil.DefaultExpiryWarning}
	flags := cmd.Flags()
	flags.BoolVar(&t.trust, "trust", false, "contact the clusters of "+noun.Plural+" for findings about certificates and required restarts")
	flags.Var(t.expiryWarning, "expiry-warning", "with --trust, warn of certificates that expire within this `DURATION`, such as 30d or 12h")
}

// check validates the combination of flags.
func (t *trustFlags) check(cmd *cobra.Command, world *cmdutil.WorldFlags) error {
	switch {
	case !t.trust && cmd.Flags().Changed("expiry-warning"):
		return cli.Usagef("--expiry-warning requires --trust")
	case t.trust && !world.FromManagement() && len(world.Contexts) == 0:
		return cli.Usagef("--trust needs clusters: use --clusters or --context")
	default:
		return nil
	}
}

// lookAtTrust adds findings about the certificates of all virtual meshes to a result.
func (t *trustFlags) lookAtTrust(ctx context.Context, world cmdutil.WorldFlags, result *policy.Result) error {
	chosen, err := t.factory.Settings()
	if err != nil {
		return err
	}
	reading, stop := context.WithTimeout(ctx, kube.DefaultDeadline)
	defer stop()
	members, err := world.Members(reading, chosen.Namespace())
	if err != nil {
		return err
	}
	session := sharedtrust.NewSession(sharedtrust.SessionOptions{
		Management: members.Management, Members: members.Members, Namespace: chosen.Namespace(),
		Timeout: kube.DefaultDeadline, Clock: t.factory.Clock, Getenv: t.factory.Getenv,
	})
	defer session.Close(context.WithoutCancel(ctx))
	findings, err := session.Findings(reading, result, t.expiryWarning.Duration)
	if err != nil {
		return err
	}
	result.AddFindings(findings)
	return nil
}

package trust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/trust/report"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

type issueOptions struct {
	trustCommand
	forceTakeover bool
	// accepted are the accepted trust domains, as MESH=DOMAIN.
	accepted  []string
	yes       bool
	outputDir string
	// given are the Secrets among the manifests.
	given  []*kube.Secret
	dryRun *cmdutil.EnumValue
	output *cmdutil.EnumValue
}

func newIssueCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &issueOptions{
		trustCommand: newTrustCommand(f),
		dryRun:       cmdutil.NewEnumValue("none", "none", "client", "server"), output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "issue VIRTUALMESH",
		Short: "Issue an intermediate CA certificate to every mesh of a virtual mesh",
		Long: cmdutil.Dedent(`
			Issue an intermediate CA certificate of the common root CA to every mesh of a
			virtual mesh. The plan is shown first and applied after you confirm it.

			spec.mtlsConfig.shared selects the root CA: generated on first use in the Secret
			NAME.NAMESPACE on the management cluster; provided by you in such a Secret
			(root-cert.pem, key.pem, and cert-chain.pem for an intermediate CA); or held by a
			Vault, which then signs. Each mesh gets its own key in the Secret cacerts of its
			control plane. Afterwards, restart workloads with outdated certificates with
			'meshctl mesh restart'.

			You can run the command at any time: valid certificates are kept, certificates
			due for renewal are replaced, and meshes that joined get one. The root CA of a
			mesh is never replaced by another one; use 'meshctl trust rotate' for that. A
			Secret cacerts of another owner is left alone, unless you pass --force-takeover
			to back it up as cacerts-backup and replace it.

			A mesh that changed its trust domain since it was first discovered gets no
			certificate until you accept the new one by name, with --accept-trust-domain or
			when you are asked: the certificate would make it a member of that trust domain,
			which may be that of another mesh.

			With --output-dir, no cluster is written to: the Secrets are written to files
			that only you can read. Encrypt them before you commit them. Existing files are
			treated like the Secrets of clusters, and so is a root CA in a Secret that is
			among the manifests of --filename.`),
		Example: cmdutil.Dedent(`
			# show the plan
			meshctl trust issue prod --dry-run

			# issue and renew certificates in CI or in a cron job
			meshctl trust issue prod --yes

			# write the Secrets to files, for a repository
			meshctl trust issue prod --output-dir secrets --yes`),
		Args: oneVirtualMesh,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.Settle(cmd)
			if opts.outputDir != "" {
				opts.world.Secrets = &opts.given
			}
			if err := errors.Join(opts.trustCommand.check(), opts.check()); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.register(cmd, f)
	flags := cmd.Flags()
	flags.BoolVar(&opts.forceTakeover, "force-takeover", false, "replace Secrets cacerts of another owner or root, and back them up as "+sharedtrust.BackupName)
	flags.StringSliceVar(&opts.accepted, "accept-trust-domain", nil, "accept that a mesh changed its trust domain, as `MESH=DOMAIN`; repeatable")
	cmdutil.CompleteFlag(cmd, "accept-trust-domain", cobra.NoFileCompletions)
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	flags.StringVar(&opts.outputDir, "output-dir", "", "write the Secrets, with private keys, to files in this `DIR` instead of clusters")
	_ = cmd.MarkFlagDirname("output-dir")
	cmdutil.AddDryRunFlag(cmd, opts.dryRun)
	flags.Lookup("dry-run").Usage = "show the plan and write nothing; server validates it with the API servers"
	cmdutil.AddOutputFlag(cmd, opts.output, "output format of the result or the plan")
	return cmd
}

// writes reports whether anything is written.
func (o *issueOptions) writes() bool { return o.dryRun.String() == "none" }

// check validates the combination of arguments and flags.
func (o *issueOptions) check() error {
	for _, text := range o.accepted {
		if name, domain, _ := strings.Cut(text, "="); name == "" || domain == "" {
			return cli.Usagef("invalid value %q for --accept-trust-domain: must be MESH=DOMAIN", text)
		}
	}
	switch {
	case o.offline() && o.outputDir == "":
		return cli.Usagef("no target clusters: use --clusters, --context or --output-dir")
	case !o.yes && o.writes() && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm")
	case o.outputDir != "" && o.dryRun.String() == "server":
		return cli.Usagef("--output-dir and --dry-run=server cannot be combined: use --dry-run=client")
	default:
		return nil
	}
}

func (o *issueOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		if !o.writes() || o.outputDir != "" {
			return o.issue(ctx, reading, r, s)
		}
		return r.Alone(ctx, s, func(ctx, reading context.Context) error { return o.issue(ctx, reading, r, s) })
	})
}

// issue plans, asks for confirmation, and writes. The context reading is for planning only.
func (o *issueOptions) issue(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) error {
	accepted, err := o.accept(ctx, r, s)
	if err != nil {
		return err
	}
	if o.outputDir != "" {
		r.Env.Store, r.Env.History = &sharedtrust.FileStore{
			Dir: o.outputDir, Directory: cmdutil.ClusterDirectory, Given: o.given, Clusters: r.Store,
		}, nil
	} else if err := r.CheckClocks(reading, s); err != nil {
		return err
	}
	v, err := sharedtrust.Look(reading, r.Env, s)
	if err != nil {
		return err
	}
	actions := v.Plan(o.forceTakeover)
	if v.Current.Missing && sharedtrust.Changes(actions) > 0 {
		r.say("The root CA does not exist yet and will be created: Secret %s in %s.", v.Current.Source.Name, v.Current.Source.Namespace)
	}
	if o.dryRun.String() == "client" || sharedtrust.Changes(actions) == 0 {
		return r.endIssue(o, v, sharedtrust.Planned(actions), nil)
	}
	_ = output.OnErr(r.streams).Print(output.FormatTable, view.View{Table: view.Rows(report.ActionTable(sharedtrust.Planned(actions)))})
	if o.writes() {
		if err := r.confirm(ctx, o.yes, fmt.Sprintf("Write certificates to %s?", o.where(actions)), "This writes the Secret cacerts of each mesh listed above. Workloads get new certificates when they restart."); err != nil {
			return err
		}
	}
	if err := o.recordAccepted(ctx, r, accepted); err != nil {
		return err
	}
	r.Env.Observe = r.observe
	outcomes, err := r.Env.Issue(ctx, v, actions, kube.DryRun(o.dryRun.String()))
	if err != nil && outcomes == nil {
		return err
	}
	if o.outputDir != "" {
		r.say("warning: the files in %s contain private keys: encrypt them before you share them", o.outputDir)
	}
	return errors.Join(r.endIssue(o, v, outcomes, r.statesAfter(ctx, o, s)), err)
}

// inPart adds cli.ErrReported if part of the input is missing.
func (r *trusting) inPart(err error) error {
	if r.incomplete {
		return errors.Join(err, cli.ErrReported)
	}
	return err
}

// where returns the clusters that are written to, for the confirmation.
func (o *issueOptions) where(actions []sharedtrust.Action) string {
	if o.outputDir != "" {
		return "files in " + o.outputDir
	}
	var names []string
	for i := range actions {
		if actions[i].Writes() {
			names = append(names, actions[i].Mesh.Cluster)
		}
	}
	names = slices.Compact(names)
	if len(names) == 1 {
		return "cluster " + names[0]
	}
	return "clusters " + text.And(names)
}

// statesAfter returns the states of the meshes after writing; nil if nothing was written.
// States that cannot be read are missing.
func (r *trusting) statesAfter(ctx context.Context, o *issueOptions, s *sharedtrust.Subject) map[core.ObjectRef]string {
	if !o.writes() {
		return nil
	}
	after, err := sharedtrust.Look(ctx, r.Env, s)
	if err != nil {
		return map[core.ObjectRef]string{}
	}
	return after.States(o.forceTakeover)
}

// endIssue prints the result and the next step. states are the states of the meshes after
// writing; nil for a plan.
func (r *trusting) endIssue(o *issueOptions, v *sharedtrust.Survey, outcomes []sharedtrust.Outcome, states map[core.ObjectRef]string) error {
	report := report.NewChanges(v, outcomes, o.dryRun.String(), states)
	if err := output.Print(r.streams, o.output.Format(), report.View()); err != nil {
		return err
	}
	changed := slices.ContainsFunc(outcomes, func(o sharedtrust.Outcome) bool { return o.Changed })
	failed := sharedtrust.AnyFailed(outcomes)
	switch {
	case failed && o.writes():
		r.say("Some meshes have no valid certificate. Fix the errors and run 'meshctl trust issue' again.")
	case changed && o.writes() && o.outputDir == "":
		r.say("Next: restart workloads with outdated certificates: 'meshctl mesh restart --virtual-mesh %s'.", v.Name())
	case v.Pending != "":
		r.say("%s: rotate the root CA with 'meshctl trust rotate %s'.", v.Pending, v.Name())
	}
	if failed || r.incomplete {
		return cli.ErrReported
	}
	return nil
}

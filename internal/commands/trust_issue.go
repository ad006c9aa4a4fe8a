package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

type trustIssueOptions struct {
	trustCommand
	forceTakeover bool
	yes           bool
	outputDir     string
	dryRun        *enumValue
	output        *enumValue
}

func newTrustIssueCmd(f *Factory) *cobra.Command {
	opts := &trustIssueOptions{
		trustCommand: newTrustCommand(f),
		dryRun:       newEnumValue("none", "none", "client", "server"), output: newOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "issue VIRTUALMESH",
		Short: "Give every mesh of a virtual mesh an intermediate certificate of the common root",
		Long: dedent(`
			Give every mesh of a virtual mesh an intermediate certificate of the common root.
			What will be done is shown first, and done once you agree.

			The root is what spec.mtlsConfig.shared says: generated when it is first needed,
			into the Secret NAME.NAMESPACE on the management cluster; provided in a Secret
			there (root-cert.pem, key.pem, and cert-chain.pem for an intermediate
			authority); or that of a Vault, which then signs. Each mesh gets a key of its own
			in the Secret cacerts of its control plane. Who runs with older certificates has
			to be restarted after that, with 'meshctl mesh restart'.

			It may be repeated at any time: a valid certificate is kept, one that is due for
			renewal is replaced, and a mesh that has joined gets one. Another root is never
			put in place of the one that meshes have: that is what 'meshctl trust rotate' is
			for. A Secret cacerts that something else made is left alone, unless
			--force-takeover says to keep it as cacerts-backup and to replace it.

			With --output-dir, nothing is written to clusters: the Secrets are written to
			files that only you can read, to be encrypted before they go into a repository.
			Files that are there already are kept as the Secrets of clusters would be.`),
		Example: dedent(`
			# look at what would be done
			meshctl trust issue prod --dry-run

			# as in CI, or from a cron job that renews what is due
			meshctl trust issue prod --yes

			# to files, for a repository
			meshctl trust issue prod --output-dir secrets --yes`),
		Args: oneVirtualMesh,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.settle(cmd)
			if err := errors.Join(opts.trustCommand.check(), opts.check()); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.register(cmd, f)
	flags := cmd.Flags()
	flags.BoolVar(&opts.forceTakeover, "force-takeover", false, "replace Secrets cacerts that something else made or that have another root, and keep what they hold as "+sharedtrust.BackupName)
	flags.BoolVarP(&opts.yes, "yes", "y", false, "do not ask for confirmation")
	flags.StringVar(&opts.outputDir, "output-dir", "", "write the Secrets, with private keys, to files in this `DIR` instead of to clusters")
	_ = cmd.MarkFlagDirname("output-dir")
	addDryRunFlag(cmd, opts.dryRun)
	flags.Lookup("dry-run").Usage = "show what would be done, and write nothing; with server, let the API servers judge"
	addOutputFlag(cmd, opts.output, "output format of what was done, or would be")
	return cmd
}

// writes reports whether anything is written.
func (o *trustIssueOptions) writes() bool { return o.dryRun.String() == "none" }

// check refuses what cannot be meant.
func (o *trustIssueOptions) check() error {
	switch {
	case o.offline() && o.outputDir == "":
		return cli.Usagef("trust issue needs clusters to write to, and with manifests alone none is contacted: name contexts with --clusters, or the management cluster with --context, or write files with --output-dir")
	case !o.yes && o.writes() && !o.streams.CanPrompt():
		return cli.Usagef("not a terminal: pass --yes to confirm; see what would be done with --dry-run")
	case o.outputDir != "" && o.dryRun.String() == "server":
		return cli.Usagef("--output-dir writes to no cluster, so that no API server can judge: use --dry-run=client")
	default:
		return nil
	}
}

func (o *trustIssueOptions) run(ctx context.Context) error {
	return o.onSubject(ctx, func(reading context.Context, r *trusting, s *sharedtrust.Subject) error {
		if !o.writes() || o.outputDir != "" {
			return o.issue(ctx, reading, r, s)
		}
		return r.Alone(ctx, s, func(ctx, reading context.Context) error { return o.issue(ctx, reading, r, s) })
	})
}

// issue compares, asks and writes; reading is for the first of these.
func (o *trustIssueOptions) issue(ctx, reading context.Context, r *trusting, s *sharedtrust.Subject) error {
	if o.outputDir != "" {
		r.Env.Store, r.Env.History = &sharedtrust.FileStore{Dir: o.outputDir, Directory: clusterDirectory, Clusters: r.Store}, nil
	} else if err := r.CheckClocks(reading, s); err != nil {
		return err
	}
	v, err := sharedtrust.Look(reading, r.Env, s)
	if err != nil {
		return err
	}
	actions := v.Plan(o.forceTakeover)
	if v.Current.Missing && sharedtrust.Changes(actions) > 0 {
		r.say("The root does not exist yet and is made: Secret %s in %s.", v.Current.Source.Name, v.Current.Source.Namespace)
	}
	if o.dryRun.String() == "client" || sharedtrust.Changes(actions) == 0 {
		return r.endIssue(o, v, sharedtrust.Planned(actions))
	}
	_ = output.Write(r.streams.Err, output.FormatTable, false, view.View{Table: view.Rows(outcomeTable(sharedtrust.Planned(actions)))})
	if o.writes() {
		if err := r.confirm(ctx, o.yes, fmt.Sprintf("Write certificates to %s?", o.where(actions)), "The Secret cacerts of each mesh named above is written. Workloads get certificates of the new authority when they are restarted."); err != nil {
			return err
		}
	}
	r.Env.Observe = r.observe
	outcomes, err := r.Env.Issue(ctx, v, actions, kube.DryRun(o.dryRun.String()))
	if err != nil && outcomes == nil {
		return err
	}
	if o.outputDir != "" {
		r.say("warning: the files in %s hold private keys: encrypt them before they go anywhere", o.outputDir)
	}
	return errors.Join(r.endIssue(o, v, outcomes), err)
}

// inPart adds that the command failed for lack of input, if that is so.
func (r *trusting) inPart(err error) error {
	if r.incomplete {
		return errors.Join(err, cli.ErrReported)
	}
	return err
}

// where names the clusters that are written to.
func (o *trustIssueOptions) where(actions []sharedtrust.Action) string {
	if o.outputDir != "" {
		return "files in " + o.outputDir
	}
	var names []string
	for i := range actions {
		if actions[i].Writes() {
			names = append(names, actions[i].Mesh.Cluster)
		}
	}
	return strings.Join(slices.Compact(names), ", ")
}

// endIssue prints what came of it and says what is next.
func (r *trusting) endIssue(o *trustIssueOptions, v *sharedtrust.Survey, outcomes []sharedtrust.Outcome) error {
	report := newIssueReport(v, outcomes, o.dryRun.String())
	if err := output.Print(r.streams, o.output.format(), report.view()); err != nil {
		return err
	}
	changed := slices.ContainsFunc(outcomes, func(o sharedtrust.Outcome) bool { return o.Changed })
	failed := sharedtrust.AnyFailed(outcomes)
	switch {
	case failed && o.writes():
		r.say("Not every mesh has its certificate. Repair what is wrong and run trust issue again; what is written already stays.")
	case changed && o.writes() && o.outputDir == "":
		r.say("Next: restart what runs with older certificates, with 'meshctl mesh restart --virtual-mesh %s'.", v.Name())
	case v.Pending != "":
		r.say("%s: exchange the root with 'meshctl trust rotate %s'.", v.Pending, v.Name())
	}
	if failed || r.incomplete {
		return cli.ErrReported
	}
	return nil
}

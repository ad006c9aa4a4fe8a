package trust

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/trust/report"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
)

type statusOptions struct {
	trustCommand
	expiryWarning *cmdutil.DaysValue
	output        *cmdutil.EnumValue
}

func newStatusCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &statusOptions{
		trustCommand: newTrustCommand(f), expiryWarning: &cmdutil.DaysValue{Duration: cmdutil.DefaultExpiryWarning}, output: cmdutil.NewOutput(output.FormatTable),
	}
	cmd := &cobra.Command{
		Use:   "status [VIRTUALMESH...]",
		Short: "Show root CAs, certificates, rotations, and workloads with outdated certificates",
		Long: cmdutil.Dedent(`
			Show the shared trust of virtual meshes: the root CA and its expiry; for every
			mesh its intermediate CA certificate, whether it chains to the root, whether the
			namespaces of its workloads have the root (ConfigMap istio-ca-root-cert), and
			which workloads use outdated certificates; and the progress of rotations.

			The exit code is 3 if something needs action, or if the root CA or a certificate
			could not be read; problems are listed last, with hints. Only metadata and certificates are shown, never a key.`),
		Example: cmdutil.Dedent(`
			# show all virtual meshes with shared trust
			meshctl trust status

			# in CI: fail sixty days before a certificate expires
			meshctl trust status prod --expiry-warning 60d -o name`),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.names = args
			opts.world.Settle(cmd)
			if err := opts.check(); err != nil {
				return err
			}
			return opts.run(cmd.Context())
		},
	}
	opts.register(cmd, f)
	cmd.Flags().Var(opts.expiryWarning, "expiry-warning", "warn of certificates that expire within this `DURATION`, such as 30d or 12h")
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

// check validates the combination of arguments and flags.
func (o *statusOptions) check() error {
	if o.offline() {
		return cli.Usagef("no clusters to inspect: use --clusters or --context")
	}
	return o.trustCommand.check()
}

func (o *statusOptions) run(ctx context.Context) error {
	return o.on(ctx, o.look)
}

// look reads the status and prints it.
func (o *statusOptions) look(ctx context.Context, r *trusting) error {
	subjects, unfit := r.subjects()
	if unfit != nil && (len(subjects) == 0 || len(r.names) > 0) {
		return r.inPart(unfit)
	}
	list := report.StatusList{APIVersion: report.APIVersion, Kind: "TrustStatusList", Items: []report.Status{}}
	ok := true
	for _, s := range subjects {
		found, err := r.Inspect(ctx, r.result, s)
		if err != nil {
			return err
		}
		item := report.NewStatus(found, o.clock(), o.expiryWarning.Duration)
		ok = ok && item.OK
		list.Items = append(list.Items, item)
	}
	if err := output.Print(o.streams, o.output.Format(), list.View(o.clock())); err != nil {
		return err
	}
	switch {
	case unfit != nil:
		return r.inPart(unfit)
	case r.incomplete:
		return cli.ErrReported
	case !ok:
		return cli.ErrFindings
	default:
		return nil
	}
}

// subjects returns the named virtual meshes, or all with shared trust. The error is about
// those that cannot have it.
func (r *trusting) subjects() ([]*sharedtrust.Subject, error) {
	var subjects []*sharedtrust.Subject
	var errs []error
	add := func(position int) {
		s, err := sharedtrust.Of(r.result, position)
		errs = append(errs, err)
		if err == nil {
			subjects = append(subjects, s)
		}
	}
	for _, name := range r.names {
		position, err := r.find(name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		add(position)
	}
	if len(r.names) == 0 {
		for i := range r.result.VirtualMeshes {
			if r.result.VirtualMeshes[i].Trust() != policy.TrustNone {
				add(i)
			}
		}
		if len(subjects) == 0 && errors.Join(errs...) == nil && !r.incomplete {
			r.say("No virtual mesh uses shared trust (spec.mtlsConfig.shared).")
		}
	}
	return subjects, errors.Join(errs...)
}

// Package trust implements `meshctl trust`: status, issue, rotate, verify and rollback.
package trust

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
)

// NewCmd returns the command `meshctl trust` with its subcommands.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust COMMAND",
		Short:   "Issue certificates for virtual meshes, and rotate their root CA",
		GroupID: cmdutil.GroupClusters,
		Long: cmdutil.Dedent(`
			Issue certificates with a common root CA to the meshes of a virtual mesh, so that
			their workloads trust each other across clusters; show their state; and rotate
			the root CA without downtime.

			Each mesh gets its own intermediate CA certificate in the Secret cacerts of its
			control plane. meshctl generates the private key, writes it to this Secret, and
			stores it nowhere else.`),
		Example: cmdutil.Dedent(`
			# issue certificates, then restart workloads that use outdated ones
			meshctl trust issue prod
			meshctl mesh restart --virtual-mesh prod

			# show root CAs, certificates and problems
			meshctl trust status`),
	}
	cmd.AddCommand(
		newIssueCmd(f),
		newRollbackCmd(f),
		newRotateCmd(f),
		newStatusCmd(f),
		newVerifyCmd(f),
	)
	cmdutil.WithSubcommands(cmd, "command")
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[cmdutil.NeedsCluster] = "true"
	return cmd
}

// trustCommand holds the dependencies and flags shared by all trust commands.
type trustCommand struct {
	streams *cli.Streams
	clock   cli.Clock
	load    cmdutil.WorldLoader
	getenv  func(string) string

	world     cmdutil.WorldFlags
	namespace string
	timeout   time.Duration
	names     []string
}

func newTrustCommand(f *cmdutil.Factory) trustCommand {
	return trustCommand{streams: f.Streams, clock: f.Clock, load: f.LoadWorld, getenv: f.Getenv}
}

func (t *trustCommand) register(cmd *cobra.Command, f *cmdutil.Factory) {
	t.world.Register(cmd, f)
	cmd.Annotations[cmdutil.NeedsCluster] = "true"
	cmdutil.RegisterNamespace(cmd, &t.namespace, "`NAMESPACE` of meshctl's resources on the management cluster")
	cmd.Flags().DurationVar(&t.timeout, "timeout", kube.DefaultDeadline, "`DURATION` after which an unreachable cluster is skipped")
	cmd.ValidArgsFunction = f.CompleteFromWorld(func(result *policy.Result, args []string, _ string) []cobra.Completion {
		var offered []cobra.Completion
		for i := range result.VirtualMeshes {
			vm := &result.VirtualMeshes[i]
			name := vm.Resource.Name + "." + vm.Resource.Namespace
			if vm.Trust() == policy.TrustShared && !containsName(args, vm.Resource.Name, name) {
				offered = append(offered, cobra.CompletionWithDesc(name, cmdutil.HintVirtualMesh(result, i)))
			}
		}
		return offered
	})
}

func containsName(args []string, names ...string) bool {
	for _, arg := range args {
		for _, name := range names {
			if arg == name {
				return true
			}
		}
	}
	return false
}

// oneVirtualMesh is the cobra.PositionalArgs of commands that take the name of one virtual
// mesh.
func oneVirtualMesh(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return cli.Usagef("%s needs the name of a virtual mesh", cmd.CommandPath())
	case 1:
		return nil
	default:
		return cli.Usagef("%s takes one name, got %s", cmd.CommandPath(), cmdutil.QuoteAll(args))
	}
}

// offline reports whether the command uses no clusters.
func (t *trustCommand) offline() bool { return !t.world.FromManagement() && len(t.world.Contexts) == 0 }

// check validates the shared flags.
func (t *trustCommand) check() error {
	switch {
	case t.timeout <= 0:
		return cli.Usagef("--timeout must be more than 0")
	default:
		return nil
	}
}

// trusting is one run of a trust command.
type trusting struct {
	*trustCommand
	*sharedtrust.Session
	result *policy.Result
	// incomplete is true if part of the input is missing.
	incomplete bool
}

// begin loads the world and connects to its clusters.
func (t *trustCommand) begin(ctx context.Context) (*trusting, error) {
	world, err := t.load(ctx, t.world, t.streams.In)
	if err != nil {
		return nil, err
	}
	r := &trusting{trustCommand: t, incomplete: cmdutil.ReportProblems(t.streams, world) != nil, result: policy.Evaluate(world)}
	members, err := t.world.Members(ctx, t.namespace)
	if err != nil {
		return nil, err
	}
	r.Session = sharedtrust.NewSession(sharedtrust.SessionOptions{
		Management: members.Management, Members: members.Members, Namespace: t.namespace, Timeout: t.timeout, Clock: t.clock, Getenv: t.getenv,
	})
	return r, nil
}

// on begins a run and calls do. The context reading limits the time for reading.
func (t *trustCommand) on(ctx context.Context, do func(reading context.Context, r *trusting) error) error {
	reading, stop := context.WithTimeout(ctx, sharedtrust.ReadingTime(t.timeout))
	defer stop()
	r, err := t.begin(reading)
	if err != nil {
		return err
	}
	defer r.Close(context.WithoutCancel(ctx))
	return do(reading, r)
}

// onSubject calls on with the virtual mesh named on the command line.
func (t *trustCommand) onSubject(ctx context.Context, do func(reading context.Context, r *trusting, s *sharedtrust.Subject) error) error {
	return t.on(ctx, func(reading context.Context, r *trusting) error {
		s, err := r.subject()
		if err != nil {
			return r.inPart(err)
		}
		return do(reading, r, s)
	})
}

// subject returns the virtual mesh named on the command line.
func (r *trusting) subject() (*sharedtrust.Subject, error) {
	position, err := r.find(r.names[0])
	if err != nil {
		return nil, err
	}
	s, err := sharedtrust.Of(r.result, position)
	if err != nil {
		return nil, err
	}
	for _, other := range s.Others {
		r.say("warning: mesh %s skipped because it is not Istio", other)
	}
	for _, missing := range s.Missing {
		r.say("warning: mesh %s not found: it gets no certificates", missing)
	}
	return s, nil
}

// find returns the position of a virtual mesh in the result.
func (r *trusting) find(name string) (int, error) {
	positions := make([]int, len(r.result.VirtualMeshes))
	for i := range positions {
		positions[i] = i
	}
	namesOf := func(i int) world.Names {
		vm := r.result.VirtualMeshes[i].Resource
		return world.Names{Kind: "VirtualMesh", Name: vm.Name, Namespace: vm.Namespace}
	}
	position, err := world.Resolve("virtualmesh", positions, namesOf, name)
	var missing *world.NotFoundError
	if errors.As(err, &missing) && len(missing.Near) == 0 {
		var all []string
		for _, i := range positions {
			all = append(all, namesOf(i).Full())
		}
		err = fmt.Errorf("virtualmesh %q not found: must be one of: %s", name, view.OrNone(strings.Join(all, ", ")))
	}
	return position, err
}

// say prints a line on standard error.
func (r *trusting) say(format string, args ...any) { r.streams.Say(format, args...) }

// observe prints the progress of writing certificates.
func (r *trusting) observe(event sharedtrust.Event) {
	where := event.Cluster
	if where == sharedtrust.Management {
		where = "management"
	}
	if event.Err != nil {
		r.say("%s: %s ... failed (%s)", where, event.What, event.Err)
		return
	}
	r.say("%s: %s", where, event.What)
}

// confirm asks for confirmation.
func (r *trusting) confirm(ctx context.Context, yes bool, question, help string) error {
	return cmdutil.Confirm(ctx, r.streams, yes, wizard.Question{Text: question, Help: help})
}

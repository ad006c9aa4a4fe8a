package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/sharedtrust"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
)

func newTrustCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust COMMAND",
		Short:   "Establish the shared trust of virtual meshes, and exchange its root",
		GroupID: groupClusters,
		Long: dedent(`
			Give the meshes of a virtual mesh certificates with a common root, so that their
			workloads accept each other across clusters; say how that stands; and exchange
			the root without an interruption.

			Each mesh gets an intermediate certificate of its own, in the Secret cacerts of
			its control plane. Its private key is made here, written there, and kept nowhere
			else.`),
		Example: dedent(`
			# establish the trust of a virtual mesh, then restart what runs with older certificates
			meshctl trust issue prod
			meshctl mesh restart --virtual-mesh prod

			# is everything as it should be?
			meshctl trust status`),
	}
	cmd.AddCommand(
		newTrustIssueCmd(f),
		newTrustRollbackCmd(f),
		newTrustRotateCmd(f),
		newTrustStatusCmd(f),
		newTrustVerifyCmd(f),
	)
	withSubcommands(cmd, "command")
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[needsCluster] = "true"
	return cmd
}

// trustCommand is what all commands about trust have.
type trustCommand struct {
	streams *cli.Streams
	clock   cli.Clock
	load    worldLoader
	getenv  func(string) string

	world     worldFlags
	namespace string
	timeout   time.Duration
	names     []string
}

func newTrustCommand(f *Factory) trustCommand {
	return trustCommand{streams: f.Streams, clock: f.Clock, load: f.LoadWorld, getenv: f.Getenv}
}

func (t *trustCommand) register(cmd *cobra.Command, f *Factory) {
	t.world.register(cmd, f)
	cmd.Annotations[needsCluster] = "true"
	registerNamespace(cmd, &t.namespace, "`NAMESPACE` of meshctl's resources on the management cluster")
	cmd.Flags().DurationVar(&t.timeout, "timeout", kube.DefaultDeadline, "`DURATION` after which a cluster that does not answer is given up")
	cmd.ValidArgsFunction = f.completeFromWorld(func(result *policy.Result, args []string, _ string) []cobra.Completion {
		var offered []cobra.Completion
		for i := range result.VirtualMeshes {
			vm := &result.VirtualMeshes[i]
			name := vm.Resource.Name + "." + vm.Resource.Namespace
			if vm.Trust() == policy.TrustShared && !containsName(args, vm.Resource.Name, name) {
				offered = append(offered, cobra.CompletionWithDesc(name, hintVirtualMesh(result, i)))
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

// oneVirtualMesh is the cobra.PositionalArgs of commands about one virtual mesh.
func oneVirtualMesh(cmd *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return cli.Usagef("%s needs the name of a virtual mesh", cmd.CommandPath())
	case 1:
		return nil
	default:
		return cli.Usagef("%s takes one name, got %s", cmd.CommandPath(), quoteAll(args))
	}
}

// offline reports whether no cluster takes part.
func (t *trustCommand) offline() bool { return !t.world.fromManagement() && len(t.world.contexts) == 0 }

// check refuses what cannot be meant.
func (t *trustCommand) check() error {
	switch {
	case t.timeout <= 0:
		return cli.Usagef("--timeout must be more than 0")
	default:
		return nil
	}
}

// trusting is one run of a command about trust.
type trusting struct {
	*trustCommand
	result *policy.Result
	store  *sharedtrust.ClusterStore
	env    *sharedtrust.Env
	vaults *vaultLogins
	// incomplete says that part of the input is missing.
	incomplete bool
	telling    sync.Mutex // guards standard error
}

// begin loads the world and finds its clusters.
func (t *trustCommand) begin(ctx context.Context) (*trusting, error) {
	world, err := t.load(ctx, t.world, t.streams.In)
	if err != nil {
		return nil, err
	}
	incomplete := reportProblems(t.streams, world) != nil
	r, err := t.over(ctx, policy.Evaluate(world))
	if err != nil {
		return nil, err
	}
	r.incomplete = incomplete
	return r, nil
}

// readings is how many times in a row a cluster may use up its time: for the
// world, the clocks, the Secrets, the namespaces and the workloads. None of them
// keeps the other clusters from being read.
const readings = 5

// on runs something about trust: with the world and its clusters, and with a
// context that bounds what is read.
func (t *trustCommand) on(ctx context.Context, do func(reading context.Context, r *trusting) error) error {
	reading, stop := context.WithTimeout(ctx, readings*t.timeout)
	defer stop()
	r, err := t.begin(reading)
	if err != nil {
		return err
	}
	defer r.vaults.close(context.WithoutCancel(ctx))
	return do(reading, r)
}

// onSubject is on for the one virtual mesh that the command line names.
func (t *trustCommand) onSubject(ctx context.Context, do func(reading context.Context, r *trusting, s *sharedtrust.Subject) error) error {
	return t.on(ctx, func(reading context.Context, r *trusting) error {
		s, err := r.subject()
		if err != nil {
			return r.inPart(err)
		}
		return do(reading, r, s)
	})
}

// over finds the clusters of a world that is evaluated already.
func (t *trustCommand) over(ctx context.Context, result *policy.Result) (*trusting, error) {
	r := &trusting{trustCommand: t, result: result}
	members, err := t.world.members(ctx, t.namespace)
	if err != nil {
		return nil, err
	}
	r.store = &sharedtrust.ClusterStore{Members: members.Connections, Failures: members.Failures, Deadline: t.timeout}
	r.env = &sharedtrust.Env{Store: r.store, Namespace: t.namespace, Now: t.clock}
	if t.world.fromManagement() {
		if r.store.Management, err = t.world.kube.management(); err != nil {
			return nil, err
		}
		r.env.History = sharedtrust.ClusterHistory{Management: r.store.Management}
	}
	r.vaults = &vaultLogins{management: r.store.Management, clock: t.clock, getenv: t.getenv}
	r.env.Vault = r.vaults.connect
	return r, nil
}

// subject finds the one virtual mesh that the command line names.
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
		r.say("warning: mesh %s is not Istio and gets no certificates", other)
	}
	return s, nil
}

// find returns the position of a virtual mesh.
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
		err = fmt.Errorf("virtualmesh %q not found; there are %s", name, orNone(strings.Join(all, ", ")))
	}
	return position, err
}

// say prints a line on standard error. Several goroutines may call it.
func (r *trusting) say(format string, args ...any) {
	r.telling.Lock()
	defer r.telling.Unlock()
	fmt.Fprintln(r.streams.Err, printable(fmt.Sprintf(format, args...)))
}

// observe prints what happens while certificates are written.
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

// confirm asks whether to go on.
func (r *trusting) confirm(ctx context.Context, yes bool, question, help string) error {
	if yes {
		return nil
	}
	prompter := newPrompter(ctx, r.streams)
	if prompter == nil {
		return cli.Usagef("--yes is required when nobody can be asked; see what would be done with --dry-run")
	}
	agreed, err := prompter.Confirm(wizard.Question{Text: question, Help: help}, false)
	if err == nil && !agreed {
		err = cli.ErrCancelled
	}
	return err
}

// checkClocks refuses to make certificates while the clock of this machine is
// far from those of the clusters: they would not be valid there yet, or not long
// enough.
func (r *trusting) checkClocks(ctx context.Context, s *sharedtrust.Subject) error {
	connections := []*kube.Connection{}
	if r.store.Management != nil {
		connections = append(connections, r.store.Management)
	}
	for i := range s.Meshes {
		if c := r.store.Members[s.Meshes[i].Cluster]; c != nil {
			connections = append(connections, c)
		}
	}
	const tolerated = 10 * time.Minute
	var wrong []string
	ctx, stop := context.WithTimeout(ctx, r.timeout)
	defer stop()
	for i, skew := range kube.Each(connections, func(c *kube.Connection) time.Duration { return kube.ClockSkew(ctx, c, r.clock) }) {
		if skew.Abs() > tolerated {
			wrong = append(wrong, fmt.Sprintf("that of cluster %s by %s", connections[i].Name, skew.Abs().Round(time.Minute)))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("the clock of this machine (%s) differs from %s: certificates would not be valid when they should; correct the clock first", r.clock().UTC().Format(time.RFC3339), strings.Join(wrong, " and "))
	}
	return nil
}

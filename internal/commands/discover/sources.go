package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// discovering is one run of discover.
type discovering struct {
	*options

	// management is the cluster to write to, in which clusters are registered; nil if it is not
	// needed.
	management *kube.Connection
	// stored is its content before the discovery; nil if nothing is written.
	stored   *inventory.Stored
	settings *settingsv1.Settings

	connections []*kube.Connection
	dumps       []dumpSource
	// found is sorted by name when the discovery is complete.
	found []inventory.Cluster
	// unusable are errors about clusters that have been printed.
	unusable []*kube.Error
}

// dumpSource is a cluster to discover from files.
type dumpSource struct {
	cluster string
	paths   []string
}

// prepare determines what to discover, and reads the management cluster.
func (d *discovering) prepare(ctx context.Context) error {
	if err := d.nameDumps(); err != nil {
		return err
	}
	if d.writes() || d.registered() || d.onTop {
		management, err := d.kube.Management()
		if err != nil {
			return err
		}
		d.management = management
		if err := d.readManagement(ctx); err != nil {
			return err
		}
	}
	if err := d.connectContexts(); err != nil {
		return err
	}
	return d.checkNames()
}

// readManagement reads the stored objects, the settings, and the registered clusters from the
// management cluster.
func (d *discovering) readManagement(ctx context.Context) error {
	if d.writes() {
		stored, err := inventory.ReadDiscovered(ctx, d.management, d.namespace)
		var e *kube.Error
		if errors.As(err, &e) && e.Reason == kube.ReasonNoSuchKind {
			e.Hint = "name the management cluster with --context, run 'meshctl install', or print the result with -o"
		}
		if err != nil {
			return err
		}
		d.stored = stored
	}
	if d.registered() {
		if err := d.connectRegistered(ctx); err != nil {
			return err
		}
	}
	objects, err := load.Management(ctx, load.ManagementOptions{
		Connection: d.management, Kinds: []string{"Settings"}, Namespace: d.namespace, Home: d.namespace, Deadline: d.timeout,
	}, validation.New())
	if err != nil {
		return err
	}
	for _, p := range objects.Problems {
		if p.Kind == world.UnusableCluster {
			return fmt.Errorf("%s: %s", p.Message, p.Hint)
		}
		d.say("warning: %s", cmdutil.ProblemText(p))
	}
	d.settings = world.SettingsOf(objects)
	return nil
}

// connectRegistered creates the connections to the registered clusters.
func (d *discovering) connectRegistered(ctx context.Context) error {
	opts, err := d.kube.Options()
	if err != nil {
		return err
	}
	connections, failed, err := kube.Registered(ctx, d.management, d.namespace, d.names, opts)
	if err != nil {
		return err
	}
	d.connections, d.unusable = connections, failed
	for _, e := range failed {
		d.say("error: %s", e)
	}
	switch {
	case len(connections)+len(failed) == 0:
		return fmt.Errorf("no clusters registered in namespace %s of cluster %s: run 'meshctl cluster register', or use --contexts",
			d.namespace, d.management.Name)
	case len(failed) > 0:
		names := d.names
		if len(names) == 0 {
			// Only the table needs the names; without them it shows "unknown".
			names, _ = registration.RegisteredNames(ctx, d.management, d.namespace)
		}
		d.found = append(d.found, unusableClusters(names, connections, failed)...)
	}
	return nil
}

// unusableClusters returns the clusters with unusable credentials, whose errors have been
// printed.
func unusableClusters(names []string, connections []*kube.Connection, failed []*kube.Error) []inventory.Cluster {
	wanted := slices.Sorted(slices.Values(names))
	wanted = slices.DeleteFunc(slices.Compact(wanted), func(name string) bool {
		return slices.ContainsFunc(connections, func(c *kube.Connection) bool { return c.Name == name })
	})
	var unusable []inventory.Cluster
	for i, e := range failed {
		cluster := inventory.Cluster{Err: e}
		if len(wanted) == len(failed) {
			cluster.Name = wanted[i] // both lists are sorted by cluster
		}
		unusable = append(unusable, cluster)
	}
	return unusable
}

func (d *discovering) connectContexts() error {
	if len(d.contexts) == 0 {
		return nil
	}
	opts, err := d.kube.Options()
	if err != nil {
		return err
	}
	kubeconfig, err := kube.LoadKubeconfig(d.kube.KubeconfigPath())
	if err != nil {
		return err
	}
	for _, text := range d.contexts {
		name, context, named := strings.Cut(text, "=")
		if !named {
			context = name
		}
		if context == "" {
			return cli.Usagef("--contexts: no context in %q", text)
		}
		if why := registration.CheckClusterName(name); why != "" {
			return cli.Usagef("--contexts %s: %s; use NAME=CONTEXT to set the name of the cluster", text, why)
		}
		connection, err := kubeconfig.Connect(context, name, kube.SourceContext, opts)
		if err != nil {
			return err
		}
		d.connections = append(d.connections, connection)
	}
	return nil
}

// nameDumps parses the values of --from. Several values may name the same cluster.
func (d *discovering) nameDumps() error {
	for _, text := range d.options.dumps {
		name, path, named := strings.Cut(text, "=")
		if !named || path == "" {
			return cli.Usagef("invalid value %q for --from: must be NAME=PATH, such as east=dumps/east", text)
		}
		if why := registration.CheckClusterName(name); why != "" {
			return cli.Usagef("invalid value %q for --from: %s", text, why)
		}
		at := slices.IndexFunc(d.dumps, func(s dumpSource) bool { return s.cluster == name })
		if at < 0 {
			at = len(d.dumps)
			d.dumps = append(d.dumps, dumpSource{cluster: name})
		}
		d.dumps[at].paths = append(d.dumps[at].paths, path)
	}
	return nil
}

// checkNames returns a usage error if two clusters have the same name.
func (d *discovering) checkNames() error {
	seen := map[string]bool{}
	var names []string
	for _, c := range d.connections {
		names = append(names, c.Name)
	}
	for _, s := range d.dumps {
		names = append(names, s.cluster)
	}
	for _, name := range names {
		if seen[name] {
			return cli.Usagef("cluster %s is specified twice: rename one with NAME=CONTEXT or NAME=PATH", name)
		}
		seen[name] = true
	}
	return nil
}

// say prints a line of progress on standard error.
func (d *discovering) say(format string, args ...any) {
	d.streams.Say(format, args...)
}

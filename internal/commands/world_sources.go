package commands

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// load reads all sources and unites them. An object that two of them have is an
// error that names both places; but what was discovered just now replaces what
// the management cluster knows of the same clusters.
func (f *worldFlags) load(ctx context.Context, namespace string, stdin io.Reader) (world.Objects, error) {
	validator := validation.New()
	var objects world.Objects
	if len(f.filenames) > 0 {
		files, err := load.Files(ctx, load.FileOptions{
			Paths: f.filenames, Recursive: f.recursive, Stdin: stdin, DefaultNamespace: namespace,
		}, validator)
		if err != nil {
			return objects, err
		}
		objects = files
	}
	if f.fromManagement() {
		stored, err := f.loadManagement(ctx, validator)
		if err != nil {
			return objects, err
		}
		if objects, err = load.Combine(objects, stored); err != nil {
			return objects, err
		}
	}
	if len(f.contexts) == 0 {
		return objects, nil
	}
	connections, err := f.discovered()
	if err != nil {
		return objects, err
	}
	fresh, err := inventory.Objects(ctx, inventory.DiscoverOptions{
		Connections: connections, ManagementNamespace: namespace, Settings: world.SettingsOf(objects),
	}, validator)
	if err != nil {
		return objects, err
	}
	var names []string
	for _, c := range connections {
		names = append(names, c.Name)
	}
	return load.ReplaceDiscovered(objects, fresh, names)
}

func (f *worldFlags) loadManagement(ctx context.Context, validator *validation.Validator) (world.Objects, error) {
	management, err := f.kube.management()
	if errors.Is(err, kube.ErrNoKubeconfig) && !f.needsClusters {
		return world.Objects{}, cli.Usagef("no manifests given, and %w; use --filename to work without a cluster", err)
	}
	if err != nil {
		return world.Objects{}, err
	}
	return load.Management(ctx, load.ManagementOptions{Connection: management}, validator)
}

// discovered returns the connections to the clusters to discover.
func (f *worldFlags) discovered() ([]*kube.Connection, error) {
	opts, err := f.kube.options()
	if err != nil {
		return nil, err
	}
	kubeconfig, err := kube.LoadKubeconfig(f.kube.kubeconfigPath())
	if err != nil {
		return nil, err
	}
	var connections []*kube.Connection
	contexts := map[string]string{}
	for _, text := range f.contexts {
		name, context, named := strings.Cut(text, "=")
		if !named {
			context = name
		}
		if other, twice := contexts[name]; twice {
			return nil, cli.Usagef("--clusters names cluster %q twice, as context %s and %s", name, other, context)
		}
		contexts[name] = context
		connection, err := kubeconfig.Connect(context, name, kube.SourceContext, opts)
		if err != nil {
			return nil, err
		}
		connections = append(connections, connection)
	}
	return connections, nil
}

// words returns the flags as on a command line.
func (f *worldFlags) words() []string {
	var words []string
	for _, name := range f.filenames {
		words = append(words, "-f", name)
	}
	if f.recursive && len(f.filenames) > 0 {
		words = append(words, "-R")
	}
	for _, context := range f.contexts {
		words = append(words, "--clusters", context)
	}
	return append(words, f.kube.words()...)
}

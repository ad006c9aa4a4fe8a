package cmdutil

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// Load reads all sources and combines them. If two sources have the same object, the error
// names both, but freshly discovered objects replace those of the same clusters in the
// management cluster.
func (f *WorldFlags) Load(ctx context.Context, namespace string, stdin io.Reader) (world.Objects, error) {
	validator := validation.New()
	var objects world.Objects
	if len(f.Filenames) > 0 {
		files, err := load.Files(ctx, load.FileOptions{
			Paths: f.Filenames, Recursive: f.Recursive, Stdin: stdin, DefaultNamespace: namespace, MaxObjects: f.MaxObjects, Secrets: f.Secrets,
		}, validator)
		if err != nil {
			return objects, err
		}
		objects = files
	}
	if f.FromManagement() {
		stored, err := f.loadManagement(ctx, cmp.Or(f.home, namespace), validator)
		if err != nil {
			return objects, err
		}
		if objects, err = load.Combine(objects, stored); err != nil {
			return objects, err
		}
	}
	if len(f.Contexts) == 0 {
		return objects, nil
	}
	connections, err := f.Discovered()
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

func (f *WorldFlags) loadManagement(ctx context.Context, home string, validator *validation.Validator) (world.Objects, error) {
	management, err := f.Kube.Management()
	if errors.Is(err, kube.ErrNoKubeconfig) && !f.needsClusters {
		return world.Objects{}, cli.Usagef("no manifests given, and %w; use --filename to work without a cluster", err)
	}
	if err != nil {
		return world.Objects{}, err
	}
	objects, err := load.Management(ctx, load.ManagementOptions{Connection: management, Home: home}, validator)
	f.Kube.home, f.Kube.unread = home, nil
	unread := slices.IndexFunc(objects.Problems, func(p world.Problem) bool {
		return p.Kind == world.UnusableCluster || p.Kind == world.UnlistedKind && p.HidesInput()
	})
	if unread >= 0 {
		f.Kube.unread = &objects.Problems[unread]
	}
	return objects, err
}

// PolicyNamespaces returns the namespaces of the management cluster from which
// policies take effect: that of meshctl's resources, and those that it lists. The
// world must have been loaded.
func (f *WorldFlags) PolicyNamespaces(ctx context.Context) (home string, listed []string, err error) {
	management, err := f.Kube.Management()
	if err != nil {
		return f.Kube.home, nil, err
	}
	ctx, stop := context.WithTimeout(ctx, kube.DefaultDeadline)
	defer stop()
	listed, err = kube.ReadPolicyNamespaces(ctx, management, f.Kube.home)
	if kube.IsReason(err, kube.ReasonNotFound) {
		err = nil // there is nothing that could list any
	}
	return f.Kube.home, listed, err
}

// Unread returns the error of the management cluster if the loaded world lacks what
// is there; nil if it was read.
func (f *WorldFlags) Unread() error {
	if f.Kube == nil || f.Kube.unread == nil {
		return nil
	}
	return errors.New(ProblemText(*f.Kube.unread))
}

// Discovered returns the connections to the clusters to discover.
func (f *WorldFlags) Discovered() ([]*kube.Connection, error) {
	opts, err := f.Kube.Options()
	if err != nil {
		return nil, err
	}
	kubeconfig, err := kube.LoadKubeconfig(f.Kube.KubeconfigPath())
	if err != nil {
		return nil, err
	}
	var connections []*kube.Connection
	contexts := map[string]string{}
	for _, text := range f.Contexts {
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

// Words returns the flags as command-line arguments.
func (f *WorldFlags) Words() []string {
	var words []string
	for _, name := range f.Filenames {
		words = append(words, "-f", name)
	}
	if f.Recursive && len(f.Filenames) > 0 {
		words = append(words, "-R")
	}
	for _, context := range f.Contexts {
		words = append(words, "--clusters", context)
	}
	return append(words, f.Kube.Words()...)
}

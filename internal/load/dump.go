package load

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/world"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// DuplicateObject is the problem that files show an object twice.
const DuplicateObject world.ProblemKind = "DuplicateObject"

// DumpOptions selects the files that show a cluster.
type DumpOptions struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Paths are files or directories, which are read with all that is below them;
	// "-" is Stdin. They hold YAML or JSON, such as `kubectl get -o yaml` and
	// `kubectl cluster-info dump` write it.
	Paths []string
	Stdin io.Reader
	// ManagementNamespace is that of the results; world.DefaultNamespace if empty.
	ManagementNamespace string
	// Settings say how gateways are recognised; nil for the defaults.
	Settings *settingsv1.Settings
	// MaxObjects limits the objects of all paths together; world.DefaultMaxObjects if 0.
	MaxObjects int
}

// Dump is what was discovered in the files of one cluster.
type Dump struct {
	Output meshdiscovery.Output
	// Problems are what could not be read, and what the files do not show. They
	// have no notes of discovery.
	Problems []world.Problem
	// Ignored counts the objects of other kinds.
	Ignored int
}

// DiscoverDump looks at what ran in a cluster when the files were written. They
// are read piece by piece, and of their objects only those that discovery
// looks at are kept. What cannot be read becomes a Problem that hides input. The
// error is for paths that cannot be read at all, and for the end of ctx.
func DiscoverDump(ctx context.Context, opts DumpOptions) (Dump, error) {
	files, err := findManifests(opts.Paths, true)
	if err != nil {
		return Dump{}, err
	}
	raw := &rawObjects{count: map[string]int{}}
	kinds, err := raw.kinds()
	if err != nil {
		return Dump{}, err
	}
	l := newLoader(FileOptions{Stdin: opts.Stdin, DefaultNamespace: corev1.NamespaceDefault, MaxObjects: opts.MaxObjects}, trusting{}, kinds)
	read, err := l.load(ctx, files)
	if err != nil {
		return Dump{}, err
	}
	dump := Dump{Problems: read.objects.Problems, Ignored: read.objects.Ignored}
	for i := range dump.Problems {
		// An object that does not fit its kind is missing like one that was cut off.
		if p := &dump.Problems[i]; p.Kind == world.SchemaViolation {
			p.LeftOut = true
		}
	}
	origin := world.Origin{File: strings.Join(opts.Paths, ", ")}
	if len(read.duplicates) > 0 {
		dump.Problems = append(dump.Problems, world.Problem{
			Kind: DuplicateObject, Origin: origin,
			Message: fmt.Sprintf("%d there twice, of which the first counts; for one, %s", len(read.duplicates), read.duplicates[0]),
		})
	}
	dump.Problems = append(dump.Problems, raw.missing(origin)...)
	raw.input.Cluster = opts.Cluster
	raw.input.Settings = opts.Settings
	raw.input.ManagementNamespace = opts.ManagementNamespace
	if raw.input.ManagementNamespace == "" {
		raw.input.ManagementNamespace = world.DefaultNamespace
	}
	dump.Output = meshdiscovery.Discover(raw.input)
	return dump, nil
}

// missing says which of the kinds that every cluster has objects of the files
// do not show.
func (r *rawObjects) missing(origin world.Origin) []world.Problem {
	if len(r.count) == 0 {
		return []world.Problem{{
			Kind: world.UnlistedKind, Origin: origin, LeftOut: true, Message: "no objects about meshes found",
			Hint: "write the objects of the cluster to it, as 'meshctl discover --help' shows",
		}}
	}
	var problems []world.Problem
	for _, kind := range meshdiscovery.Kinds() {
		mayBeNone := kind.Optional || slices.Contains([]string{"DaemonSet", "StatefulSet"}, kind.Kind)
		if mayBeNone || r.count[kind.Kind] > 0 {
			continue
		}
		problems = append(problems, world.Problem{
			Kind: world.UnlistedKind, Origin: origin, Message: "no objects of kind " + kind.Kind + "; not known: " + kind.Without,
			Hint: "add the " + kind.Resource + " of all namespaces to the files",
		})
	}
	return problems
}

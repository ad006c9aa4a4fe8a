package load

import (
	"cmp"
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

// DuplicateObject is the problem that an object occurs more than once in the files.
const DuplicateObject world.ProblemKind = "DuplicateObject"

// DumpOptions selects the files with the objects of a cluster.
type DumpOptions struct {
	// Cluster is the name of the cluster.
	Cluster string
	// Paths are files, directories (read recursively), or "-" for Stdin. They hold YAML or JSON
	// as written by `kubectl get -o yaml` or `kubectl cluster-info dump`.
	Paths []string
	Stdin io.Reader
	// ManagementNamespace is the namespace of the results; world.DefaultNamespace if empty.
	ManagementNamespace string
	// Settings determine how gateways are recognised. If it is nil, Settings among the
	// files do, else the defaults.
	Settings *settingsv1.Settings
	// MaxObjects limits the objects of all paths together; world.DefaultMaxObjects if 0.
	MaxObjects int
}

// Dump is the result of discovering one cluster from files.
type Dump struct {
	Output meshdiscovery.Output
	// Problems are files and objects that could not be read, and kinds that the files lack.
	// Notes of discovery are not included.
	Problems []world.Problem
	// Ignored counts the objects of kinds that discovery does not use.
	Ignored int
}

// DiscoverDump discovers a cluster from files with its objects. It reads them piece by piece
// and keeps only the objects that discovery uses. A file or object that cannot be read becomes
// a Problem that hides input. It returns an error if one of the paths cannot be read at all,
// or if ctx ends.
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
	kinds.modelled = append(kinds.modelled, settingsKind())
	l := newLoader(FileOptions{Stdin: opts.Stdin, DefaultNamespace: corev1.NamespaceDefault, MaxObjects: opts.MaxObjects}, acceptAll{}, kinds)
	read, err := l.load(ctx, files)
	if err != nil {
		return Dump{}, err
	}
	dump := Dump{Problems: read.objects.Problems, Ignored: read.objects.Ignored}
	for i := range dump.Problems {
		// To discovery, an object that does not fit its kind is the same as a missing one.
		if p := &dump.Problems[i]; p.Kind == world.SchemaViolation {
			p.LeftOut = true
		}
	}
	origin := world.Origin{File: strings.Join(opts.Paths, ", ")}
	if len(read.duplicates) > 0 {
		dump.Problems = append(dump.Problems, world.Problem{
			Kind: DuplicateObject, Origin: origin,
			Message: fmt.Sprintf("duplicate objects: %d; only the first of each is used (for example, %s)", len(read.duplicates), read.duplicates[0]),
		})
	}
	dump.Problems = append(dump.Problems, raw.missing(origin)...)
	raw.input.Cluster = opts.Cluster
	raw.input.Settings = cmp.Or(opts.Settings, world.SettingsOf(read.objects))
	raw.input.ManagementNamespace = opts.ManagementNamespace
	if raw.input.ManagementNamespace == "" {
		raw.input.ManagementNamespace = world.DefaultNamespace
	}
	dump.Output = meshdiscovery.Discover(raw.input)
	return dump, nil
}

// missing returns a problem for each kind that every cluster has but the files lack.
func (r *rawObjects) missing(origin world.Origin) []world.Problem {
	if len(r.count) == 0 {
		return []world.Problem{{
			Kind: world.UnlistedKind, Origin: origin, LeftOut: true, Message: "no objects found that discovery reads",
			Hint: "dump the objects of the cluster as shown in 'meshctl discover --help'",
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

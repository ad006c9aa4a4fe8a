package commands

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/testkit/hostile"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// hostileViews are the uses of each command that show what is in a world or a cluster,
// without the output format; none for commands that show nothing of it.
func hostileViews() map[string][]string {
	const manifests = " -f MANIFESTS"
	views := map[string][]string{
		"apply":                 {"--dry-run=client", "--dry-run=client --diff -o table"},
		"check":                 {"", "configuration" + manifests},
		"cluster deregister":    nil, // it shows names of the command line, and those of cluster list
		"cluster list":          {""},
		"cluster register":      nil,
		"cluster rotate-token":  nil,
		"completion bash":       nil,
		"completion fish":       nil,
		"completion powershell": nil,
		"completion zsh":        nil,
		"config path":           nil,
		"config set":            nil,
		"config unset":          nil,
		"config view":           nil,
		"create accesspolicy":   {"evil --source any --dry-run=client" + manifests},
		"create trafficpolicy":  {"evil --timeout 3s --dry-run=client" + manifests},
		"create virtualmesh":    {"evil --mesh a.gloo-mesh --trust shared --dry-run=client" + manifests},
		"describe cluster":      {manifests, "--details" + manifests},
		"diff":                  {manifests, "-v" + manifests},
		"discover":              {"--contexts mgmt --dry-run=client", "--contexts mgmt -o yaml"},
		"install":               nil, // it shows what meshctl itself writes
		"mesh list":             {manifests, "--needs-restart"},
		"mesh restart":          {"--all --dry-run"},
		"render istio":          {manifests, "--explain --accept-loss" + manifests},
		"trust issue":           nil, // they are about one virtual mesh, whose name is typed
		"trust rollback":        nil,
		"trust rotate":          nil,
		"trust status":          {""},
		"trust verify":          nil,
		"uninstall":             nil,
		"version":               {""},
	}
	for _, noun := range []string{"workload", "destination", "mesh", "virtualmesh", "trafficpolicy", "accesspolicy"} {
		views["describe "+noun] = []string{manifests, "--details" + manifests}
		if slices.Contains([]string{"workload", "mesh", "virtualmesh"}, noun) {
			views["describe "+noun] = append(views["describe "+noun], "--trust --context mgmt")
		}
		if slices.Contains([]string{"virtualmesh", "trafficpolicy", "accesspolicy"}, noun) {
			views["describe "+noun] = append(views["describe "+noun], "--status"+manifests)
		}
	}
	return views
}

// TestHostileViews walks over the views of all commands in all formats, with hostile
// text in all strings of manifests and of clusters. Nothing of it reaches a terminal
// as it is, no line is forged, and documents stay valid.
func TestHostileViews(t *testing.T) {
	t.Parallel()
	views := hostileViews()
	var leaves []string
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		if _, path, found := strings.Cut(cmd.CommandPath(), " "); found && cmd.Runnable() && !cmd.HasSubCommands() && !cmd.Hidden && cmd.Name() != "help" {
			leaves = append(leaves, path)
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRootCmd(cmdutil.NewFactory(cli.Discard())))
	for _, leaf := range leaves {
		if _, known := views[leaf]; !known {
			t.Errorf("the views of %s are not tested", leaf)
		}
	}
	for _, attack := range []struct {
		name       string
		seed       uint64
		everything bool
		long       int
	}{{"everything", 0, true, 0}, {"long strings", 2, false, 10_000}} {
		objects := randomworld.Objects(rand.New(rand.NewPCG(attack.seed, 1)))
		hostile.New(rand.New(rand.NewPCG(attack.seed, 2)), attack.everything).Long(attack.long).Change(&objects)
		manifests, kubeconfig := hostileInput(t, objects)
		for command, uses := range views {
			for _, use := range uses {
				t.Run(attack.name+" "+command+" "+use, func(t *testing.T) {
					t.Parallel()
					args := strings.Fields(command + " " + strings.ReplaceAll(use, "MANIFESTS", manifests))
					target, _, err := newRootCmd(cmdutil.NewFactory(cli.Discard())).Find(args)
					if err != nil {
						t.Fatal(err)
					}
					if target.Flags().Lookup("kubeconfig") != nil {
						args = append(args, "--kubeconfig", kubeconfig)
					}
					formats := []string{""}
					switch chooses := target.Flags().Lookup("output") != nil && !strings.Contains(use, "-o "); {
					case chooses && attack.everything:
						formats = []string{"table", "wide", "json", "yaml", "name"}
					case chooses:
						formats = []string{"table", "yaml"}
					}
					for _, format := range formats {
						hostileRun(t, args, format, map[bool]int{true: 80}[format == "table" && !attack.everything], objects)
					}
				})
			}
		}
	}
}

// hostileRun runs a command in a format, on a terminal if there is a width.
func hostileRun(t *testing.T, args []string, format string, width int, objects world.Objects) {
	t.Helper()
	streams, out, errOut := cli.Test("")
	streams.Color = cli.ColorNever
	if width > 0 {
		streams.SetWidth(width)
		streams.ErrTerminal = false // nobody waits
	}
	f := cmdutil.NewFactory(streams)
	load := f.LoadWorld
	f.LoadWorld = func(ctx context.Context, flags cmdutil.WorldFlags, stdin io.Reader) (*world.World, error) {
		if len(flags.Filenames) > 0 {
			return world.New(objects), nil
		}
		return load(ctx, flags, stdin)
	}
	if format != "" {
		args = append(slices.Clone(args), "-o", format)
	}
	run(t.Context(), args, f)
	if strings.Contains(errOut.String(), "See 'meshctl ") {
		t.Errorf("meshctl %q is not a command: %s", args, short(errOut.String()))
	}
	if problem := hostile.Harm(errOut.String(), true); problem != "" {
		t.Errorf("as %s, standard error has %s", format, short(problem))
	}
	switch {
	case format == "json":
		if out.Len() > 0 && !json.Valid(out.Bytes()) {
			t.Errorf("it is not valid JSON:\n%s", short(out.String()))
		}
	case format == "yaml" || strings.Contains(strings.Join(args, " "), "-o yaml"):
		for document := range strings.SplitSeq(out.String(), "\n---\n") {
			var value any
			if err := yaml.Unmarshal([]byte(document), &value); err != nil {
				t.Errorf("it is not valid YAML: %v", err)
			}
		}
	default:
		if problem := hostile.Harm(out.String(), width == 0); problem != "" {
			t.Errorf("as %s at %d columns, it has %s", format, width, short(problem))
		}
		return
	}
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
		t.Errorf("as %s, it has a control character: %q", format, short(out.String()[i:]))
	}
}

// short is the beginning of a text.
func short(text string) string { return text[:min(len(text), 300)] }

// hostileInput writes the objects to a file of manifests, and serves them as a
// management cluster.
func hostileInput(t *testing.T, objects world.Objects) (manifests, kubeconfig string) {
	t.Helper()
	lists := map[string][]any{}
	var documents []any
	add := func(plural, version, kind string, resource any) {
		text, err := json.Marshal(resource)
		object := map[string]any{}
		if err = errors.Join(err, json.Unmarshal(text, &object)); err != nil {
			t.Fatal(err)
		}
		object["apiVersion"], object["kind"] = version, kind
		lists[plural], documents = append(lists[plural], object), append(documents, object)
	}
	for _, o := range objects.Meshes {
		add("meshes", "discovery.mesh.gloo.solo.io/v1", "Mesh", o.Resource)
	}
	for _, o := range objects.Workloads {
		add("workloads", "discovery.mesh.gloo.solo.io/v1", "Workload", o.Resource)
	}
	for _, o := range objects.Destinations {
		add("destinations", "discovery.mesh.gloo.solo.io/v1", "Destination", o.Resource)
	}
	for _, o := range objects.VirtualMeshes {
		add("virtualmeshes", "networking.mesh.gloo.solo.io/v1", "VirtualMesh", o.Resource)
	}
	for _, o := range objects.TrafficPolicies {
		add("trafficpolicies", "networking.mesh.gloo.solo.io/v1", "TrafficPolicy", o.Resource)
	}
	for _, o := range objects.AccessPolicies {
		add("accesspolicies", "networking.mesh.gloo.solo.io/v1", "AccessPolicy", o.Resource)
	}
	for _, o := range objects.KubernetesClusters {
		add("kubernetesclusters", "multicluster.solo.io/v1alpha1", "KubernetesCluster", o.Resource)
	}
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": documents})
	manifests = filepath.Join(t.TempDir(), "world.json")
	if err = errors.Join(err, os.WriteFile(manifests, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	return manifests, (&managementAPI{installed: true, lists: lists, version: "v1.36.0" + hostile.Text}).start(t, "mgmt")
}

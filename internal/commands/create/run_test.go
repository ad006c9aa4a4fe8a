package create

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/wizard/wizardtest"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// creating is an invocation of `meshctl create virtualmesh` with a world from the management
// cluster.
type creating struct {
	*options[render.VirtualMeshInput, *networkingv1.VirtualMesh]
	out, errOut interface{ String() string }
	// loaded counts how often the management cluster was read.
	loaded int
}

func newCreating(t *testing.T, terminal bool, dryRun, save string, flags ...string) *creating {
	t.Helper()
	streams, out, errOut := cli.Test("")
	streams.InTerminal, streams.OutTerminal, streams.ErrTerminal = terminal, terminal, terminal
	c := &creating{out: out, errOut: errOut}
	c.options = &options[render.VirtualMeshInput, *networkingv1.VirtualMesh]{
		streams: streams, clock: func() time.Time { return time.Unix(0, 0) }, creation: virtualMeshCreation(),
		prompter: func(context.Context) wizard.Prompter {
			t.Error("something is asked")
			return nil
		},
		load: func(ctx context.Context, _ cmdutil.WorldFlags, stdin io.Reader) (*world.World, error) {
			c.loaded++
			files := cmdutil.WorldFlags{Filenames: []string{"../../../testdata/worlds/bookinfo-two-clusters/meshes.yaml"}}
			objects, err := files.Load(ctx, world.DefaultNamespace, stdin)
			return world.New(objects), err
		},
		world: cmdutil.WorldFlags{Kube: cmdutil.NewKubeFlags(cmdutil.NewFactory(streams))},
		save:  save, dryRun: cmdutil.NewEnumValue(dryRun, dryRunNone, dryRunClient), format: cmdutil.NewOutput(""),
	}
	for _, flag := range flags {
		if name, value, found := strings.Cut(flag, "="); found {
			c.arguments = append(c.arguments, render.Argument{Name: name, Value: value})
		} else {
			c.name = name
		}
	}
	return c
}

// A dry run and --save contact no cluster if no value is missing or there is no terminal.
func TestOffline(t *testing.T) {
	t.Parallel()
	complete := []string{"prod", "mesh=istiod-istio-system-east"}
	for _, tt := range []struct {
		name     string
		terminal bool
		save     bool
		flags    []string
		want     string // expected error
	}{
		{"complete, on a terminal", true, false, complete, ""},
		{"complete, without one", false, false, complete, ""},
		{"saved, on a terminal", true, true, complete, ""},
		{"incomplete, without a terminal", false, false, complete[:1], "missing: --mesh"},
		{"saved and incomplete, without a terminal", false, true, complete[:1], "missing: --mesh"},
		{"a bad flag, on a terminal", true, false, []string{"federate=nothing-like-it"}, "--federate"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dryRun, save := dryRunClient, ""
			if tt.save {
				dryRun, save = dryRunNone, t.TempDir()+"/prod.yaml"
			}
			c := newCreating(t, tt.terminal, dryRun, save, tt.flags...)
			err := c.run(t.Context())
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if c.loaded != 0 {
				t.Errorf("the management cluster was read %d times", c.loaded)
			}
		})
	}
}

// On a terminal, a dry run and --save ask for missing values. The prompts offer objects of the
// management cluster, and nothing is written to it.
func TestQuestionsOfADryRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, dryRun, save string
		// command is the end of the equivalent command.
		command string
	}{
		{"--dry-run=client", dryRunClient, "", "--dry-run=client\n"},
		{"--save", dryRunNone, "prod.yaml", "--dry-run=client\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCreating(t, true, tt.dryRun, tt.save)
			stub := wizardtest.New(t,
				wizardtest.Type("Name of the virtual mesh:", "prod"), wizardtest.Default("Which meshes?"),
				wizardtest.Default("Which services do you want to federate?"), wizardtest.Default("Default access for services"),
				wizardtest.Default("Anything else?"), wizardtest.Select("What now?", "Print it"),
			)
			c.prompter = func(context.Context) wizard.Prompter { return stub }
			if err := c.run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if c.loaded != 1 {
				t.Errorf("the management cluster was read %d times", c.loaded)
			}
			screens := stub.Screens()
			var actions []string
			for _, option := range screens[len(screens)-1].Options {
				actions = append(actions, option.Label)
			}
			want := []string{"Save it", "Save as", "Print it", "Change answers", "Edit the YAML", "Cancel"}
			if diff := cmp.Diff(want, actions); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if got := c.out.String(); !strings.Contains(got, "- name: istiod-istio-system-west\n") {
				t.Errorf("the manifest:\n%s", got)
			}
			if got := c.errOut.String(); !strings.HasSuffix(got, tt.command) {
				t.Errorf("the equivalent command does not end with %q:\n%s", tt.command, got)
			}
		})
	}
}

// Without a cluster, the error says what is missing and what to do.
func TestQuestionsWithoutACluster(t *testing.T) {
	t.Parallel()
	c := newCreating(t, true, dryRunClient, "", "prod")
	c.load = func(context.Context, cmdutil.WorldFlags, io.Reader) (*world.World, error) {
		return nil, cli.Usagef("no manifests given, and %w; use --filename to work without a cluster", kube.ErrNoKubeconfig)
	}
	err := c.run(t.Context())
	const want = "missing: --mesh\nno manifests given, and no kubeconfig found; use --filename to work without a cluster"
	var usage *cli.UsageError
	if err == nil || err.Error() != want || !errors.As(err, &usage) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

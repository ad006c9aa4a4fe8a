package commands

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/world"
)

// TestCompletionGivesUp checks that completion offers nothing, in time and silently, if the
// world hangs or fails to load.
func TestCompletionGivesUp(t *testing.T) {
	t.Parallel()
	const hanging = time.Minute // time of the fake clock
	tests := []struct {
		name string
		load cmdutil.WorldLoader
		want time.Duration
	}{
		{
			name: "hangs", want: 2 * time.Second,
			load: func(ctx context.Context, _ cmdutil.WorldFlags, _ io.Reader) (*world.World, error) {
				time.Sleep(hanging) // a hanging loader may ignore its context
				return nil, ctx.Err()
			},
		},
		{
			name: "stops at the deadline", want: 2 * time.Second,
			load: func(ctx context.Context, _ cmdutil.WorldFlags, _ io.Reader) (*world.World, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		},
		{
			name: "fails",
			load: func(context.Context, cmdutil.WorldFlags, io.Reader) (*world.World, error) {
				return nil, errors.New("no such file")
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				streams, out, errOut := cli.Test("")
				f := cmdutil.NewFactory(streams)
				f.LoadWorld = tt.load
				start := time.Now()
				code := run(t.Context(), []string{"__complete", "describe", "workload", "-f", "x", ""}, f)
				if took := time.Since(start); took != tt.want {
					t.Errorf("it took %v, want %v", took, tt.want)
				}
				if code != cli.ExitOK || out.String() != ":4\n" {
					t.Errorf("exit code %d and output %q, want %d and only the directive", code, out.String(), cli.ExitOK)
				}
				if got := errOut.String(); got != "Completion ended with directive: ShellCompDirectiveNoFileComp\n" {
					t.Errorf("standard error = %q", got)
				}
				time.Sleep(hanging)
			})
		})
	}
}

// TestCompletionLoadsOnce checks what an incomplete command line loads.
func TestCompletionLoadsOnce(t *testing.T) {
	t.Parallel()
	streams, _, _ := cli.Test("typed by a person")
	f := cmdutil.NewFactory(streams)
	var loaded []cmdutil.WorldFlags
	f.LoadWorld = func(_ context.Context, flags cmdutil.WorldFlags, stdin io.Reader) (*world.World, error) {
		flags.Kube = nil // the cluster does not matter here
		loaded = append(loaded, flags)
		if text, err := io.ReadAll(stdin); err != nil || len(text) > 0 {
			t.Errorf("standard input is read: %q, %v", text, err)
		}
		return world.New(world.Objects{}), nil
	}
	run(t.Context(), []string{"__complete", "describe", "mesh", "-f", "a,b", "-Rf", "a", "-f", "-", ""}, f)
	want := []cmdutil.WorldFlags{{Filenames: []string{"a", "b"}, Recursive: true, MaxObjects: world.DefaultMaxObjects}}
	if diff := cmp.Diff(want, loaded, cmp.AllowUnexported(cmdutil.WorldFlags{})); diff != "" {
		t.Errorf("worlds loaded (-want +got):\n%s", diff)
	}
}

// TestCompleteFromWorld completes command lines in the bundled world.
func TestCompleteFromWorld(t *testing.T) {
	t.Parallel()
	streams, _, _ := cli.Test("")
	w, err := cmdutil.NewFactory(streams).LoadWorld(t.Context(), cmdutil.WorldFlags{Filenames: []string{bookinfo}, Recursive: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, args string
		// want are some of the choices, never are texts that must not occur.
		want, never []string
		// all is true if there must be no other choices.
		all bool
		// directive is the completion directive; ":4" (without files) if empty.
		directive string
	}{
		{name: "workloads", args: "describe workload -f x |", want: []string{"productpage-v1.bookinfo.west\tDeployment in mesh istiod-istio-system-west"}},
		{name: "destinations", args: "describe destination -f x |", want: []string{"reviews.bookinfo.east\tService on port 9080"}},
		{
			name: "meshes", args: "describe mesh -f x |",
			want: []string{"istiod-istio-system-east.gloo-mesh\tistio 1.26.2 on east, in virtual mesh bookinfo.gloo-mesh"},
		},
		{name: "virtual meshes", args: "describe vm -f x |", want: []string{"bookinfo.gloo-mesh\tACCEPTED, lists 2 meshes"}, all: true},
		{name: "traffic policies", args: "describe tp -f x |", want: []string{"reviews-timeout-storefront.gloo-mesh\tINVALID, effective on 0 destinations"}},
		{name: "access policies", args: "describe ap -f x |", want: []string{"health-checks-east.gloo-mesh\teffective on 4 destinations"}},
		{name: "clusters", args: "describe cluster -f x |", want: []string{"east\tregistered", "west\tregistered"}, all: true},
		{
			name: "not what is named, in whatever form", never: []string{"productpage", "ratings-v1.bookinfo.east"},
			args: "describe workload -f x productpage-v1.bookinfo.east productpage-v1.bookinfo.west deployment/ratings-v1.bookinfo.east |",
			want: []string{"ratings-v1.bookinfo.west\tDeployment in mesh istiod-istio-system-west"},
		},
		{
			name: "only what passes the filters", args: "describe workload -f x -n istio-system --cluster east |",
			want: []string{"istio-ingressgateway.istio-system.east\tDeployment in mesh istiod-istio-system-east"}, all: true,
		},
		{
			name: "behind a kind", args: "describe workload -f x Deployment/prod|",
			want: []string{"Deployment/productpage-v1.bookinfo.east\tDeployment in mesh istiod-istio-system-east"},
		},
		{name: "behind a kind that there is not", args: "describe workload -f x job/prod|", all: true},
		{name: "namespaces", args: "describe workload -f x -n |", want: []string{"bookinfo\t9 workloads", "istio-system\t2 workloads"}, all: true},
		{name: "clusters of a flag", args: "describe workload -f x --cluster=|", want: []string{"east\t6 workloads", "west\t5 workloads"}, all: true},
		{name: "clusters of a list", args: "describe workload -f x --cluster west,ea|", want: []string{"west,east\t6 workloads"}, all: true},
		{name: "clusters of another flag", args: "describe workload -f x --cluster west --cluster |", want: []string{"east\t6 workloads"}, all: true},
		{
			name: "half-typed flags", args: "describe vm -f x -o jsn --nonsense --details=perhaps |",
			want: []string{"bookinfo.gloo-mesh\tACCEPTED, lists 2 meshes"}, all: true,
		},
		{name: "a service", args: "create tp -f x --destination |", want: []string{"reviews.bookinfo.east\tService on port 9080"}},
		{name: "a port", args: "create tp -f x --shift reviews.bookinfo.east:|", want: []string{"reviews.bookinfo.east:9080\thttp"}, all: true},
		{
			name: "labels of a subset", args: "create tp -f x --shift reviews.bookinfo.west:9080@|", all: true,
			want: []string{"reviews.bookinfo.west:9080@app=reviews\tof reviews-v3", "reviews.bookinfo.west:9080@version=v3\tof reviews-v3"},
		},
		{
			name: "more labels of a subset", args: "create tp -f x --shift reviews.bookinfo.east@app=reviews,v|", all: true,
			want: []string{"reviews.bookinfo.east@app=reviews,version=v1\tof reviews-v1", "reviews.bookinfo.east@app=reviews,version=v2\tof reviews-v2"},
		},
		{name: "a service that has no subsets to mirror to", args: "create tp -f x --mirror reviews.bookinfo.east@|", want: []string{"details.bookinfo.east\tService on port 9080"}},
		{
			name: "objects to delete", args: "diff --base x --delete |", never: []string{"workload/", "tp/"},
			want: []string{"virtualmesh/bookinfo.gloo-mesh\tACCEPTED, lists 2 meshes", "accesspolicy/health-checks-east.gloo-mesh\teffective on 4 destinations"},
		},
		{
			name: "objects to delete, by an alias and in a list", args: "diff --base x --delete vm/other,vm/|", all: true,
			want: []string{"vm/other,vm/bookinfo.gloo-mesh\tACCEPTED, lists 2 meshes"},
		},
		{name: "objects to delete of a kind that there is not", args: "diff --base x --delete workload/|", all: true},
		{
			name: "keys of labels", args: "describe workload -f x -l |", directive: ":6", all: true,
			want: []string{"app=\t11 workloads", "istio=\t2 workloads", "release=\t2 workloads", "service.istio.io/canonical-name=\t2 workloads", "version=\t9 workloads"},
		},
		{
			name: "values of a label", args: "describe workload -f x -l version=|", all: true,
			want: []string{"version=v1\t7 workloads", "version=v2\t1 workload", "version=v3\t1 workload"},
		},
		{
			name: "values of another label that is not wanted", args: "describe workload -f x --selector=app=reviews,istio!=|", all: true,
			want: []string{"app=reviews,istio!=ingressgateway\t2 workloads"},
		},
		{name: "labels of virtual meshes that have none", args: "describe vm -f x -l |", directive: ":6", all: true},
		{
			name: "terms", args: "create tp -f x --source namespace=bookinfo,|", all: true,
			want: []string{"namespace=bookinfo,namespace=istio-system", "namespace=bookinfo,cluster=east", "namespace=bookinfo,cluster=west"},
		},
		{name: "terms in quotes", args: `create tp -f x --source label:a="b,|`, all: true},
		{
			name: "service accounts", args: "create ap -f x --source |",
			want: []string{"service-account=bookinfo-productpage.bookinfo.east\tof productpage-v1", "namespace=bookinfo"},
		},
		{name: "meshes of a virtual mesh", args: "create vm -f x --mesh |", want: []string{"istiod-istio-system-west.gloo-mesh\tistio 1.26.2 on west, in virtual mesh bookinfo.gloo-mesh"}},
		{name: "choices of a flag", args: "create vm --trust |", want: []string{"shared", "limited", "none"}, all: true},
		{
			name: "flags that may be repeated", args: "create tp --destination a --timeout 1s --|",
			want: []string{"--destination\ta Service that the policy applies to; all Services if no destination is given; repeatable"}, never: []string{"--timeout\t", "`"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, out, _ := cli.Test("")
			f := cmdutil.NewFactory(streams)
			f.LoadWorld = func(context.Context, cmdutil.WorldFlags, io.Reader) (*world.World, error) { return w, nil }
			line, _ := strings.CutSuffix(tt.args, "|")
			if code := run(t.Context(), append([]string{"__complete"}, strings.Split(line, " ")...), f); code != cli.ExitOK {
				t.Fatalf("exit code = %d", code)
			}
			choices := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			directive := choices[len(choices)-1]
			choices = choices[:len(choices)-1]
			wanted := tt.directive
			if wanted == "" {
				wanted = ":4"
			}
			if directive != wanted {
				t.Errorf("directive = %s, want %s", directive, wanted)
			}
			for _, want := range tt.want {
				if !slices.Contains(choices, want) {
					t.Errorf("%q is not offered, but\n%s", want, out)
				}
			}
			for _, never := range tt.never {
				if strings.Contains(out.String(), never) {
					t.Errorf("%q is offered:\n%s", never, out)
				}
			}
			if tt.all && len(choices) != len(tt.want) {
				t.Errorf("more is offered than %q:\n%s", tt.want, out)
			}
		})
	}
}

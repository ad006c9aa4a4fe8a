//go:build linux

// Lab keeps a mesh running on this machine to try things by hand: hack/lab/lab.sh
// starts and stops it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/meshctl/meshctl/hack/lab/machine"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

func main() {
	machine.Intercept()
	options := mesh.Options{Log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }}
	flag.StringVar(&options.KubeAssets, "kube", "", "directory that hack/kube/build.sh prints")
	flag.StringVar(&options.Programs, "programs", "", "directory that hack/lab/build.sh prints")
	flag.StringVar(&options.Meshctl, "meshctl", "", "meshctl")
	flag.StringVar(&options.Dir, "dir", "", "directory for everything that is written")
	flag.Parse()
	code, err := machine.Isolate(func() int { return up(options) }, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	os.Exit(code)
}

func up(options mesh.Options) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, options); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	return 0
}

func run(ctx context.Context, options mesh.Options) error {
	world, err := worldgen.Bundled(os.Getenv("ROOT"))
	if err != nil {
		return err
	}
	options.Clusters = mesh.OptionsOf(&world)
	l, err := mesh.Start(ctx, options)
	if err != nil {
		return err
	}
	defer l.Stop()
	options.Log("clusters are up")
	if err := l.Manage(ctx); err != nil {
		return err
	}
	options.Log("managed")
	if err := l.Deploy(ctx, &world); err != nil {
		options.Log("%v", err)
	}
	fmt.Println("up", filepath.Join(options.Dir, "kubeconfig"))
	<-ctx.Done()
	return nil
}

//go:build linux

// Lab keeps a mesh running on this machine to try things by hand. hack/lab/lab.sh
// builds it, keeps it in the background, and stops it.
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

const usage = `usage:
  lab up -dir DIR -kube DIR -programs DIR -meshctl FILE -root DIR
  lab exec -dir DIR WORKLOAD.NAMESPACE.CLUSTER COMMAND [ARGUMENT...]
`

func main() {
	machine.Intercept()
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return 2, nil
	}
	var options mesh.Options
	flags := flag.NewFlagSet("lab", flag.ExitOnError)
	flags.StringVar(&options.Dir, "dir", "", "directory for everything that is written")
	flags.StringVar(&options.KubeAssets, "kube", "", "directory that hack/kube/build.sh prints")
	flags.StringVar(&options.Programs, "programs", "", "directory that hack/lab/build.sh prints")
	flags.StringVar(&options.Meshctl, "meshctl", "", "meshctl")
	root := flags.String("root", ".", "the repository")
	if err := flags.Parse(args[1:]); err != nil {
		return 2, err
	}
	switch args[0] {
	case "up":
		options.Log = func(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }
		return machine.Isolate(
			func() int { return report(up(options, *root)) },
			func(pid int) { report(forwardAll(options.Dir, pid)) },
		)
	case "exec":
		if flags.NArg() < 2 {
			fmt.Fprint(os.Stderr, usage)
			return 2, nil
		}
		return execute(options.Dir, flags.Arg(0), flags.Args()[1:])
	default:
		fmt.Fprint(os.Stderr, usage)
		return 2, nil
	}
}

// report prints an error and returns the exit code that it means.
func report(err error) int {
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		return 1
	}
	return 0
}

// up runs the bundled world until it is interrupted. The file servers appears
// in the directory when everything is ready.
func up(options mesh.Options, root string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	world, err := worldgen.Bundled(root)
	if err != nil {
		return err
	}
	options.Clusters = mesh.OptionsOf(&world)
	l, err := mesh.Start(ctx, options)
	if err != nil {
		return err
	}
	defer l.Stop()
	options.Log("clusters are up, deploying bookinfo")
	if err := l.Manage(ctx); err != nil {
		return err
	}
	if err := l.Deploy(ctx, &world); err != nil {
		return err
	}
	if err := serve(ctx, l, filepath.Join(options.Dir, socket)); err != nil {
		return err
	}
	if err := writeServers(options.Dir, l); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

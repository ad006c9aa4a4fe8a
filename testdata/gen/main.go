// The program gen prints a generated world as YAML documents, or writes them
// into a directory.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/meshctl/meshctl/internal/testkit/genworld"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(2)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("gen", flag.ExitOnError)
	name := flags.String("size", "small", "small, medium, large or xl; the other flags change parts of it")
	clusters := flags.Int("clusters", 0, "number of clusters")
	services := flags.Int("services", 0, "number of services per cluster, with two workloads each")
	traffic := flags.Int("traffic", 0, "number of traffic policies")
	access := flags.Int("access", 0, "number of access policies")
	seed := flags.Uint64("seed", 0, "what the variety of policies depends on")
	dir := flags.String("o", "", "directory to write one file per kind into (default: print everything)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	size, known := genworld.Named(*name)
	if !known {
		return fmt.Errorf("unknown size %q: use small, medium, large or xl", *name)
	}
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "clusters":
			size.Clusters = *clusters
		case "services":
			size.Services = *services
		case "traffic":
			size.Traffic = *traffic
		case "access":
			size.Access = *access
		case "seed":
			size.Seed = *seed
		}
	})
	if err := size.Check(); err != nil {
		return err
	}
	objects := genworld.Objects(size)
	if *dir != "" {
		return genworld.WriteDir(*dir, objects)
	}
	return genworld.Write(out, objects)
}

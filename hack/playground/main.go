//go:build unix

// Playground runs three Kubernetes clusters - management, east and west - until
// it is interrupted. hack/kube/playground.sh keeps it in the background.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

func main() {
	assets := flag.String("assets", "", "directory with the programs of the control plane")
	dir := flag.String("dir", "", "empty directory for data, keys, logs and the kubeconfig")
	dumps := flag.String("dumps", "", "directory with what runs in the clusters east and west")
	istio := flag.String("istio", "", "file with the CustomResourceDefinitions of Istio")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, *assets, *dir, *dumps, *istio)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "playground:", err)
		os.Exit(1)
	}
}

// run returns when the context ends or the clusters cannot be started. The
// kubeconfig appears in dir when everything is ready.
func run(ctx context.Context, assets, dir, dumps, istio string) error {
	if assets == "" || dir == "" || dumps == "" || istio == "" {
		return errors.New("-assets, -dir, -dumps and -istio are needed")
	}
	fleet, err := clustertest.StartFleet(ctx, assets, dir)
	if err != nil {
		return err
	}
	defer fleet.Stop()
	if err := startClusters(ctx, fleet); err != nil {
		return err
	}
	for _, name := range []string{clustertest.East, clustertest.West} {
		if err := installDefinitions(ctx, fleet.Cluster(name), istio); err != nil {
			return err
		}
		if err := populate(ctx, fleet.Cluster(name), filepath.Join(dumps, name)); err != nil {
			return err
		}
	}
	temporary := filepath.Join(dir, ".kubeconfig")
	if err := fleet.Kubeconfig(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, filepath.Join(dir, "kubeconfig")); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// startClusters starts all clusters with a node each.
func startClusters(ctx context.Context, fleet *clustertest.Fleet) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	names := []string{clustertest.Management, clustertest.East, clustertest.West}
	if err := fleet.AddAll(ctx, names...); err != nil {
		return err
	}
	errs := make([]error, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() { errs[i] = fleet.Cluster(name).AddNodes(ctx, name+"-node") })
	}
	group.Wait()
	return errors.Join(errs...)
}

//go:build unix

// Package clustertest runs real Kubernetes control planes on this machine for
// the end-to-end tests and the playground: one etcd, and per cluster an API
// server with RBAC, a controller manager, and on demand nodes that run nothing
// but say that they do.
package clustertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// The clusters of the standard fleet.
const (
	Management = "management"
	East       = "east"
	West       = "west"
)

// Fleet is a set of clusters that share one etcd. Its methods may be called
// concurrently.
type Fleet struct {
	assets  string
	options Options
	dir     string
	etcd    *process
	etcdURL string

	mu       sync.Mutex
	clusters map[string]*Cluster
	stopped  bool
}

// Options change what the clusters of a fleet are like. The zero value is what
// the end-to-end tests use: API servers that only this machine reaches.
type Options struct {
	// Address returns the address by which others than this machine reach the API
	// server of a cluster. It must be assigned to an interface already. API servers
	// then listen on all addresses.
	Address func(cluster string) netip.Addr
	// APIServerFlags returns more flags of a cluster's API server; the last one of
	// a name counts.
	APIServerFlags func(cluster string) []string
}

// StartFleet starts etcd with the programs in assets, the directory that
// hack/kube/build.sh prints. Data, keys and logs go to dir, which must exist and
// should be empty. The caller must Stop the fleet, also after an error of other
// methods; the context limits only the start.
func StartFleet(ctx context.Context, assets, dir string) (*Fleet, error) {
	return StartFleetWith(ctx, assets, dir, Options{})
}

// StartFleetWith is StartFleet for clusters with the options.
func StartFleetWith(ctx context.Context, assets, dir string, options Options) (*Fleet, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	fleet := &Fleet{
		assets:   assets,
		options:  options,
		dir:      dir,
		etcdURL:  "http://127.0.0.1:" + strconv.Itoa(port),
		clusters: map[string]*Cluster{},
	}
	fleet.etcd, err = startProcess(filepath.Join(assets, "etcd"), []string{
		"--name=meshctl-test",
		"--data-dir=" + filepath.Join(dir, "etcd"),
		"--listen-client-urls=" + fleet.etcdURL,
		"--advertise-client-urls=" + fleet.etcdURL,
		"--listen-peer-urls=http://127.0.0.1:0",
		// What is lost in a crash of this machine is not missed.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}, filepath.Join(dir, "etcd.log"))
	if err != nil {
		return nil, err
	}
	if err := fleet.etcd.waitReady(ctx, func(ctx context.Context) error {
		return expectOK(ctx, http.DefaultClient, fleet.etcdURL+"/health")
	}); err != nil {
		fleet.Stop()
		return nil, err
	}
	return fleet, nil
}

// Add starts a cluster and waits until its API server and its controllers
// work. Its name becomes the name of its context.
func (f *Fleet) Add(ctx context.Context, name string) (*Cluster, error) {
	cluster, err := f.reserve(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := cluster.start(ctx); err != nil {
		f.Remove(name)
		return nil, fmt.Errorf("start cluster %s: %w", name, err)
	}
	return cluster, nil
}

// reserve enters the cluster before it runs, so that Stop finds it whatever
// happens meanwhile.
func (f *Fleet) reserve(ctx context.Context, name string) (*Cluster, error) {
	if name == "" || strings.ContainsAny(name, "/\\") {
		return nil, fmt.Errorf("%q cannot be the name of a cluster", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		return nil, errors.New("the fleet has been stopped")
	}
	if _, found := f.clusters[name]; found {
		return nil, fmt.Errorf("there is a cluster %s already", name)
	}
	cluster, err := newCluster(ctx, f, name)
	if err != nil {
		return nil, fmt.Errorf("prepare cluster %s: %w", name, err)
	}
	f.clusters[name] = cluster
	return cluster, nil
}

// AddAll starts clusters side by side.
func (f *Fleet) AddAll(ctx context.Context, names ...string) error {
	errs := make([]error, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() { _, errs[i] = f.Add(ctx, name) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// Cluster returns the cluster with the name, or nil.
func (f *Fleet) Cluster(name string) *Cluster {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clusters[name]
}

// Remove stops a cluster and forgets it. Its objects stay in etcd, so a new
// cluster must have another name.
func (f *Fleet) Remove(name string) {
	f.mu.Lock()
	cluster := f.clusters[name]
	delete(f.clusters, name)
	f.mu.Unlock()
	if cluster != nil {
		cluster.stop()
	}
}

// Stop ends everything that the fleet has started.
func (f *Fleet) Stop() {
	f.mu.Lock()
	f.stopped = true
	clusters := slices.Collect(maps.Values(f.clusters))
	f.mu.Unlock()
	for _, cluster := range clusters {
		cluster.stop()
	}
	f.etcd.stop()
}

// Kubeconfig writes a kubeconfig file with a context per running cluster, each
// for its administrator. The current context is the management cluster, if
// there is one.
func (f *Fleet) Kubeconfig(path string) error {
	f.mu.Lock()
	contexts := make(map[string]*Credentials, len(f.clusters))
	for name, cluster := range f.clusters {
		contexts[name] = cluster.Admin()
	}
	f.mu.Unlock()
	current := ""
	if _, found := contexts[Management]; found {
		current = Management
	}
	return WriteKubeconfig(path, current, contexts)
}

// expectOK asks for the URL and returns an error unless the answer is 200.
func expectOK(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return &finalError{err}
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // Only the status counts.
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// writeFiles writes files that only their owner may read, by name.
func writeFiles(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

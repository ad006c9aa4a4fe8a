//go:build linux

// Package mesh is the lab: Kubernetes clusters with a real istiod each, on one
// machine, and the meshctl that is tried on them.
package mesh

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/machine"
	"github.com/meshctl/meshctl/hack/lab/node"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// Management is the name of the management cluster. It has no mesh.
const Management = clustertest.Management

// Options say what a lab consists of.
type Options struct {
	// KubeAssets is the directory that hack/kube/build.sh prints, Programs the one
	// that hack/lab/build.sh prints.
	KubeAssets, Programs string
	// Meshctl is the program to try.
	Meshctl string
	// Dir is an empty directory for everything that is written.
	Dir string
	// Clusters are those with a mesh.
	Clusters []ClusterOptions
	// Flat lets pods of different clusters reach each other.
	Flat bool
	// Log is called with what is worth knowing; nil ignores it.
	Log func(format string, args ...any)
}

// ClusterOptions say what a cluster with a mesh is like.
type ClusterOptions struct {
	Name string
	// Domain is its DNS domain; cluster.local if empty.
	Domain string
	// MeshConfig is added to the mesh's configuration, key by key.
	MeshConfig map[string]any
	// IstiodEnv are more variables of istiod.
	IstiodEnv map[string]string
	// Objects are there before istiod starts, for example its CA certificates.
	Objects []unstructured.Unstructured
}

// Lab is a running lab.
type Lab struct {
	// Clusters are those with a mesh, in the order of the options.
	Clusters []*Cluster
	// Kubeconfig has a context for each cluster, management the current one.
	Kubeconfig string

	options Options
	fleet   *clustertest.Fleet
	network *node.Network
	stop    context.CancelFunc
	group   sync.WaitGroup
}

// Start starts the clusters with their istiods, which takes half a minute. It
// must be called inside of the namespaces that machine.Isolate makes. The caller
// must Stop the lab; ctx ends it, too.
func Start(ctx context.Context, options Options) (*Lab, error) {
	if options.Log == nil {
		options.Log = func(string, ...any) {}
	}
	// Proxies are another user, and enter the directories of their pods.
	for dir := options.Dir; dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return nil, err
		}
		if info.Mode().Perm()&0o001 == 0 && dir != options.Dir {
			return nil, fmt.Errorf("the lab cannot live in %s: others may not enter %s", options.Dir, dir)
		}
	}
	if err := os.Chmod(options.Dir, 0o755); err != nil {
		return nil, err
	}
	programs := filepath.Join(options.Dir, "programs")
	if err := machine.Show(options.Programs, programs); err != nil {
		return nil, err
	}
	options.Programs = programs
	running, stop := context.WithCancel(ctx)
	l := &Lab{options: options, network: node.NewNetwork(), stop: stop, Kubeconfig: filepath.Join(options.Dir, "kubeconfig")}
	if err := l.start(running); err != nil {
		l.Stop()
		return nil, err
	}
	return l, nil
}

func (l *Lab) start(ctx context.Context) error {
	names := []string{Management}
	for _, c := range l.options.Clusters {
		names = append(names, c.Name)
	}
	plans := map[string]node.Plan{}
	for i, name := range names {
		plans[name] = node.PlanOf(i)
		if err := machine.AddAddress(plans[name].Host); err != nil {
			return fmt.Errorf("assign the address of cluster %s: %w", name, err)
		}
	}
	started, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	control := filepath.Join(l.options.Dir, "control")
	if err := os.Mkdir(control, 0o700); err != nil {
		return err
	}
	var err error
	l.fleet, err = clustertest.StartFleetWith(started, l.options.KubeAssets, control, clustertest.Options{
		Address: func(cluster string) netip.Addr { return plans[cluster].Host },
		APIServerFlags: func(cluster string) []string {
			return []string{
				"--service-cluster-ip-range=" + plans[cluster].Services.String(),
				"--api-audiences=https://kubernetes.default.svc,istio-ca",
				"--kubelet-preferred-address-types=InternalIP",
			}
		},
	})
	if err != nil {
		return err
	}
	if err := l.network.SetFlat(ctx, l.options.Flat); err != nil {
		return err
	}
	errs := make([]error, len(l.options.Clusters)+1)
	l.Clusters = make([]*Cluster, len(l.options.Clusters))
	var group sync.WaitGroup
	group.Go(func() { _, errs[len(l.options.Clusters)] = l.fleet.Add(started, Management) })
	for i := range l.options.Clusters {
		group.Go(func() {
			l.Clusters[i], errs[i] = l.startCluster(ctx, &l.options.Clusters[i], plans[l.options.Clusters[i].Name])
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return l.fleet.Kubeconfig(l.Kubeconfig)
}

// Stop ends everything that runs.
func (l *Lab) Stop() {
	l.stop()
	l.group.Wait()
	if l.fleet != nil {
		l.fleet.Stop()
	}
	if err := machine.Hide(l.options.Programs); err != nil {
		l.options.Log("%v", err)
	}
}

// Cluster returns a cluster with a mesh, or nil.
func (l *Lab) Cluster(name string) *Cluster {
	if i := slices.IndexFunc(l.Clusters, func(c *Cluster) bool { return c.Name == name }); i >= 0 {
		return l.Clusters[i]
	}
	return nil
}

// Server returns the URL of an API server as this machine reaches it; empty for
// unknown clusters.
func (l *Lab) Server(cluster string) string {
	if c := l.fleet.Cluster(cluster); c != nil {
		return c.Server
	}
	return ""
}

// SetFlat says whether pods of different clusters reach each other directly.
func (l *Lab) SetFlat(ctx context.Context, flat bool) error { return l.network.SetFlat(ctx, flat) }

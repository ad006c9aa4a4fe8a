//go:build linux

package mesh

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/meshctl/meshctl/hack/lab/node"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// Cluster is a running cluster with a mesh.
type Cluster struct {
	Name   string
	Domain string
	Client kubernetes.Interface
	Node   *node.Node
	// Objects applies and deletes whatever the cluster serves.
	Objects *Objects

	options *ClusterOptions
	lab     *Lab
	control *clustertest.Cluster
}

// startCluster starts a control plane, its node, and istiod.
func (l *Lab) startCluster(ctx context.Context, options *ClusterOptions, plan node.Plan) (*Cluster, error) {
	failed := func(err error) (*Cluster, error) { return nil, fmt.Errorf("cluster %s: %w", options.Name, err) }
	started, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	control, err := l.fleet.Add(started, options.Name)
	if err != nil {
		return nil, err
	}
	c := &Cluster{Name: options.Name, Domain: cmp.Or(options.Domain, "cluster.local"), options: options, lab: l, control: control}
	if c.Client, err = control.Clientset(); err != nil {
		return failed(err)
	}
	if c.Objects, err = NewObjects(control.Admin().Config()); err != nil {
		return failed(err)
	}
	if err := control.StartScheduler(); err != nil {
		return failed(err)
	}
	certificate, err := servingCertificate(net.IP(plan.Host.AsSlice()))
	if err != nil {
		return failed(err)
	}
	dir := filepath.Join(l.options.Dir, "pods", options.Name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return failed(err)
	}
	c.Node = node.New(node.Config{
		Cluster: c.Name, Domain: c.Domain, Plan: plan, Client: c.Client, Kubeconfig: c.kubeconfig,
		Programs: l.options.Programs, Dir: dir, Certificate: certificate, Network: l.network, Log: l.options.Log,
	})
	ready := make(chan struct{})
	ended := make(chan error, 1)
	l.group.Go(func() { ended <- c.Node.Run(ctx, ready) })
	select {
	case err := <-ended:
		return failed(errors.Join(err, ctx.Err()))
	case <-ready:
	}
	if err := c.install(started); err != nil {
		return failed(err)
	}
	return c, nil
}

// kubeconfig returns what istiod connects to its API server with.
func (c *Cluster) kubeconfig(ctx context.Context, namespace, serviceAccount string) ([]byte, error) {
	credentials, err := c.control.ServiceAccount(ctx, namespace, serviceAccount)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "meshctl-lab-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // Goes with the temporary directory.
	file := filepath.Join(dir, "kubeconfig")
	if err := clustertest.WriteKubeconfig(file, c.Name, map[string]*clustertest.Credentials{c.Name: c.control.Reachable(credentials)}); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

// servingCertificate makes a certificate that nobody verifies.
func servingCertificate(address net.IP) (tls.Certificate, error) {
	return selfSigned(address, time.Now())
}

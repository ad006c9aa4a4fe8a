//go:build unix

package clustertest

import (
	"context"
	"fmt"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AddNodes gives the cluster nodes that run nothing, and a scheduler: kwok
// reports the nodes and the pods on them as ready. It may be called once.
func (c *Cluster) AddNodes(ctx context.Context, names ...string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.startScheduler(); err != nil {
		return err
	}
	client, err := c.Clientset()
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, err := client.CoreV1().Nodes().Create(ctx, node(name), metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("create node %s of cluster %s: %w", name, c.Name, err)
		}
	}
	c.nodes, err = startProcess(filepath.Join(c.fleet.assets, "kwok"), []string{
		"--kubeconfig=" + c.file("admin.kubeconfig"),
		"--config=" + filepath.Join(c.fleet.assets, "kwok-stages.yaml"),
		"--manage-all-nodes",
		"--node-ip=10.0.0.1",
		"--cidr=10.244.0.0/16",
	}, c.file("kwok.log"))
	if err != nil {
		return err
	}
	return c.nodes.waitReady(ctx, func(ctx context.Context) error {
		for _, name := range names {
			node, err := client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			if !isReady(node) {
				return fmt.Errorf("node %s is not ready", name)
			}
		}
		return nil
	})
}

// StartScheduler starts a scheduler for nodes that the caller plays. It may be
// called once, and not together with AddNodes.
func (c *Cluster) StartScheduler() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.startScheduler()
}

func (c *Cluster) startScheduler() error {
	if c.scheduler != nil {
		return fmt.Errorf("cluster %s has nodes already", c.Name)
	}
	var err error
	c.scheduler, err = startProcess(filepath.Join(c.fleet.assets, "kube-scheduler"), []string{
		"--kubeconfig=" + c.file("scheduler.kubeconfig"),
		"--leader-elect=false",
		"--secure-port=0",
	}, c.file("kube-scheduler.log"))
	return err
}

func node(name string) *corev1.Node {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("32"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name:   name,
			Labels: map[string]string{corev1.LabelHostname: name, corev1.LabelOSStable: "linux"},
		},
		Status: corev1.NodeStatus{Capacity: capacity, Allocatable: capacity},
	}
}

func isReady(node *corev1.Node) bool {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

//go:build linux

// Package node plays the nodes of Kubernetes clusters: what a kubelet, a
// container runtime, kube-proxy, a cluster DNS, and a load balancer do, with
// hosts of package machine as pods. Sidecars and gateways are real pilot-agents
// with Envoy, istiod is real, and every other container is an echo server.
package node

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	discoverylisters "k8s.io/client-go/listers/discovery/v1"
	"k8s.io/client-go/tools/cache"
)

// kubeletPort is where API servers expect kubelets.
const kubeletPort = 10250

// Config says what a node needs.
type Config struct {
	// Cluster is the name of the cluster; its only node has the name with -node.
	Cluster string
	// Domain is the DNS domain of the cluster, cluster.local usually.
	Domain string
	// Plan are the addresses of the cluster.
	Plan Plan
	// Client may do everything in the cluster.
	Client kubernetes.Interface
	// Kubeconfig returns a kubeconfig for a pod's service account.
	Kubeconfig func(ctx context.Context, namespace, serviceAccount string) ([]byte, error)
	// Programs is the directory that build.sh prints.
	Programs string
	// Dir is an empty directory for what pods write; other users must be able to
	// enter it.
	Dir string
	// Certificate is for the server that API servers forward ports through.
	Certificate tls.Certificate
	// Network is what all nodes of the lab share.
	Network *Network
	// Log is called with what is worth knowing when something fails.
	Log func(format string, args ...any)
}

// Node runs the pods of one cluster.
type Node struct {
	Config

	services   corelisters.ServiceLister
	slices     discoverylisters.EndpointSliceLister
	configMaps corelisters.ConfigMapLister
	secrets    corelisters.SecretLister

	mu        sync.Mutex // Guards what follows.
	pods      map[types.UID]*Pod
	addresses *addressPool
	wake      chan struct{}
}

// New prepares the node of a cluster.
func New(config Config) *Node {
	return &Node{
		Config: config, pods: map[types.UID]*Pod{}, wake: make(chan struct{}, 1),
		addresses: newAddressPool(config.Plan.Pods),
	}
}

// Name is that of the node in the cluster.
func (n *Node) Name() string { return n.Cluster + "-node" }

// Run registers the node and runs pods until the context ends; then it ends
// them. ready is closed when pods can be scheduled.
func (n *Node) Run(ctx context.Context, ready chan<- struct{}) error {
	if err := n.register(ctx); err != nil {
		return err
	}
	if err := n.serveKubelet(ctx); err != nil {
		return err
	}
	if err := n.serveDNS(ctx); err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(n.Client, 0)
	n.services = factory.Core().V1().Services().Lister()
	n.slices = factory.Discovery().V1().EndpointSlices().Lister()
	n.configMaps = factory.Core().V1().ConfigMaps().Lister()
	n.secrets = factory.Core().V1().Secrets().Lister()
	changed := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { n.serviceChanged() },
		UpdateFunc: func(any, any) { n.serviceChanged() },
		DeleteFunc: func(any) { n.serviceChanged() },
	}
	mounted := cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { n.mountedChanged(o) },
		UpdateFunc: func(_, o any) { n.mountedChanged(o) },
	}
	for _, watch := range []struct {
		informer cache.SharedIndexInformer
		handler  cache.ResourceEventHandler
	}{
		{factory.Core().V1().Services().Informer(), changed},
		{factory.Discovery().V1().EndpointSlices().Informer(), changed},
		{factory.Core().V1().ConfigMaps().Informer(), mounted},
		{factory.Core().V1().Secrets().Informer(), mounted},
	} {
		if _, err := watch.informer.AddEventHandler(watch.handler); err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	// Pods come last: they need the rest.
	pods := informers.NewSharedInformerFactory(n.Client, 0)
	if _, err := pods.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { n.podChanged(ctx, o) },
		UpdateFunc: func(_, o any) { n.podChanged(ctx, o) },
		DeleteFunc: func(o any) { n.podGone(o) },
	}); err != nil {
		return err
	}
	pods.Start(ctx.Done())
	pods.WaitForCacheSync(ctx.Done())
	close(ready)
	n.balance(ctx)
	n.stopAll()
	return nil
}

func (n *Node) register(ctx context.Context) error {
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("256Gi"), corev1.ResourcePods: resource.MustParse("1000"),
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name(), Labels: map[string]string{
			corev1.LabelHostname: n.Name(), corev1.LabelOSStable: "linux",
			corev1.LabelTopologyRegion: n.Cluster, corev1.LabelTopologyZone: n.Cluster + "-a",
		}},
		Spec: corev1.NodeSpec{PodCIDR: n.Plan.Pods.String()},
	}
	created, err := n.Client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create node %s: %w", n.Name(), err)
	}
	created.Status = corev1.NodeStatus{
		Capacity: capacity, Allocatable: capacity,
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady", LastHeartbeatTime: metav1.Now()}},
		Addresses: []corev1.NodeAddress{
			{Type: corev1.NodeInternalIP, Address: n.Plan.Host.String()},
			{Type: corev1.NodeExternalIP, Address: n.Plan.Host.String()},
			{Type: corev1.NodeHostName, Address: n.Name()},
		},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: kubeletPort}},
		NodeInfo:        corev1.NodeSystemInfo{KubeletVersion: "v1.36.3", OperatingSystem: "linux"},
	}
	if _, err := n.Client.CoreV1().Nodes().UpdateStatus(ctx, created, metav1.UpdateOptions{}); err != nil {
		return fmt.Errorf("report node %s as ready: %w", n.Name(), err)
	}
	return nil
}

// podChanged starts pods that are new on this node, and ends those that shall
// go.
func (n *Node) podChanged(ctx context.Context, object any) {
	pod, ok := object.(*corev1.Pod)
	if !ok || pod.Spec.NodeName != n.Name() {
		return
	}
	n.mu.Lock()
	running, known := n.pods[pod.UID]
	if known {
		n.mu.Unlock()
		if pod.DeletionTimestamp != nil {
			grace := time.Duration(0)
			if pod.DeletionGracePeriodSeconds != nil {
				grace = time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second
			}
			running.end(grace, true)
		}
		return
	}
	if pod.DeletionTimestamp != nil {
		n.mu.Unlock()
		go n.removeObject(pod)
		return
	}
	address, err := n.addresses.take()
	if err != nil {
		n.mu.Unlock()
		n.Log("pod %s/%s of %s: %v", pod.Namespace, pod.Name, n.Cluster, err)
		return
	}
	started := newPod(n, pod, address)
	n.pods[pod.UID] = started
	n.mu.Unlock()
	go started.run(ctx)
}

// podGone ends a pod whose object was deleted without asking the node.
func (n *Node) podGone(object any) {
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	pod, ok := object.(*corev1.Pod)
	if !ok {
		return
	}
	n.mu.Lock()
	running := n.pods[pod.UID]
	n.mu.Unlock()
	if running != nil {
		running.end(0, false)
	}
}

// removeObject deletes the object of a pod that runs nothing any more.
func (n *Node) removeObject(pod *corev1.Pod) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	now := int64(0)
	//nolint:errcheck // Somebody else has deleted it, or the cluster is going down.
	n.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
}

// forget is called by pods that have ended.
func (n *Node) forget(p *Pod) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.pods, p.uid)
	n.addresses.give(p.address)
}

// Pods returns the pods that run now, in no order.
func (n *Node) Pods() []*Pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	pods := make([]*Pod, 0, len(n.pods))
	for _, p := range n.pods {
		pods = append(pods, p)
	}
	return pods
}

// Pod returns the running pod with the name, or nil.
func (n *Node) Pod(namespace, name string) *Pod {
	for _, p := range n.Pods() {
		if p.Namespace == namespace && p.Name == name {
			return p
		}
	}
	return nil
}

func (n *Node) stopAll() {
	var group sync.WaitGroup
	for _, p := range n.Pods() {
		group.Go(func() { p.end(0, false) })
	}
	group.Wait()
}

// podDir makes the directory of a pod.
func (n *Node) podDir(pod *corev1.Pod) (string, error) {
	dir := filepath.Join(n.Dir, pod.Namespace+"_"+pod.Name+"_"+string(pod.UID[:8]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, nil
}

// Plan are the addresses of one cluster.
type Plan struct {
	// Host is where the API server and the node are reached.
	Host netip.Addr
	// Pods, Services and LoadBalancers are where each gets its addresses from.
	Pods, Services, LoadBalancers netip.Prefix
	// DNS is the address of the cluster's name server.
	DNS netip.Addr
}

// PlanOf returns the addresses of the cluster with the number, 0 to 31.
func PlanOf(number int) Plan {
	n := byte(number)
	return Plan{
		Host:          netip.AddrFrom4([4]byte{10, 1, n, 1}),
		Pods:          netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 64 + n, 0, 0}), 16),
		Services:      netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 96 + n, 0, 0}), 16),
		LoadBalancers: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 128 + n, 0, 0}), 24),
		DNS:           netip.AddrFrom4([4]byte{10, 96 + n, 0, 10}),
	}
}

// addressPool hands out the addresses of a prefix, each again only after all
// others, as networks of pods do.
type addressPool struct {
	prefix netip.Prefix
	next   netip.Addr
	used   map[netip.Addr]bool
}

func newAddressPool(prefix netip.Prefix) *addressPool {
	return &addressPool{prefix: prefix, next: prefix.Addr().Next(), used: map[netip.Addr]bool{}}
}

func (p *addressPool) take() (netip.Addr, error) {
	for range 1 << 16 {
		address := p.next
		p.next = p.next.Next()
		if !p.prefix.Contains(p.next) {
			p.next = p.prefix.Addr().Next()
		}
		if !p.used[address] {
			p.used[address] = true
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address of %s is free", p.prefix)
}

func (p *addressPool) give(address netip.Addr) { delete(p.used, address) }

//go:build linux

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/machine"
)

// Pod is a running pod.
type Pod struct {
	Namespace, Name string
	Labels          map[string]string
	// Workload is the name of the controller: of a Deployment, not its ReplicaSet.
	Workload string
	// Host is its computer; nil until it has started.
	Host *machine.Host
	// Echo is its echo server; nil if no container asks for one.
	Echo *echo.Server
	// Dir holds its files and logs.
	Dir string

	node    *Node
	object  *corev1.Pod
	uid     types.UID
	address netip.Addr

	stop   context.CancelCauseFunc
	done   chan struct{}
	mu     sync.Mutex // Guards what follows.
	ended  bool
	grace  time.Duration
	remove bool
}

func newPod(n *Node, object *corev1.Pod, address netip.Addr) *Pod {
	return &Pod{
		Namespace: object.Namespace, Name: object.Name, Labels: object.Labels, Workload: workloadOf(object),
		node: n, object: object, uid: object.UID, address: address, done: make(chan struct{}),
	}
}

// workloadOf returns the name of a pod's controller.
func workloadOf(pod *corev1.Pod) string {
	owner := metav1.GetControllerOf(pod)
	if owner == nil {
		return pod.Name
	}
	if owner.Kind == "ReplicaSet" {
		return strings.TrimSuffix(owner.Name, "-"+pod.Labels["pod-template-hash"])
	}
	return owner.Name
}

// Address is the pod's IP.
func (p *Pod) Address() netip.Addr { return p.address }

// Cluster is the name of the pod's cluster.
func (p *Pod) Cluster() string { return p.node.Cluster }

// HasProxy reports whether a sidecar or a gateway runs in the pod.
func (p *Pod) HasProxy() bool {
	return slices.ContainsFunc(p.object.Spec.Containers, func(c corev1.Container) bool { return kindOf(&c) == proxyContainer })
}

// HasSidecar reports whether the pod has a proxy that is no gateway.
func (p *Pod) HasSidecar() bool {
	return slices.ContainsFunc(p.object.Spec.Containers, func(c corev1.Container) bool { return kindOf(&c) == proxyContainer && !p.isGateway(&c) })
}

// Log returns the file with the output of a container.
func (p *Pod) Log(container string) string { return filepath.Join(p.Dir, container+".log") }

// run starts the pod and ends it when the context ends or end is called.
func (p *Pod) run(ctx context.Context) {
	ctx, stop := context.WithCancelCause(ctx)
	p.mu.Lock()
	p.stop = stop
	if p.ended {
		stop(nil)
	}
	p.mu.Unlock()
	defer close(p.done)
	defer p.node.forget(p)
	if err := p.serve(ctx); err != nil && ctx.Err() == nil {
		p.node.Log("pod %s/%s of %s: %v", p.Namespace, p.Name, p.node.Cluster, err)
		<-ctx.Done() // It stays as it is until somebody deletes it.
	}
	p.mu.Lock()
	remove := p.remove
	p.mu.Unlock()
	if p.Host != nil {
		p.Host.Close()
	}
	if remove {
		p.node.removeObject(p.object)
	}
}

// end ends the pod and waits for that; remove deletes its object, too.
func (p *Pod) end(grace time.Duration, remove bool) {
	p.mu.Lock()
	if !p.ended {
		p.ended, p.grace = true, grace
		if p.stop != nil {
			p.stop(nil)
		}
	}
	p.remove = p.remove || remove
	p.mu.Unlock()
	if !remove {
		<-p.done
	}
}

// serve runs all containers until the context ends.
func (p *Pod) serve(ctx context.Context) error {
	var err error
	if p.Dir, err = p.node.podDir(p.object); err != nil {
		return err
	}
	host, err := machine.NewHost(p.node.Cluster+"/"+p.Namespace+"/"+p.Name, p.address)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.Host = host
	p.mu.Unlock()
	if err := p.report(ctx, nil); err != nil {
		return err
	}
	if err := p.writeVolumes(); err != nil {
		return err
	}
	var group sync.WaitGroup
	defer group.Wait()
	ready := make(chan string, len(p.object.Spec.Containers))
	// Sidecars come first: the application must not start before they capture.
	containers := slices.Clone(p.object.Spec.Containers)
	slices.SortStableFunc(containers, func(a, b corev1.Container) int { return int(kindOf(&a)) - int(kindOf(&b)) })
	for i := range containers {
		container := &containers[i]
		start, err := p.starter(ctx, container)
		if err != nil {
			return fmt.Errorf("container %s: %w", container.Name, err)
		}
		group.Go(func() { p.keepRunning(ctx, container.Name, start, ready) })
	}
	isReady := map[string]bool{}
	for len(isReady) < len(containers) {
		select {
		case <-ctx.Done():
			return nil
		case name := <-ready:
			isReady[name] = true
			if len(isReady) == len(containers) {
				if err := p.report(ctx, isReady); err != nil {
					return err
				}
			}
		}
	}
	<-ctx.Done()
	return nil
}

// running is a started container.
type running struct {
	// ended is closed when it has ended by itself.
	ended <-chan struct{}
	stop  func(grace time.Duration)
	ready func(ctx context.Context) error
}

// keepRunning starts a container, again if it ends, until the context ends. It
// sends the name when the container is ready for the first time.
func (p *Pod) keepRunning(ctx context.Context, name string, start func() (*running, error), ready chan<- string) {
	reported := false
	for ctx.Err() == nil {
		container, err := start()
		if err != nil {
			p.node.Log("container %s of %s/%s in %s: %v", name, p.Namespace, p.Name, p.node.Cluster, err)
			wait(ctx, time.Second)
			continue
		}
		if !reported && p.awaitReady(ctx, container) {
			reported = true
			ready <- name
		}
		select {
		case <-container.ended:
			if ctx.Err() == nil {
				p.node.Log("container %s of %s/%s in %s ended; it is started again", name, p.Namespace, p.Name, p.node.Cluster)
				wait(ctx, time.Second)
			}
		case <-ctx.Done():
			p.mu.Lock()
			grace := p.grace
			p.mu.Unlock()
			container.stop(grace)
		}
	}
}

// awaitReady reports whether the container became ready before it or the
// context ended.
func (p *Pod) awaitReady(ctx context.Context, container *running) bool {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		if container.ready(ctx) == nil {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-container.ended:
			return false
		case <-ticker.C:
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// probe asks for a page on the pod's own address.
func (p *Pod) probe(ctx context.Context, port int, path string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	transport := &http.Transport{DialContext: p.Host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), http.NoBody)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // Only the status counts.
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// report writes the status of the pod. Containers that are not named are not
// ready.
func (p *Pod) report(ctx context.Context, ready map[string]bool) error {
	now := metav1.Now()
	all := len(ready) == len(p.object.Spec.Containers)
	condition := corev1.ConditionFalse
	if all {
		condition = corev1.ConditionTrue
	}
	status := corev1.PodStatus{
		Phase: corev1.PodRunning, HostIP: p.node.Plan.Host.String(), StartTime: &now,
		PodIP: p.address.String(), PodIPs: []corev1.PodIP{{IP: p.address.String()}},
	}
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.PodInitialized} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	for _, kind := range []corev1.PodConditionType{corev1.ContainersReady, corev1.PodReady} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: kind, Status: condition, LastTransitionTime: now})
	}
	for i := range p.object.Spec.Containers {
		c := &p.object.Spec.Containers[i]
		started := true
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Ready: ready[c.Name], Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}},
		})
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": p.uid}, "status": status})
	if err != nil {
		return err
	}
	_, err = p.node.Client.CoreV1().Pods(p.Namespace).Patch(ctx, p.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if apierrors.IsNotFound(err) || ctx.Err() != nil {
		return nil //nolint:nilerr // It was deleted meanwhile.
	}
	return err
}

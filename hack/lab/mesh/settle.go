//go:build linux

package mesh

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/hack/lab/node"
)

// Settle waits until all proxies have the configuration that istiods have now,
// and none still serves connections by an older one.
func (l *Lab) Settle(ctx context.Context) error {
	return l.eachCluster(func(c *Cluster) error {
		host, err := c.mark(ctx)
		if err != nil {
			return err
		}
		var pods []*node.Pod
		for _, pod := range c.Node.Pods() {
			if pod.HasProxy() && pod.Host != nil {
				pods = append(pods, pod)
			}
		}
		errs := make([]error, len(pods))
		var group sync.WaitGroup
		for i, pod := range pods {
			group.Go(func() {
				errs[i] = eventually(ctx, time.Minute, func(ctx context.Context) error { return settled(ctx, c, pod, host) })
				awaitRoutes(ctx, pod, host)
			})
		}
		group.Wait()
		return errors.Join(errs...)
	})
}

// markName is that of the object by which the lab tells configurations apart.
const markName = "lab-settled"

// mark applies an object that changes the configuration of every proxy: where
// it has arrived, everything has that was written before.
func (c *Cluster) mark(ctx context.Context) (host string, err error) {
	host = "m" + strconv.FormatInt(time.Now().UnixNano(), 36) + ".settled.lab"
	return host, c.Objects.ApplyYAML(ctx, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: %s, namespace: istio-system}
spec:
  hosts: [%s]
  exportTo: ["*"]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 61999, name: http, protocol: HTTP}]
  endpoints: [{address: 192.0.2.1}]
`, markName, host))
}

func settled(ctx context.Context, c *Cluster, pod *node.Pod, host string) error {
	if c.Node.Pod(pod.Namespace, pod.Name) != pod {
		return nil // It has been replaced.
	}
	page, err := adminPage(ctx, pod, "/clusters")
	if err != nil {
		return err
	}
	if !strings.Contains(string(page), host) {
		return fmt.Errorf("the proxy of %s/%s in %s does not have the newest configuration", pod.Namespace, pod.Name, c.Name)
	}
	// A listener of which only some filter chains have changed drains those alone.
	stats, err := adminPage(ctx, pod, "/stats?filter=_draining$")
	if err != nil {
		return err
	}
	for _, m := range regexp.MustCompile(`total_(listeners|filter_chains)_draining: (\d+)`).FindAllSubmatch(stats, -1) {
		if string(m[2]) != "0" {
			return fmt.Errorf("the proxy of %s/%s in %s drains %s %s", pod.Namespace, pod.Name, c.Name, m[2], m[1])
		}
	}
	return nil
}

// awaitRoutes waits until a sidecar has the routes of a host, which come last. One
// that has rejected routes may never get them, so it is not waited for long.
func awaitRoutes(ctx context.Context, pod *node.Pod, host string) {
	if !pod.HasSidecar() {
		return
	}
	//nolint:errcheck // See above.
	eventually(ctx, 3*time.Second, func(ctx context.Context) error {
		page, err := adminPage(ctx, pod, "/config_dump?resource=dynamic_route_configs")
		if err == nil && !strings.Contains(string(page), host) {
			err = errors.New("no routes of the newest configuration")
		}
		return err
	})
}

//go:build linux

package mesh

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/node"
)

// Pods returns the pods of a workload that have started, sorted by name.
func (l *Lab) Pods(cluster, namespace, workload string) []*node.Pod {
	c := l.Cluster(cluster)
	if c == nil {
		return nil
	}
	pods := slices.DeleteFunc(c.Node.Pods(), func(p *node.Pod) bool {
		return p.Namespace != namespace || p.Workload != workload || p.Host == nil
	})
	slices.SortFunc(pods, func(a, b *node.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}

// Pod returns the first pod of a workload.
func (l *Lab) Pod(cluster, namespace, workload string) (*node.Pod, error) {
	pods := l.Pods(cluster, namespace, workload)
	if len(pods) == 0 {
		return nil, fmt.Errorf("workload %s.%s.%s has no pods", workload, namespace, cluster)
	}
	return pods[0], nil
}

// Client returns a client that sends requests as the application of a pod does.
func Client(pod *node.Pod) *client.Client {
	return &client.Client{Dial: pod.Host.DialContext, Lookup: client.LookupVia(pod.Host.DialContext, pod.DNS(), pod.Search())}
}

// SeenBy returns what all echo servers saw of the requests with an ID.
func (l *Lab) SeenBy(id string) []echo.Seen {
	var seen []echo.Seen
	for _, c := range l.Clusters {
		for _, pod := range c.Node.Pods() {
			if pod.Echo != nil {
				seen = append(seen, pod.Echo.SeenBy(id)...)
			}
		}
	}
	return seen
}

// LogEntry is what a proxy's access log says about a request or a connection.
type LogEntry struct {
	ID          string `json:"id"`
	Flags       string `json:"flags"`
	Details     string `json:"details"`
	Code        any    `json:"code"`
	Authority   string `json:"authority"`
	Cluster     string `json:"cluster"`
	Upstream    string `json:"upstream"`
	Failure     string `json:"failure"`
	Termination string `json:"termination"`
	SNI         string `json:"sni"`
}

// AccessLog returns the entries of a pod's proxy about the requests with an ID,
// or all if the ID is empty.
func AccessLog(pod *node.Pod, id string) ([]LogEntry, error) {
	text, err := os.ReadFile(pod.Log("istio-proxy"))
	if err != nil {
		return nil, err
	}
	var entries []LogEntry
	scanner := bufio.NewScanner(bytes.NewReader(text))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		line := scanner.Bytes()
		if !bytes.HasPrefix(line, []byte("{")) || (id != "" && !bytes.Contains(line, []byte(id))) {
			continue
		}
		var entry LogEntry
		if json.Unmarshal(line, &entry) == nil && (id == "" || entry.ID == id) {
			entries = append(entries, entry)
		}
	}
	return entries, scanner.Err()
}

// ConfigDump returns the configuration that a pod's Envoy has now.
func ConfigDump(ctx context.Context, pod *node.Pod) ([]byte, error) {
	return adminPage(ctx, pod, "/config_dump?include_eds")
}

//go:build linux

package mesh

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/meshctl/meshctl/hack/lab/node"
)

// adminPage returns a page of the administration interface of a pod's Envoy.
func adminPage(ctx context.Context, pod *node.Pod, path string) ([]byte, error) {
	transport := &http.Transport{DialContext: pod.Host.DialContext, DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:15000"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("ask the proxy of %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	defer response.Body.Close() //nolint:errcheck // It was only read.
	return io.ReadAll(response.Body)
}

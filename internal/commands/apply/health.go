package apply

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// serveHealth answers probes, /healthz as long as the process runs and /readyz too,
// and serves /metrics. A pod that waits for the Lease is healthy.
func (w *watchRun) serveHealth(ctx context.Context) (stop func(), err error) {
	if w.healthAddress == "" {
		return func() {}, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.healthAddress)
	if err != nil {
		return nil, fmt.Errorf("serve probes at %s: %w", w.healthAddress, err)
	}
	w.log("serving probes at http://%s/healthz and /readyz, and /metrics", listener.Addr())
	const patience = 5 * time.Second
	server := &http.Server{Handler: w.healthHandler(), ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Close() }, nil
}

func (w *watchRun) healthHandler() http.Handler {
	answer := func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write([]byte("ok\n")) }
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", answer)
	mux.HandleFunc("/readyz", answer)
	mux.Handle("/metrics", w.metrics)
	return mux
}

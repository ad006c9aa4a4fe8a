//go:build linux

package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

// serveKubelet serves what the API server asks a kubelet for, until the context
// ends: forwarded ports, and logs.
func (n *Node) serveKubelet(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/portForward/{namespace}/{pod}", n.portForward)
	mux.HandleFunc("/portForward/{namespace}/{pod}/{uid}", n.portForward)
	mux.HandleFunc("GET /containerLogs/{namespace}/{pod}/{container}", n.logs)
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", netip.AddrPortFrom(n.Plan.Host, kubeletPort).String())
	if err != nil {
		return fmt.Errorf("serve what a kubelet serves: %w", err)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	tlsListener := tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{n.Certificate}, MinVersion: tls.VersionTLS12})
	context.AfterFunc(ctx, func() { server.Close() }) //nolint:errcheck // It ends anyway.
	go func() {
		if err := server.Serve(tlsListener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			n.Log("kubelet of %s: %v", n.Cluster, err)
		}
	}()
	return nil
}

func (n *Node) portForward(w http.ResponseWriter, r *http.Request) {
	pod := n.Pod(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
		return
	}
	options, err := portforward.NewV4Options(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	portforward.ServePortForward(w, r, forwarder{pod}, pod.Name, string(pod.uid), options, 10*time.Minute, 30*time.Second, portforward.SupportedProtocols)
}

// forwarder connects to ports of one pod.
type forwarder struct{ pod *Pod }

// PortForward copies between the stream and a port that the pod listens on, on
// its loopback device.
func (f forwarder) PortForward(ctx context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := f.pod.Host.DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // Both ends have what they need.
	go func() {
		io.Copy(conn, stream) //nolint:errcheck // Either end may close.
		if half, ok := conn.(*net.TCPConn); ok {
			half.CloseWrite() //nolint:errcheck // It may be closed.
		}
	}()
	io.Copy(stream, conn) //nolint:errcheck // Either end may close.
	return nil
}

func (n *Node) logs(w http.ResponseWriter, r *http.Request) {
	pod := n.Pod(r.PathValue("namespace"), r.PathValue("pod"))
	if pod == nil {
		http.Error(w, "no such pod", http.StatusNotFound)
		return
	}
	log, err := os.Open(pod.Log(filepath.Base(r.PathValue("container"))))
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	defer log.Close()
	io.Copy(w, log) //nolint:errcheck // The client may leave.
}

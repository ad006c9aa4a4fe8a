package echo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// grace is how long requests may take to end after the server was told to stop.
const grace = 5 * time.Second

// Server answers requests with what it saw of them. It must not be copied after
// its first use.
type Server struct {
	Identity Identity

	memory memory
}

// SeenBy returns the requests with an ID in the order of arrival, as far as they
// are remembered.
func (s *Server) SeenBy(id string) []Seen { return s.memory.get(id) }

// Forget clears what the server remembers, counts included.
func (s *Server) Forget() { s.memory.clear() }

// Serve answers on every listener until ctx ends, and then stops them: requests
// that are being answered have a few seconds to end. It returns an error only if
// a listener fails. Connections of raw TCP are closed at once.
//
// Each port speaks everything: HTTP/1, HTTP/2 and gRPC without TLS, and raw TCP,
// where each line is answered by one line of JSON until the client closes. Words
// of such a line that begin with "x-lab-" are orders, like x-lab-id=a (values
// may be escaped as in a query). Calls of gRPC may have any method; they are
// answered by one message, which is JSON instead of protobuf.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	web := s.web()
	handover := newHandover()
	var group sync.WaitGroup
	group.Go(func() { _ = web.Serve(handover) }) // always ErrServerClosed
	for _, listener := range listeners {
		group.Go(func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					stop(fmt.Errorf("cannot accept connections on %s: %w", listener.Addr(), err))
					return
				}
				group.Go(func() { s.connection(running, conn, handover) })
			}
		})
	}

	<-running.Done()
	for _, listener := range listeners {
		_ = listener.Close() // its Accept reports what is wrong
	}
	shutDown(ctx, web)
	_ = handover.Close()
	group.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(running)
}

// ServeAdmin serves what the server remembers, away from the ports that the mesh
// captures: GET /lab/seen?id=X is a list of Seen, DELETE /lab/seen clears all.
func (s *Server) ServeAdmin(ctx context.Context, listener net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lab/seen", func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("id")
		if id == "" {
			http.Error(w, "id is required", http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusOK, s.SeenBy(id))
	})
	mux.HandleFunc("DELETE /lab/seen", func(w http.ResponseWriter, _ *http.Request) {
		s.Forget()
		w.WriteHeader(http.StatusNoContent)
	})
	admin := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute, ErrorLog: log.New(io.Discard, "", 0)}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		shutDown(ctx, admin)
	})
	err := admin.Serve(listener)
	if stop() {
		return fmt.Errorf("cannot serve on %s: %w", listener.Addr(), err)
	}
	<-stopped
	return nil
}

// shutDown lets requests end, for a while. ctx has ended already.
func shutDown(ctx context.Context, server *http.Server) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		_ = server.Close() // closes connections that are given up anyway
	}
}

// web is the part of the server that speaks HTTP.
func (s *Server) web() *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler:                      http.HandlerFunc(s.serveHTTP),
		Protocols:                    protocols,
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            time.Minute,
		ErrorLog:                     log.New(io.Discard, "", 0),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, conn)
		},
	}
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

// connection finds out what a new connection speaks.
func (s *Server) connection(ctx context.Context, conn net.Conn, web *handover) {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	reader := bufio.NewReaderSize(conn, longestLine)
	spoken, err := sniff(reader)
	switch {
	case err != nil || spoken == "":
		_ = conn.Close()
	case spoken == TCP:
		s.serveTCP(ctx, conn, reader)
		_ = conn.Close()
	case stop():
		web.offer(&peeked{Conn: conn, reader: reader})
		return
	}
	stop()
}

// peeked is a connection of which something was read ahead.
type peeked struct {
	net.Conn
	reader *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.reader.Read(b) }

// CloseWrite lets what was written arrive before the connection is closed.
func (p *peeked) CloseWrite() error {
	if half, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// handover is the listener of the HTTP server: it accepts connections that were
// found to speak HTTP.
type handover struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (h *handover) offer(conn net.Conn) {
	select {
	case h.conns <- conn:
	case <-h.closed:
		_ = conn.Close()
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }

// errStopped is why an answer is not given any more.
var errStopped = errors.New("the server stops or the client has gone")

// wait obeys HeaderDelay.
func wait(ctx context.Context, delay time.Duration) error {
	if delay <= 0 {
		return nil
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return errStopped
	}
}

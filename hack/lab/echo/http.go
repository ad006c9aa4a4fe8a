package echo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// serveHTTP answers HTTP/1, HTTP/2 and gRPC.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	// The server notices that a client has gone only after the body was read.
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	seen := s.seenOf(r)
	s.memory.add(&seen)
	o, err := readOrders(seen.Headers, seen.Count)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if wait(r.Context(), o.delay) != nil {
		panic(http.ErrAbortHandler)
	}
	if o.close {
		closeConnection(r)
		panic(http.ErrAbortHandler)
	}
	for _, h := range o.respond {
		w.Header().Add(h.name, h.value)
	}
	if seen.Protocol == GRPC && (o.status == 0 || o.status == http.StatusOK) {
		answerGRPC(w, seen, o.grpcStatus)
		return
	}
	if o.status == 0 {
		o.status = http.StatusOK
	}
	if r.Method == http.MethodHead || o.status == http.StatusNoContent || o.status == http.StatusNotModified {
		setSeen(w, seen)
		w.WriteHeader(o.status)
		return
	}
	writeJSON(w, o.status, seen)
}

func (s *Server) seenOf(r *http.Request) Seen {
	headers := make(map[string][]string, len(r.Header))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		lower := strings.ToLower(name)
		headers[lower] = append(headers[lower], r.Header[name]...)
	}
	protocol := Protocol(r.Proto)
	if r.ProtoMajor == 2 {
		protocol = HTTP2
		if isGRPC(first(headers, "content-type")) {
			protocol = GRPC
		}
	}
	attempt, err := strconv.Atoi(first(headers, "x-envoy-attempt-count"))
	if err != nil {
		attempt = 0
	}
	var port uint16
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		port = portOf(local)
	}
	return Seen{
		Identity: s.Identity, Port: port, Protocol: protocol,
		Method: r.Method, Path: r.RequestURI, Host: r.Host, Headers: headers,
		Peer:    peer(headers["x-forwarded-client-cert"]),
		Attempt: attempt, Remote: r.RemoteAddr, ID: first(headers, HeaderID),
	}
}

func isGRPC(contentType string) bool {
	const grpc = "application/grpc"
	return contentType == grpc || strings.HasPrefix(contentType, grpc+"+") || strings.HasPrefix(contentType, grpc+";")
}

func portOf(addr net.Addr) uint16 {
	parsed, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return 0
	}
	return parsed.Port()
}

// closeConnection closes the whole connection, where a handler that panics
// would only end a stream of HTTP/2. Everything was read, so that a client of
// HTTP/1 sees the end of the connection and not a reset.
func closeConnection(r *http.Request) {
	conn, ok := r.Context().Value(connKey{}).(*peeked)
	if !ok {
		return
	}
	_ = conn.CloseWrite() // Close reports nothing more useful, either
	_ = conn.Close()
}

// answerGRPC answers a call as servers of gRPC do: with a message and OK, or with
// headers alone that have the status. Envoy retries only the latter.
func answerGRPC(w http.ResponseWriter, seen Seen, status int) {
	w.Header().Set("Content-Type", "application/grpc")
	if status != 0 {
		setSeen(w, seen)
		w.Header().Set("Grpc-Status", strconv.Itoa(status))
		w.Header().Set("Grpc-Message", "ordered by "+HeaderGRPCStatus)
		w.WriteHeader(http.StatusOK)
		return
	}
	message, err := json.Marshal(seen)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(http.StatusOK)
	var frame bytes.Buffer
	frame.WriteByte(0) // not compressed
	_ = binary.Write(&frame, binary.BigEndian, uint32(len(message)))
	frame.Write(message)
	_, _ = w.Write(frame.Bytes()) // the client has gone if this fails
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
}

func setSeen(w http.ResponseWriter, seen Seen) {
	if value, err := seen.Header(); err == nil {
		w.Header().Set(HeaderSeen, value)
	}
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	data, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // the client has gone if this fails
}

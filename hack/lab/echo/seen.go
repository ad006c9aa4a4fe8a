// Package echo is the server that every pod of the lab runs. It answers with
// what it saw of a request, obeys orders in the request (wait, fail, close), and
// remembers what it got.
package echo

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// The headers that the server knows. In raw TCP the same names stand in the line
// (see Server.Serve).
const (
	// HeaderID groups requests: the server counts and remembers by it.
	HeaderID = "x-lab-id"
	// HeaderDelay is a Go duration that the server waits before it answers.
	HeaderDelay = "x-lab-delay"
	// HeaderStatus is the HTTP status of the answer, or a list ("503,503,200")
	// with one element for each arrival of the ID; the last one is repeated.
	HeaderStatus = "x-lab-status"
	// HeaderGRPCStatus is like HeaderStatus, for the status of gRPC.
	HeaderGRPCStatus = "x-lab-grpc-status"
	// HeaderClose closes the connection without an answer: "always", or the
	// arrivals of the ID for which it does ("1,2").
	HeaderClose = "x-lab-close"
	// HeaderRespond adds headers to the answer: "name=value,name=value".
	HeaderRespond = "x-lab-respond"
	// HeaderSeen is set in answers that cannot have a body; see Seen.Header.
	HeaderSeen = "x-lab-seen"
)

// Protocol is what a request is sent in. HTTP/1.0 is not sent by the lab's
// client, but its name may stand in Seen, too.
type Protocol string

// The protocols of the lab.
const (
	HTTP1 Protocol = "HTTP/1.1"
	HTTP2 Protocol = "HTTP/2"
	GRPC  Protocol = "gRPC"
	TCP   Protocol = "TCP"
)

// Identity is who a server is.
type Identity struct {
	// Name is the name of the pod.
	Name      string            `json:"pod"`
	Workload  string            `json:"workload"`
	Namespace string            `json:"namespace"`
	Cluster   string            `json:"cluster"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// Seen is what a server saw of one request.
type Seen struct {
	Identity

	// Port is the local port on which the request arrived.
	Port     uint16   `json:"port"`
	Protocol Protocol `json:"protocol"`
	Method   string   `json:"method,omitempty"`
	// Path is the raw request target, with its query.
	Path string `json:"path,omitempty"`
	// Host is the Host header or :authority.
	Host string `json:"host,omitempty"`
	// Headers has lower-case names. In raw TCP it has the orders of the line.
	Headers map[string][]string `json:"headers,omitempty"`
	// Line is the line of raw TCP.
	Line string `json:"line,omitempty"`
	// Peer is the SPIFFE ID of the caller as the sidecar reports it: the URI in
	// the last element of x-forwarded-client-cert. It is empty without one.
	Peer string `json:"peer,omitempty"`
	// Attempt is x-envoy-attempt-count, 0 without one.
	Attempt int `json:"attempt,omitempty"`
	// Remote is the address at the other end of the connection.
	Remote string `json:"remote"`
	ID     string `json:"id,omitempty"`
	// Count says how many requests with this ID the server has seen, this one
	// included. It is 0 for requests without an ID, which are not counted.
	Count int `json:"count,omitempty"`
}

// Header is Seen as the value of a header, for answers without a body: to HEAD,
// with the statuses 204 and 304, and to gRPC calls that fail.
func (s Seen) Header() (string, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return "", fmt.Errorf("cannot encode the answer: %w", err)
	}
	return base64.StdEncoding.EncodeToString(data), nil
}

// ParseHeader is the reverse of Seen.Header. It reports whether value comes from
// an echo server.
func ParseHeader(value string) (*Seen, bool) {
	data, err := base64.StdEncoding.DecodeString(value)
	if err != nil {
		return nil, false
	}
	return Parse(data)
}

// Parse reads the answer of an echo server. It reports whether data is one: a
// proxy or another server can answer in its place.
func Parse(data []byte) (*Seen, bool) {
	var s Seen
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil || decoder.More() || s.Protocol == "" {
		return nil, false
	}
	return &s, true
}

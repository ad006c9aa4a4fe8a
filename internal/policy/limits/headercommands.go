package limits

import (
	"slices"
	"strings"
)

// The substitution commands of Envoy in values of headers, as Envoy 1.40 has
// them. A value with any other command is rejected by Envoy together with all
// routes of the port, although Istio accepts it.
const (
	plainCommands = `
ACCESS_LOG_TYPE BYTES_RECEIVED BYTES_RETRANSMITTED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS
CUSTOM_FLAGS DOWNSTREAM_CX_RTT DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT
DOWNSTREAM_DETECTED_CLOSE_TYPE DOWNSTREAM_DIRECT_LOCAL_ADDRESS DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID
DOWNSTREAM_DIRECT_LOCAL_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_PORT
DOWNSTREAM_HANDSHAKE_DURATION DOWNSTREAM_HEADER_BYTES_RECEIVED DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS
DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID DOWNSTREAM_LOCAL_CLOSE_REASON DOWNSTREAM_LOCAL_DNS_SAN DOWNSTREAM_LOCAL_EMAIL_SAN
DOWNSTREAM_LOCAL_IP_SAN DOWNSTREAM_LOCAL_OTHERNAME_SAN DOWNSTREAM_LOCAL_PORT DOWNSTREAM_LOCAL_SUBJECT
DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1
DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256 DOWNSTREAM_PEER_CHAIN_SERIALS DOWNSTREAM_PEER_DNS_SAN DOWNSTREAM_PEER_EMAIL_SAN
DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_IP_SAN DOWNSTREAM_PEER_ISSUER
DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER_SERIAL DOWNSTREAM_PEER_OTHERNAME_SAN
DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS
DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_GROUP DOWNSTREAM_TLS_SESSION_ID DOWNSTREAM_TLS_VERSION
DOWNSTREAM_TRANSPORT_FAILURE_REASON DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION
FILTER_CHAIN_NAME GRPC_STATUS_NUMBER HOSTNAME LISTENER_NAME LOCAL_REPLY_BODY PROTOCOL REQUESTED_SERVER_NAME
REQUEST_DURATION REQUEST_HEADERS_BYTES REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_DURATION RESPONSE_FLAGS
RESPONSE_FLAGS_LONG RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUNDTRIP_DURATION ROUTE_NAME
ROUTE_RESOLUTION_COUNT ROUTE_RESOLUTION_TIME_US SPAN_ID STREAM_ID TLS_JA3_FINGERPRINT TLS_JA4_FINGERPRINT TRACE_ID
UNIQUE_ID UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_CONNECTION_ID UPSTREAM_CONNECTION_IDS_ATTEMPTED
UPSTREAM_CONNECTION_POOL_READY_DURATION UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED
UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT UPSTREAM_DETECTED_CLOSE_TYPE UPSTREAM_HEADER_BYTES_RECEIVED
UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST UPSTREAM_HOSTS_ATTEMPTED UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT
UPSTREAM_HOST_NAME UPSTREAM_HOST_NAMES_ATTEMPTED UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT
UPSTREAM_HOST_NAME_WITHOUT_PORT UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_CLOSE_REASON UPSTREAM_LOCAL_DNS_SAN
UPSTREAM_LOCAL_IP_SAN UPSTREAM_LOCAL_PORT UPSTREAM_LOCAL_URI_SAN UPSTREAM_PEER_CERT UPSTREAM_PEER_DNS_SAN
UPSTREAM_PEER_IP_SAN UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PEER_URI_SAN UPSTREAM_PROTOCOL
UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT
UPSTREAM_SERVER_NAME UPSTREAM_TLS_CIPHER UPSTREAM_TLS_GROUP UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION
UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME`
	// openCommands may have arguments.
	openCommands = `
DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT
DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_PEER_CERT_V_END DOWNSTREAM_PEER_CERT_V_START
DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT EMIT_TIME EMIT_TIME_LOCAL GRPC_STATUS PATH QUERY_PARAMS RESPONSE_CODE_DETAILS
START_TIME START_TIME_LOCAL UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START
UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT`
	// argumentCommands must have arguments.
	argumentCommands = `
CEL CLUSTER_METADATA COMMON_DURATION DYNAMIC_METADATA ENVIRONMENT FILTER_STATE METADATA PER_REQUEST_STATE QUERY_PARAM
UPSTREAM_FILTER_STATE UPSTREAM_METADATA`
	// headerCommands must have the name of a header as argument, and perhaps that
	// of another one.
	headerCommands = `
REQ REQUEST_HEADER RESP RESPONSE_HEADER RESPONSE_TRAILER STREAM_INFO_REQ TRAILER`
	// lengthCommands may have a length instead of arguments.
	lengthCommands = `PATH QUERY_PARAMS`
)

func isOneOf(words, word string) bool { return slices.Contains(strings.Fields(words), word) }

// commandProblem returns why Envoy rejects a command, "" if it accepts it.
// arguments are nil if there are no parentheses.
func commandProblem(name string, arguments, length *string) string {
	known := isOneOf(plainCommands, name) || isOneOf(openCommands, name) || isOneOf(argumentCommands, name) || isOneOf(headerCommands, name)
	empty := arguments == nil || *arguments == ""
	switch {
	case !known:
		return "is not a variable of the proxy"
	case length != nil && !isOneOf(lengthCommands, name):
		return "cannot have a length"
	case isOneOf(plainCommands, name) && !empty:
		return "takes no arguments"
	case empty && (isOneOf(argumentCommands, name) || isOneOf(headerCommands, name)):
		return "needs arguments"
	case empty:
		return ""
	case !argumentsFit(name, *arguments):
		return "has invalid arguments"
	default:
		return ""
	}
}

// argumentsFit reports whether Envoy accepts the arguments of a command.
func argumentsFit(name, arguments string) bool {
	parts := strings.Split(arguments, ":")
	switch name {
	case "GRPC_STATUS":
		return isOneOf("CAMEL_STRING SNAKE_STRING NUMBER", arguments)
	case "METADATA":
		return isOneOf("DYNAMIC CLUSTER ROUTE UPSTREAM_HOST LISTENER LISTENER_FILTER_CHAIN VIRTUAL_HOST", parts[0])
	case "COMMON_DURATION":
		return len(parts) == 2 || len(parts) == 3 && isOneOf("ms us ns", parts[2])
	case "FILTER_STATE", "UPSTREAM_FILTER_STATE":
		return parts[0] != "" && (len(parts) == 1 || len(parts) == 2 && isOneOf("PLAIN TYPED", parts[1]) || len(parts) == 3 && parts[1] == "FIELD" && parts[2] != "")
	case "PER_REQUEST_STATE":
		return len(parts) == 1
	case "PATH":
		return isOneOf("WQ NQ", parts[0]) && (len(parts) == 1 || len(parts) == 2 && isOneOf("ORIG PATH ORIG_OR_PATH", parts[1]))
	case "QUERY_PARAMS":
		return isOneOf("ORIG DECODED", arguments)
	case "START_TIME", "START_TIME_LOCAL", "EMIT_TIME", "EMIT_TIME_LOCAL":
		return !hasNewline(arguments)
	default:
		return !isOneOf(headerCommands, name) || areHeaders(arguments)
	}
}

// areHeaders reports whether a text is the name of a header, or of two with a
// question mark in between.
func areHeaders(text string) bool {
	names := strings.Split(text, "?")
	return len(names) <= 2 && !slices.ContainsFunc(names, func(name string) bool {
		return strings.ContainsFunc(strings.TrimPrefix(name, ":"), func(r rune) bool {
			return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("!#$&'*+-.^_`|~%", r)
		})
	})
}

// hasNewline reports whether a format of times contains the specifier of a
// newline, perhaps with flags and a width.
func hasNewline(format string) bool {
	for _, specifier := range strings.Split(format, "%")[1:] {
		specifier = strings.TrimLeft(strings.TrimLeft(specifier, "-_0^#"), "123456789")
		specifier = strings.TrimPrefix(strings.TrimPrefix(specifier, "E"), "O")
		if strings.HasPrefix(specifier, "n") {
			return true
		}
	}
	return false
}

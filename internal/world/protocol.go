package world

import (
	"strings"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Protocol is a protocol in Istio's spelling.
type Protocol string

// ProtocolUnknown is the protocol of a port that declares none: proxies detect
// it.
const ProtocolUnknown Protocol = ""

// ProtocolOf infers a port's protocol the way Istio does: UDP as such, then the
// application protocol, else the part of the port's name before the first dash,
// else by well-known number. Application protocols defined by
// Kubernetes have their own names.
func ProtocolOf(port discoveryv1.KubeServicePort) Protocol {
	if port.Protocol != "" && !strings.EqualFold(port.Protocol, "TCP") {
		return Protocol(strings.ToUpper(port.Protocol)) // UDP, SCTP
	}
	declared := port.AppProtocol
	switch declared {
	case "":
		declared = port.Name
	case "kubernetes.io/h2c":
		return "HTTP2"
	case "kubernetes.io/ws": // WebSockets
		return "HTTP"
	case "kubernetes.io/wss":
		return "HTTPS"
	}
	declared = strings.ToLower(declared)
	if strings.HasPrefix(declared, "grpc-web") {
		return "GRPC-Web"
	}
	token, _, _ := strings.Cut(declared, "-")
	for _, known := range [...]Protocol{"HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "UDP", "HTTP_PROXY", "Mongo", "Redis", "MySQL"} {
		if strings.EqualFold(token, string(known)) {
			return known
		}
	}
	switch port.Port {
	case 25, 53, 3306, 27017:
		return "TCP"
	}
	return ProtocolUnknown
}

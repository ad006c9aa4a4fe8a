package istio

import (
	"google.golang.org/protobuf/proto"
	security "istio.io/api/security/v1"
)

// Stage returns when an object of a cluster should be written: those of a lower
// stage first, so that routes never lead to hosts and subsets that are not there
// yet, clients know how to encrypt before servers ask for it, and everybody who
// is to be admitted is before all others are turned away. Objects are removed
// in the opposite order.
func (o *Object) Stage() int {
	switch o.Kind {
	case KindServiceEntry:
		return 0
	case KindDestinationRule:
		return 1
	case KindVirtualService, KindGateway:
		return 2
	case KindPeerAuthentication:
		return 3
	case KindAuthorizationPolicy:
		if proto.Equal(o.Spec, &security.AuthorizationPolicy{}) {
			return 4
		}
	}
	return 3
}

//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/meshctl/meshctl/hack/lab/machine"
)

// serveDNS answers the questions of the cluster's pods for names of Services,
// and of the lab's load balancers, until the context ends. There is no outside
// world: other names do not exist.
func (n *Node) serveDNS(ctx context.Context) error {
	if err := machine.AddAddress(n.Plan.DNS); err != nil {
		return err
	}
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", net.JoinHostPort(n.Plan.DNS.String(), "53"))
	if err != nil {
		return fmt.Errorf("serve DNS: %w", err)
	}
	context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // Nothing was written.
	go func() {
		buffer := make([]byte, 4096)
		for {
			size, from, err := conn.ReadFrom(buffer)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				continue
			}
			if answer, err := n.answer(buffer[:size]); err == nil {
				conn.WriteTo(answer, from) //nolint:errcheck // They ask again.
			}
		}
	}()
	return nil
}

// answer returns the response to a packed DNS question.
func (n *Node) answer(question []byte) ([]byte, error) {
	var message dnsmessage.Message
	if err := message.Unpack(question); err != nil || len(message.Questions) != 1 {
		return nil, fmt.Errorf("not a question: %w", err)
	}
	asked := message.Questions[0]
	response := dnsmessage.Message{
		Header: dnsmessage.Header{
			ID: message.ID, Response: true, Authoritative: true, RecursionDesired: message.RecursionDesired, RecursionAvailable: true,
		},
		Questions: message.Questions,
	}
	addresses, found := n.resolve(strings.TrimSuffix(asked.Name.String(), "."))
	if !found {
		response.RCode = dnsmessage.RCodeNameError
	}
	if asked.Type == dnsmessage.TypeA {
		for _, address := range addresses {
			response.Answers = append(response.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: asked.Name, Class: dnsmessage.ClassINET, TTL: 5},
				Body:   &dnsmessage.AResource{A: address.As4()},
			})
		}
	}
	return response.Pack()
}

// resolve returns the addresses of a name, and whether it exists.
func (n *Node) resolve(name string) ([]netip.Addr, bool) {
	if address, found := n.Network.named(strings.ToLower(name)); found {
		return []netip.Addr{address}, true
	}
	rest, ok := strings.CutSuffix(strings.ToLower(name), ".svc."+strings.ToLower(n.Domain))
	if !ok || n.services == nil {
		return nil, false
	}
	parts := strings.Split(rest, ".")
	if len(parts) < 2 {
		return nil, false
	}
	namespace, serviceName := parts[len(parts)-1], parts[len(parts)-2]
	service, err := n.services.Services(namespace).Get(serviceName)
	if err != nil {
		return nil, false
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return n.resolve(service.Spec.ExternalName)
	}
	if address, err := netip.ParseAddr(service.Spec.ClusterIP); err == nil {
		return []netip.Addr{address}, len(parts) == 2
	}
	return n.headless(service, parts[:len(parts)-2])
}

// headless returns the addresses of the pods behind a Service without an
// address of its own, or of one of them.
func (n *Node) headless(service *corev1.Service, pod []string) ([]netip.Addr, bool) {
	found, err := n.slices.EndpointSlices(service.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service.Name}))
	if err != nil {
		return nil, false
	}
	var addresses []netip.Addr
	for _, slice := range found {
		for i := range slice.Endpoints {
			endpoint := &slice.Endpoints[i]
			if endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready || len(endpoint.Addresses) == 0 {
				continue
			}
			if len(pod) > 0 && (endpoint.Hostname == nil || *endpoint.Hostname != strings.Join(pod, ".")) {
				continue
			}
			if address, err := netip.ParseAddr(endpoint.Addresses[0]); err == nil {
				addresses = append(addresses, address)
			}
		}
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return slices.Compact(addresses), len(addresses) > 0 || len(pod) == 0
}

//go:build linux

package node

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/meshctl/meshctl/hack/lab/machine"
)

// Network is what the nodes of a lab share: the packet filter, which keeps the
// pods of clusters apart and leads the addresses of Services to pods.
type Network struct {
	mu   sync.Mutex // Guards what follows.
	flat bool
	of   map[string]clusterRules
	last string
	// names are those of load balancers.
	names map[string]netip.Addr
}

// clusterRules is what one cluster contributes.
type clusterRules struct {
	plan      Plan
	services  []servicePort
	balancers []servicePort
}

// servicePort is one port of one address, and where it leads.
type servicePort struct {
	address  netip.Addr
	port     uint16
	protocol string
	backends []netip.AddrPort
}

// NewNetwork returns the network of a lab.
func NewNetwork() *Network {
	return &Network{of: map[string]clusterRules{}, names: map[string]netip.Addr{}}
}

// nameAddress makes all name servers answer with the address.
func (n *Network) nameAddress(name string, address netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names[name] = address
}

// named returns the address of a name.
func (n *Network) named(name string) (netip.Addr, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	address, found := n.names[name]
	return address, found
}

// addressesOf returns what a load balancer is reached by, none if that is not
// known.
func (n *Network) addressesOf(ingress corev1.LoadBalancerIngress) []netip.Addr {
	if address, err := netip.ParseAddr(ingress.IP); err == nil {
		return []netip.Addr{address}
	}
	if address, found := n.named(ingress.Hostname); found {
		return []netip.Addr{address}
	}
	return nil
}

// SetFlat says whether pods of different clusters reach each other directly.
func (n *Network) SetFlat(ctx context.Context, flat bool) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.flat = flat
	return n.write(ctx)
}

// update replaces the rules of a cluster.
func (n *Network) update(ctx context.Context, cluster string, rules clusterRules) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.of[cluster] = rules
	return n.write(ctx)
}

// write hands the rules to the kernel, all at once, unless nothing changed.
func (n *Network) write(ctx context.Context) error {
	ruleset := n.ruleset()
	if ruleset == n.last {
		return nil
	}
	if err := machine.Rules(ctx, ruleset); err != nil {
		return fmt.Errorf("write the packet filter: %w", err)
	}
	n.last = ruleset
	return nil
}

func (n *Network) ruleset() string {
	var b strings.Builder
	b.WriteString("table ip lab {}\ndelete table ip lab\ntable ip lab {\n")
	names := make([]string, 0, len(n.of))
	for name := range n.of {
		names = append(names, name)
	}
	slices.Sort(names)

	b.WriteString("  chain services {\n")
	for _, name := range names {
		rules := n.of[name]
		for _, s := range rules.services {
			// Others than the cluster's own pods do not know these addresses.
			writeService(&b, fmt.Sprintf("ip saddr { %s, 10.1.0.0/16, 127.0.0.0/8 } ", rules.plan.Pods), s)
		}
		for _, s := range rules.balancers {
			writeService(&b, "", s)
		}
	}
	b.WriteString("  }\n")
	b.WriteString("  chain prerouting { type nat hook prerouting priority -100; jump services; }\n")
	b.WriteString("  chain output { type nat hook output priority -100; jump services; }\n")

	b.WriteString("  chain forward {\n    type filter hook forward priority 0; policy accept;\n    ct state established,related accept\n")
	b.WriteString("    ct status dnat accept\n")
	for _, a := range names {
		fmt.Fprintf(&b, "    ip daddr %s reject with icmp type host-unreachable\n", n.of[a].plan.Services)
		for _, other := range names {
			if a != other && !n.flat {
				fmt.Fprintf(&b, "    ip saddr %s ip daddr %s reject with icmp type host-unreachable\n", n.of[a].plan.Pods, n.of[other].plan.Pods)
			}
		}
	}
	b.WriteString("  }\n}\n")
	return b.String()
}

func writeService(b *strings.Builder, condition string, s servicePort) {
	if len(s.backends) == 0 {
		return
	}
	fmt.Fprintf(b, "    %sip daddr %s %s dport %d dnat ip to ", condition, s.address, s.protocol, s.port)
	if len(s.backends) == 1 {
		fmt.Fprintf(b, "%s\n", s.backends[0])
		return
	}
	fmt.Fprintf(b, "numgen random mod %d map { ", len(s.backends))
	for i, backend := range s.backends {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(b, "%d : %s . %d", i, backend.Addr(), backend.Port())
	}
	b.WriteString(" }\n")
}

// serviceChanged asks for new rules.
func (n *Node) serviceChanged() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// settle is how long changes of Services are collected before rules are
// written: rollouts change many EndpointSlices at once.
const settle = 20 * time.Millisecond

// balance keeps the rules of the cluster's Services right until the context
// ends, and gives addresses to load balancers.
func (n *Node) balance(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.wake:
		}
		wait(ctx, settle)
		if err := n.assignBalancers(ctx); err != nil && ctx.Err() == nil {
			n.Log("load balancers of %s: %v", n.Cluster, err)
		}
		rules, err := n.rules()
		if err == nil {
			err = n.Network.update(ctx, n.Cluster, rules)
		}
		if err != nil && ctx.Err() == nil {
			n.Log("Services of %s: %v", n.Cluster, err)
		}
	}
}

func (n *Node) rules() (clusterRules, error) {
	rules := clusterRules{plan: n.Plan}
	services, err := n.services.List(labels.Everything())
	if err != nil {
		return rules, err
	}
	slices.SortFunc(services, func(a, b *corev1.Service) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	for _, service := range services {
		backends, err := n.backends(service)
		if err != nil {
			return rules, err
		}
		for i := range service.Spec.Ports {
			port := &service.Spec.Ports[i]
			s := servicePort{port: uint16(port.Port), protocol: strings.ToLower(string(port.Protocol)), backends: backends[port.Name]}
			if s.protocol == "sctp" {
				continue
			}
			if address, err := netip.ParseAddr(service.Spec.ClusterIP); err == nil {
				s.address = address
				rules.services = append(rules.services, s)
			}
			for _, address := range n.externalAddresses(service) {
				s.address = address
				rules.balancers = append(rules.balancers, s)
			}
			if port.NodePort != 0 {
				s.address, s.port = n.Plan.Host, uint16(port.NodePort)
				rules.balancers = append(rules.balancers, s)
			}
		}
	}
	return rules, nil
}

// externalAddresses returns what a Service is reached by at its own ports from
// outside of the cluster.
func (n *Node) externalAddresses(service *corev1.Service) []netip.Addr {
	var addresses []netip.Addr
	for _, ip := range service.Spec.ExternalIPs {
		if address, err := netip.ParseAddr(ip); err == nil {
			addresses = append(addresses, address)
		}
	}
	for _, ingress := range service.Status.LoadBalancer.Ingress {
		addresses = append(addresses, n.Network.addressesOf(ingress)...)
	}
	return addresses
}

// backends returns the ready pods behind a Service by the name of its ports.
func (n *Node) backends(service *corev1.Service) (map[string][]netip.AddrPort, error) {
	slicesOf, err := n.slices.EndpointSlices(service.Namespace).List(labels.SelectorFromSet(labels.Set{discoveryv1.LabelServiceName: service.Name}))
	if err != nil {
		return nil, err
	}
	backends := map[string][]netip.AddrPort{}
	for _, slice := range slicesOf {
		for _, port := range slice.Ports {
			if port.Port == nil {
				continue
			}
			name := ""
			if port.Name != nil {
				name = *port.Name
			}
			for i := range slice.Endpoints {
				endpoint := &slice.Endpoints[i]
				if endpoint.Conditions.Ready != nil && !*endpoint.Conditions.Ready || len(endpoint.Addresses) == 0 {
					continue
				}
				if address, err := netip.ParseAddr(endpoint.Addresses[0]); err == nil {
					backends[name] = append(backends[name], netip.AddrPortFrom(address, uint16(*port.Port)))
				}
			}
		}
	}
	for name := range backends {
		slices.SortFunc(backends[name], netip.AddrPort.Compare)
		backends[name] = slices.Compact(backends[name])
	}
	return backends, nil
}

//go:build linux

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// HostnameAnnotation makes a load balancer known by a name instead of its
// address, as some clouds do. All name servers of the lab know the name.
const HostnameAnnotation = "lab.meshctl.io/hostname"

// assignBalancers gives an address to every Service of type LoadBalancer that
// has none, as the controller of a cloud does.
func (n *Node) assignBalancers(ctx context.Context) error {
	services, err := n.services.List(labels.Everything())
	if err != nil {
		return err
	}
	slices.SortFunc(services, func(a, b *corev1.Service) int {
		return strings.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
	})
	used := map[string]bool{}
	for _, service := range services {
		for _, ingress := range service.Status.LoadBalancer.Ingress {
			for _, address := range n.Network.addressesOf(ingress) {
				used[address.String()] = true
			}
		}
	}
	var errs []error
	for _, service := range services {
		if service.Spec.Type != corev1.ServiceTypeLoadBalancer || len(service.Status.LoadBalancer.Ingress) > 0 {
			continue
		}
		address, err := freeAddress(n.Plan.LoadBalancers, used)
		if err != nil {
			return err
		}
		used[address.String()] = true
		ingress := corev1.LoadBalancerIngress{IP: address.String()}
		if name := service.Annotations[HostnameAnnotation]; name != "" {
			n.Network.nameAddress(name, address)
			ingress = corev1.LoadBalancerIngress{Hostname: name}
		}
		patch, err := json.Marshal(map[string]any{"status": corev1.ServiceStatus{
			LoadBalancer: corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{ingress}},
		}})
		if err != nil {
			return err
		}
		if _, err := n.Client.CoreV1().Services(service.Namespace).Patch(ctx, service.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
			errs = append(errs, fmt.Errorf("give an address to Service %s/%s: %w", service.Namespace, service.Name, err))
		}
	}
	return errors.Join(errs...)
}

func freeAddress(prefix netip.Prefix, used map[string]bool) (netip.Addr, error) {
	for address := prefix.Addr().Next(); prefix.Contains(address); address = address.Next() {
		if !used[address.String()] {
			return address, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("no address of %s is free", prefix)
}

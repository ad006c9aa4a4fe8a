package registration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// DeregistrationPlan says what a deregistration will do.
type DeregistrationPlan struct {
	Cluster string
	// Discovered is the number of discovered objects to delete from the management cluster.
	Discovered int
	// Applied is the configuration that meshctl applied to the cluster, by kind. It remains
	// there and stays in effect. AppliedErr is why it is not known.
	Applied    []AppliedKind
	AppliedErr error

	deregistrar *deregistrar
}

// AppliedKind is the applied configuration of one kind.
type AppliedKind struct {
	Resource schema.GroupVersionResource
	Count    int
}

// Protects reports whether objects of the kind deny calls or enforce TLS.
func (k AppliedKind) Protects() bool { return k.Resource.Group == securityGroup }

// AppliedCount returns the number of applied objects, and of those among them that deny calls
// or enforce TLS.
func (p *DeregistrationPlan) AppliedCount() (all, protecting int) {
	for _, k := range p.Applied {
		all += k.Count
		if k.Protects() {
			protecting += k.Count
		}
	}
	return all, protecting
}

// PlanDeregistration reads both clusters and writes nothing. If remote is nil, the registered
// credentials are used to remove themselves. It returns an error if the cluster is not
// registered, or, unless opts.Force is set, if it cannot be used.
func PlanDeregistration(ctx context.Context, management, remote *kube.Connection, opts DeregisterOptions, observe Observer) (*DeregistrationPlan, error) {
	d := &deregistrar{management: management, remote: remote, opts: opts, observe: observe, result: Deregistration{Cluster: opts.Cluster}}
	p := &DeregistrationPlan{Cluster: opts.Cluster, deregistrar: d}
	if err := observe.phase(opts.Cluster, PhasePreflight, func() (string, error) { return "", p.look(ctx) }); err != nil {
		return nil, adviseAdministrator(management, remote, opts.Namespace, err, kube.ViewRole, kube.EditRole, kube.AdminRole)
	}
	return p, nil
}

func (p *DeregistrationPlan) look(ctx context.Context) error {
	d := p.deregistrar
	if err := d.find(ctx); err != nil {
		return err
	}
	if err := d.reach(ctx); err != nil {
		return err
	}
	for _, gvk := range discoveredKinds() {
		found, _, err := d.discovered(ctx, gvk)
		if err != nil {
			return err
		}
		p.Discovered += len(found)
	}
	p.AppliedErr = d.memberErr
	if d.memberErr == nil && !d.isForeign(ctx) {
		p.Applied, p.AppliedErr = d.applied(ctx)
	}
	return ctx.Err()
}

// isForeign reports whether another management cluster has since registered the cluster under
// this name. The configuration there then belongs to it.
func (d *deregistrar) isForeign(ctx context.Context) bool {
	role := d.found.member.clusterRole()
	object, err := kube.Get(ctx, d.member, kube.ObjectKey{GVK: role.GroupVersionKind(), Name: role.GetName()})
	return err == nil && !kube.IsOwned(object, d.found.member.labels())
}

// find reads the registration.
func (d *deregistrar) find(ctx context.Context) error {
	found, err := findRegistration(ctx, d.management, d.opts.Namespace, d.opts.Cluster)
	if kube.IsReason(err, kube.ReasonNotFound) && d.remote != nil {
		// An incomplete registration may remain on the cluster.
		if incomplete := d.findIncomplete(ctx); incomplete != nil {
			found, err = incomplete, nil
		}
	}
	if err != nil {
		return err
	}
	d.found = found
	if found.object == nil {
		return nil
	}
	return d.management.CheckOwner("deregister cluster "+d.opts.Cluster, found.object, found.member.labels())
}

// reach checks that the cluster can be used and is the registered one.
func (d *deregistrar) reach(ctx context.Context) error {
	d.member = d.remote
	if d.member == nil {
		d.member, d.memberErr = d.registeredConnection()
	}
	if d.memberErr == nil {
		d.memberErr = d.found.confirm(ctx, d.member)
	}
	switch err := d.memberErr; {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case d.opts.Force && (d.remote == nil || isDead(err) && !kube.IsReason(err, kube.ReasonUnusable)):
		return nil
	default:
		return adviseForce(err)
	}
}

// Labels of applied configuration and of discovered objects.
const (
	appliedOwnerLabel   = "owner.networking.mesh.gloo.solo.io"
	appliedClusterLabel = "cluster.multicluster.solo.io"
	discoveryOwnerLabel = "owner.discovery.mesh.gloo.solo.io"
	discoveredInLabel   = "cluster.discovery.mesh.gloo.solo.io"
)

// securityGroup is the API group of Istio for authorization and mutual TLS.
const securityGroup = "security.istio.io"

// istioKinds returns the resources of Istio that meshctl applies.
func istioKinds() []schema.GroupVersionResource {
	networking := schema.GroupVersion{Group: "networking.istio.io", Version: "v1"}
	security := schema.GroupVersion{Group: securityGroup, Version: "v1"}
	return []schema.GroupVersionResource{
		networking.WithResource("destinationrules"), networking.WithResource("gateways"), networking.WithResource("serviceentries"),
		networking.WithResource("virtualservices"), security.WithResource("authorizationpolicies"), security.WithResource("peerauthentications"),
	}
}

// appliedSelector selects the configuration applied to the cluster from this management
// cluster.
func (d *deregistrar) appliedSelector() string {
	return metav1.FormatLabelSelector(&metav1.LabelSelector{
		MatchLabels: map[string]string{appliedOwnerLabel: d.opts.Namespace, appliedClusterLabel: d.opts.Cluster},
	})
}

// applied counts the configuration applied to the cluster, by kind.
func (d *deregistrar) applied(ctx context.Context) ([]AppliedKind, error) {
	type answer struct {
		count int
		err   error
	}
	answers := kube.ParallelRequests(istioKinds(), func(resource schema.GroupVersionResource) answer {
		found, err := kube.ListMetadata(ctx, d.member, resource, kube.ListOptions{Labels: d.appliedSelector()})
		if kube.IsReason(err, kube.ReasonNoSuchKind) {
			err = nil // no objects of the kind can exist
		}
		return answer{len(found), err}
	})
	var applied []AppliedKind
	var errs []error
	for i, a := range answers {
		if a.count > 0 {
			applied = append(applied, AppliedKind{istioKinds()[i], a.count})
		}
		if a.err != nil && len(errs) == 0 { // the errors are alike
			errs = append(errs, a.err)
		}
	}
	return applied, errors.Join(errs...)
}

// AppliedLeftover says how to remove the configuration that remains on the cluster; nil if
// there is none.
func (p *DeregistrationPlan) AppliedLeftover() *Leftover {
	d := p.deregistrar
	kinds := p.Applied
	count, _ := p.AppliedCount()
	left := &Leftover{Cluster: p.Cluster, Object: text.Count(count, "object") + " of applied configuration"}
	switch {
	case p.AppliedErr != nil:
		left.Object = "configuration that meshctl applied, if there is any"
		kinds = nil
		for _, resource := range istioKinds() {
			kinds = append(kinds, AppliedKind{Resource: resource})
		}
	case count == 0:
		return nil
	}
	resources := make([]string, len(kinds))
	for i, k := range kinds {
		resources[i] = k.Resource.GroupResource().String()
	}
	slices.Sort(resources)
	if d.remote != nil {
		left.Command = kubectl(d.remote, d.opts.RemoteKubeconfig, "delete", strings.Join(resources, ","), "--all-namespaces", "--selector", d.appliedSelector())
	}
	if left.Command == "" {
		left.Advice = fmt.Sprintf("delete the objects with labels %s in all namespaces of the cluster (%s)", d.appliedSelector(), strings.Join(resources, ", "))
	}
	return left
}

// addAppliedLeftover adds the configuration applied to the cluster to the leftovers: it stays in
// effect, but is no longer maintained.
func (d *deregistrar) addAppliedLeftover(p *DeregistrationPlan) {
	if left := p.AppliedLeftover(); left != nil {
		d.result.Leftovers = append(d.result.Leftovers, *left)
	}
}

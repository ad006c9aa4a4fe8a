package world

import (
	"slices"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Pods are some of the pods behind a Service: all have a proxy, or none has.
type Pods struct {
	// Workload is nil if they belong to none that is known.
	Workload *Workload
	// Bare is true if they are known to have no proxy.
	Bare bool
	// Part is true if other pods of the workload, or of the Service if there is no
	// workload, differ.
	Part bool
	// Unowned is true if endpoints are known, but no workload that they belong to, and
	// discovery did not record whether they have a proxy. Discovery finds the workloads
	// of meshes, so they probably have none.
	Unowned bool
}

// Proxies returns how many of the pods have a proxy, or do without one in ambient
// mode; by default all of them (D46).
func (w *Workload) Proxies() discoveryv1.Presence {
	presence, _ := w.HasProxy()
	if ambient, _ := w.InAmbient(); ambient {
		return discoveryv1.PresenceAll
	}
	return presence
}

// PodsBehind returns the pods behind a Service, in the order of its workloads
// (D50). There is always at least one element.
func (w *World) PodsBehind(d *Destination) []Pods {
	pods := make([]Pods, 0, len(d.Backing)+1)
	ofService, _ := d.HasProxy()
	ambient := false
	for _, id := range d.Backing {
		workload := &w.Workloads[id]
		presence := workload.Proxies()
		if _, known := workload.HasProxy(); !known && ofService == discoveryv1.PresenceNone {
			presence = discoveryv1.PresenceNone
		}
		if is, _ := workload.InAmbient(); is {
			ambient = true
		}
		pods = appendPods(pods, workload, presence)
	}
	switch {
	case len(d.Backing) == 0:
		pods = appendPods(pods, nil, ofService)
		if _, known := d.HasProxy(); !known && d.IsService() {
			pods[0].Unowned = slices.ContainsFunc(d.Resource.Spec.KubeService.EndpointSubsets, func(s discoveryv1.EndpointsSubset) bool { return len(s.Endpoints) > 0 })
		}
		return pods
	case ofService != discoveryv1.PresenceAll && !ambient && !slices.ContainsFunc(pods, func(p Pods) bool { return p.Bare }):
		// The pods without a proxy belong to no workload.
		return append(pods, Pods{Bare: true, Part: true})
	default:
		return pods
	}
}

func appendPods(pods []Pods, workload *Workload, presence discoveryv1.Presence) []Pods {
	part := presence == discoveryv1.PresenceSome
	if presence != discoveryv1.PresenceNone {
		pods = append(pods, Pods{Workload: workload, Part: part})
	}
	if presence != discoveryv1.PresenceAll {
		pods = append(pods, Pods{Workload: workload, Bare: true, Part: part})
	}
	return pods
}

// HasBarePods reports whether any pod behind a Service is known to have no proxy.
func (w *World) HasBarePods(d *Destination) bool {
	return slices.ContainsFunc(w.PodsBehind(d), func(p Pods) bool { return p.Bare })
}

// HasUnownedPods reports whether the pods behind a Service belong to no known
// workload, so that they probably have no proxy.
func (w *World) HasUnownedPods(d *Destination) bool {
	return slices.ContainsFunc(w.PodsBehind(d), func(p Pods) bool { return p.Unowned })
}

// Name names the pods for sentences about the pods behind a Service.
func (p Pods) Name() string {
	kind := "pods with a proxy"
	if p.Bare {
		kind = "pods without a proxy"
	}
	switch {
	case p.Workload == nil:
		return kind
	case p.Part:
		return kind + " of " + p.Workload.Name
	default:
		return p.Workload.Name
	}
}

// LabelTLSMode is the label of pods whose proxy accepts mutual TLS.
const LabelTLSMode = "security.istio.io/tlsMode"

// MayHaveEndpointWith reports whether a known endpoint of the Service is a pod with some
// labels, or one that belongs to no known workload, whose labels are not known.
func (d *Destination) MayHaveEndpointWith(labels map[string]string) bool {
	return d.hasEndpoint(func(e *discoveryv1.Endpoint) bool { return len(e.Labels) == 0 || HasLabels(e.Labels, labels) })
}

// HasLabelledPods reports whether any known pod behind the Service has the label by
// which proxies of other clusters know that it accepts mutual TLS.
func (d *Destination) HasLabelledPods() bool {
	return d.hasEndpoint(func(e *discoveryv1.Endpoint) bool { return e.Labels[LabelTLSMode] == "istio" })
}

func (d *Destination) hasEndpoint(is func(*discoveryv1.Endpoint) bool) bool {
	if !d.IsService() {
		return false
	}
	for _, group := range d.Resource.Spec.KubeService.EndpointSubsets {
		for i := range group.Endpoints {
			if is(&group.Endpoints[i]) {
				return true
			}
		}
	}
	return false
}

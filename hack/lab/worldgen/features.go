package worldgen

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Features returns what a world exercises, sorted, as it stands in its objects:
// `TrafficPolicy retries`, `port grpc`, `foreign Sidecar` and the like.
func (w World) Features() []string {
	f := features{}
	f.add(fmt.Sprintf("clusters %d", len(w.Clusters)))
	if w.Flat {
		f.add("network flat")
	} else {
		f.add("network gateways")
	}
	for _, c := range w.Clusters {
		for _, o := range c.Objects {
			f.ofObject(o)
		}
	}
	for _, o := range w.Management {
		f.ofResource(o)
	}
	return f.sorted()
}

type features map[string]bool

func (f features) add(name string) { f[name] = true }

func (f features) sorted() []string {
	var names []string
	for name := range f {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (f features) ofObject(o unstructured.Unstructured) {
	if strings.Contains(o.GetAPIVersion(), "istio.io") {
		f.add("foreign " + o.GetKind())
		return
	}
	spec, _ := o.Object["spec"].(object)
	if o.GetKind() == "Deployment" && spec["replicas"] != int64(1) {
		f.add("replicas")
	}
	if o.GetKind() != "Service" || o.GetName() == GatewayName {
		return
	}
	ports, _ := spec["ports"].(list)
	f.add(fmt.Sprintf("ports %d", min(len(ports), 3)))
	for _, p := range ports {
		p := p.(object)
		protocol, _, _ := strings.Cut(p["name"].(string), "-")
		f.add("port " + protocol)
		switch target := p["targetPort"].(type) {
		case string:
			f.add("target port by name")
		default:
			if target != p["port"] {
				f.add("target port differs")
			}
		}
	}
}

// ofResource names the fields that a meshctl resource sets, two levels deep, and
// the values of those that are words.
func (f features) ofResource(o unstructured.Unstructured) {
	spec, _ := o.Object["spec"].(object)
	f.fields(o.GetKind(), spec, 0)
	shift, _, _ := unstructured.NestedSlice(o.Object, "spec", "policy", "trafficShift", "destinations")
	for _, d := range shift {
		target, _, _ := unstructured.NestedMap(d.(object), "kubeService")
		if target["subset"] != nil {
			f.add("shift to subset")
		} else {
			f.add("shift to Service")
		}
	}
}

func (f features) fields(at string, fields object, depth int) {
	for name, value := range fields {
		place := at + " " + name
		f.add(place)
		switch value := value.(type) {
		case object:
			if depth < 4 && !slices.Contains([]string{"labels", "subset", "appendRequestHeaders", "appendResponseHeaders"}, name) {
				f.fields(place, value, depth+1)
			}
		case list:
			for _, item := range value {
				if item, isObject := item.(object); isObject && depth < 4 {
					f.fields(place, item, depth+1)
				}
			}
		case string:
			if value == strings.ToUpper(value) && strings.ContainsAny(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
				f.add(place + " " + value)
			}
		}
	}
}

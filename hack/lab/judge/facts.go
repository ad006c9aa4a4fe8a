package judge

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// kind is the protocol of a port, as Istio reads it from its name.
type kind string

const (
	kindHTTP       kind = "http"
	kindHTTP2      kind = "http2"
	kindGRPC       kind = "grpc"
	kindTCP        kind = "tcp"
	kindUndeclared kind = "undeclared"
)

// routed reports whether routes act on the requests of such a port.
func (k kind) routed() bool { return k != kindTCP }

// facts is what the raw objects of a world say, without the product.
type facts struct {
	services  map[Ref]*service
	workloads map[WorkloadRef]*workload
	foreign   []foreign
}

type service struct {
	Ref
	selector map[string]string
	ports    []servicePort
	backends []*workload
	gateway  bool
}

type servicePort struct {
	number uint16
	kind   kind
	target intstr.IntOrString
}

type workload struct {
	WorkloadRef
	labels map[string]string
	ports  map[string]uint16
	// injected says that a proxy stands before the pods.
	injected bool
	gateway  bool
}

// container returns the port of the workload's pods behind a port of a Service,
// 0 if they have none.
func (w *workload) container(p servicePort) uint16 {
	switch {
	case p.target.Type == intstr.String:
		return w.ports[p.target.StrVal]
	case p.target.IntVal > 0 && p.target.IntVal < 65536:
		return uint16(p.target.IntVal)
	default:
		return p.number
	}
}

func (s *service) port(number uint16) (servicePort, bool) {
	i := slices.IndexFunc(s.ports, func(p servicePort) bool { return p.number == number })
	if i < 0 {
		return servicePort{}, false
	}
	return s.ports[i], true
}

func hasLabels(labels, want map[string]string) bool {
	for key, value := range want {
		if labels[key] != value {
			return false
		}
	}
	return true
}

// readFacts reads the objects of every cluster.
func readFacts(world worldgen.World) (*facts, error) {
	f := &facts{services: map[Ref]*service{}, workloads: map[WorkloadRef]*workload{}}
	for _, cluster := range world.Clusters {
		injected := map[string]bool{worldgen.IstioNamespace: true}
		for _, o := range cluster.Objects {
			convert := func(into any) error {
				if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into); err != nil {
					return fmt.Errorf("read %s %s of cluster %s: %w", o.GetKind(), o.GetName(), cluster.Name, err)
				}
				return nil
			}
			switch o.GetKind() {
			case "Namespace":
				injected[o.GetName()] = injected[o.GetName()] || o.GetLabels()["istio-injection"] == "enabled"
			case "Deployment":
				d := &appsv1.Deployment{}
				if err := convert(d); err != nil {
					return nil, err
				}
				f.addWorkload(cluster.Name, d, injected[d.Namespace])
			case "Service":
				s := &corev1.Service{}
				if err := convert(s); err != nil {
					return nil, err
				}
				f.addService(cluster.Name, s)
			default:
				if strings.Contains(o.GetAPIVersion(), "istio.io/") {
					f.foreign = append(f.foreign, foreign{cluster.Name, cluster.Domain, o})
				}
			}
		}
	}
	for _, s := range f.services {
		for _, w := range f.workloads {
			if w.Cluster == s.Cluster && w.Namespace == s.Namespace && len(s.selector) > 0 && hasLabels(w.labels, s.selector) {
				s.backends = append(s.backends, w)
				s.gateway = s.gateway || w.gateway
			}
		}
		slices.SortFunc(s.backends, func(a, b *workload) int { return strings.Compare(a.String(), b.String()) })
	}
	return f, nil
}

func (f *facts) addWorkload(cluster string, d *appsv1.Deployment, injected bool) {
	template := d.Spec.Template
	w := &workload{
		WorkloadRef: Ref{d.Name, d.Namespace, cluster}, labels: template.Labels, ports: map[string]uint16{}, injected: injected,
		gateway: template.Labels["istio"] == "ingressgateway",
	}
	switch template.Labels["sidecar.istio.io/inject"] {
	case "true":
		w.injected = true
	case "false":
		w.injected = false
	}
	for _, c := range template.Spec.Containers {
		for _, p := range c.Ports {
			w.ports[p.Name] = uint16(p.ContainerPort)
		}
	}
	f.workloads[w.WorkloadRef] = w
}

func (f *facts) addService(cluster string, s *corev1.Service) {
	result := &service{Ref: Ref{s.Name, s.Namespace, cluster}, selector: s.Spec.Selector}
	for _, p := range s.Spec.Ports {
		result.ports = append(result.ports, servicePort{number: uint16(p.Port), kind: kindOf(p), target: p.TargetPort})
	}
	f.services[result.Ref] = result
}

// kindOf follows Istio's protocol selection.
func kindOf(p corev1.ServicePort) kind {
	name := p.Name
	if p.AppProtocol != nil {
		name = *p.AppProtocol
	}
	token, _, _ := strings.Cut(strings.ToLower(name), "-")
	switch token {
	case "http":
		return kindHTTP
	case "http2":
		return kindHTTP2
	case "grpc":
		return kindGRPC
	case "tcp", "tls", "https", "mongo", "redis", "mysql":
		return kindTCP
	default:
		return kindUndeclared
	}
}

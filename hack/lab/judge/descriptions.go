// Package judge asks a mesh real questions and holds what happens against what
// `meshctl describe workload --all-destinations -o json` says.
package judge

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Ref names a Service or a workload.
type Ref struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Cluster   string `json:"cluster"`
}

// String returns NAME.NAMESPACE.CLUSTER.
func (r Ref) String() string { return r.Name + "." + r.Namespace + "." + r.Cluster }

// WorkloadRef names a workload.
type WorkloadRef = Ref

// Verdict is what is said about a call.
type Verdict string

// The verdicts. Conditional is never an expectation: it is decided for each
// request.
const (
	Allowed     Verdict = "ALLOWED"
	Denied      Verdict = "DENIED"
	Conditional Verdict = "CONDITIONAL"
	// Unreachable means that no answer comes, whatever the access rules say.
	Unreachable Verdict = "UNREACHABLE"
	// Unknown means that something opaque decides.
	Unknown Verdict = "UNKNOWN"
)

// Via is the way that requests take.
type Via string

// The ways.
const (
	Local   Via = "local"
	Gateway Via = "gateway"
	Flat    Via = "flat"
)

// Object names a policy.
type Object struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// Descriptions is what the product says about all workloads of a world.
type Descriptions struct {
	Kind  string        `json:"kind"`
	Items []Description `json:"items"`
}

// Description is what the product says about one workload.
type Description struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Cluster     string            `json:"cluster"`
	Labels      map[string]string `json:"labels"`
	Identity    string            `json:"identity"`
	Mesh        *struct{}         `json:"mesh"`
	VirtualMesh *struct {
		TLSEnforcement string `json:"tlsEnforcement"`
	} `json:"virtualMesh"`
	Outbound []Outbound `json:"outbound"`
	Inbound  []Inbound  `json:"inbound"`
}

// Ref returns the name of the workload.
func (d Description) Ref() WorkloadRef { return Ref{d.Name, d.Namespace, d.Cluster} }

// Outbound is a Service that the workload reaches.
type Outbound struct {
	Destination Ref       `json:"destination"`
	Hostname    string    `json:"hostname"`
	Via         Via       `json:"via"`
	Access      Access    `json:"access"`
	Routes      []Route   `json:"routes"`
	Connection  []Setting `json:"connection"`
	Targets     []Target  `json:"targets"`
}

// Target is a Service that shifts and mirrors send requests to.
type Target struct {
	// Subset is empty for all pods of the Destination.
	Subset      map[string]string `json:"subset"`
	Destination Ref               `json:"destination"`
	Access      Access            `json:"access"`
}

// Access is the verdict about calls.
type Access struct {
	Verdict    Verdict     `json:"verdict"`
	Reason     string      `json:"reason"`
	Policies   []Object    `json:"policies"`
	Conditions []Condition `json:"conditions"`
	// Ports are the ports of the Service, if they differ.
	Ports []PortAccess `json:"ports"`
}

// PortAccess is the verdict about calls to one port.
type PortAccess struct {
	Port    uint16  `json:"port"`
	Verdict Verdict `json:"verdict"`
}

// Condition is one alternative under which a call is let in.
type Condition struct {
	Paths                []string `json:"paths"`
	Methods              []string `json:"methods"`
	Ports                []uint16 `json:"ports"`
	RequestPrincipals    []string `json:"requestPrincipals"`
	NotRequestPrincipals []string `json:"notRequestPrincipals"`
	ForwardedIPs         []string `json:"forwardedIPs"`
	NotForwardedIPs      []string `json:"notForwardedIPs"`
}

// Route is one class of requests.
type Route struct {
	Match    *Match    `json:"match"`
	Ports    []uint16  `json:"ports"`
	Settings []Setting `json:"settings"`
}

// Match says which requests a route takes.
type Match struct {
	URI             *core.StringMatch            `json:"uri"`
	Method          string                       `json:"method"`
	Headers         []core.HeaderMatcher         `json:"headers"`
	QueryParameters []core.QueryParameterMatcher `json:"queryParameters"`
}

// Setting is one setting of a route or of connections.
type Setting struct {
	Field  string          `json:"field"`
	Value  json.RawMessage `json:"value"`
	Policy Object          `json:"policy"`
	Ports  []uint16        `json:"ports"`
}

// Inbound is a Service that the workload serves.
type Inbound struct {
	Destination Ref `json:"destination"`
	Access      struct {
		Default string       `json:"default"`
		Rules   []AccessRule `json:"rules"`
	} `json:"access"`
}

// AccessRule is one alternative by which callers are let in.
type AccessRule struct {
	From *struct {
		Principals           []string `json:"principals"`
		Namespaces           []string `json:"namespaces"`
		RequestPrincipals    []string `json:"requestPrincipals"`
		NotRequestPrincipals []string `json:"notRequestPrincipals"`
		ForwardedIPs         []string `json:"forwardedIPs"`
		NotForwardedIPs      []string `json:"notForwardedIPs"`
	} `json:"from"`
	To *Condition `json:"to"`
}

// ReadDescriptions reads the list. It refuses verdicts, ways and settings that it
// does not know: they would be compared as if they were not there.
func ReadDescriptions(from io.Reader) (Descriptions, error) {
	var d Descriptions
	if err := json.NewDecoder(from).Decode(&d); err != nil {
		return Descriptions{}, fmt.Errorf("read the descriptions of workloads: %w", err)
	}
	if d.Kind != "WorkloadDescriptionList" {
		return Descriptions{}, fmt.Errorf("read the descriptions of workloads: this is a %q", d.Kind)
	}
	for _, item := range d.Items {
		for _, o := range item.Outbound {
			if err := o.check(); err != nil {
				return Descriptions{}, fmt.Errorf("read what workload %s is said to get from %s: %w", item.Ref(), o.Destination, err)
			}
		}
		for _, i := range item.Inbound {
			if i.Access.Default != "ALLOW" && i.Access.Default != "DENY" {
				return Descriptions{}, fmt.Errorf("read who may call workload %s: unknown default %q", item.Ref(), i.Access.Default)
			}
		}
	}
	return d, nil
}

func (o *Outbound) check() error {
	verdicts := []Verdict{o.Access.Verdict}
	for _, target := range o.Targets {
		verdicts = append(verdicts, target.Access.Verdict)
	}
	for _, v := range verdicts {
		if !slices.Contains([]Verdict{Allowed, Denied, Conditional, Unreachable, Unknown}, v) {
			return fmt.Errorf("unknown verdict %q", v)
		}
	}
	if !slices.Contains([]Via{Local, Gateway, Flat}, o.Via) {
		return fmt.Errorf("unknown way %q", o.Via)
	}
	for _, route := range o.Routes {
		for _, s := range route.Settings {
			if !slices.Contains(routeFields(), s.Field) {
				return fmt.Errorf("unknown setting %q of a route", s.Field)
			}
		}
	}
	for _, s := range o.Connection {
		if !slices.Contains(connectionFields(), s.Field) {
			return fmt.Errorf("unknown setting %q of connections", s.Field)
		}
	}
	return nil
}

// The fields of settings.
const (
	fieldShift   = "trafficShift"
	fieldFault   = "faultInjection"
	fieldTimeout = "requestTimeout"
	fieldRetries = "retries"
	fieldCORS    = "corsPolicy"
	fieldMirror  = "mirror"
	fieldHeaders = "headerManipulation"
	fieldTLS     = "mtls"

	fieldOutliers = "outlierDetection"
)

func routeFields() []string {
	return []string{fieldShift, fieldFault, fieldTimeout, fieldRetries, fieldCORS, fieldMirror, fieldHeaders}
}

// connectionFields are not compared one by one, but TLS modes are: calls fail by
// them.
func connectionFields() []string {
	return []string{fieldTLS, fieldOutliers, "connectionPoolSettings", "tcpKeepalive"}
}

// readDuration reads a value such as "1.5s".
func readDuration(value json.RawMessage, into *time.Duration) error {
	var d core.Duration
	if err := json.Unmarshal(value, &d); err != nil {
		return err
	}
	*into = d.Std()
	return nil
}

// about returns what the product says about calls from a workload to a Service,
// nil if nothing.
func (d Descriptions) about(from WorkloadRef, to Ref) (*Description, *Outbound) {
	for i := range d.Items {
		if d.Items[i].Ref() != from {
			continue
		}
		for k := range d.Items[i].Outbound {
			if o := &d.Items[i].Outbound[k]; o.Destination == to {
				return &d.Items[i], o
			}
		}
	}
	return nil, nil
}

// workload returns the description of a workload, nil if there is none.
func (d Descriptions) workload(ref WorkloadRef) *Description {
	for i := range d.Items {
		if d.Items[i].Ref() == ref {
			return &d.Items[i]
		}
	}
	return nil
}

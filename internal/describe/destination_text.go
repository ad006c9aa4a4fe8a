package describe

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

func (*DestinationDescription) columns() []view.Column {
	return append([]view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "CLUSTER"},
		{Name: "MESH", Priority: 6},
		{Name: "PORTS", Content: view.ItemList, Shown: shownNames, Priority: 3},
		{Name: "FEDERATED-TO", Priority: 5},
		{Name: "WORKLOADS", Priority: 4},
		{Name: "TRAFFIC", Priority: 2},
		{Name: "ACCESS", Priority: 1},
		{Name: "FINDINGS"},
	}, view.WideColumns("TYPE", "VIRTUAL-MESH", "GLOBAL-ACCESS", "HOSTNAME", "FEDERATED-HOSTNAME")...)
}

func (d *DestinationDescription) row(wide bool) []string {
	mesh := view.None
	if d.Mesh != nil {
		mesh = d.Mesh.Name
	}
	row := []string{
		d.Namespace, d.Name, view.OrNone(d.Cluster), mesh, d.portsText(), strconv.Itoa(len(d.FederatedTo)),
		strconv.Itoa(*d.WorkloadCount), strconv.Itoa(len(d.TrafficPolicies)), strconv.Itoa(len(d.AccessPolicies)), strconv.Itoa(d.findings),
	}
	if wide {
		access := view.None
		if vm := d.VirtualMesh; vm != nil {
			access = vm.GlobalAccessPolicy
		}
		row = append(row, d.Type, d.VirtualMesh.label(), access, view.OrNone(d.Hostname), view.OrNone(d.FederatedHostname))
	}
	return row
}

// label returns the name, with the state unless it is ACCEPTED; None for nil.
func (s *VirtualMeshSummary) label() string {
	if s == nil {
		return view.None
	}
	name := ObjectRef{s.Namespace, s.Name}.String()
	if s.State == "ACCEPTED" {
		return name
	}
	return name + " (" + s.State + ")"
}

func (d *DestinationDescription) portsText() string {
	texts := make([]string, 0, len(d.Ports))
	for _, p := range d.Ports {
		text := strconv.FormatUint(uint64(p.Port), 10)
		if p.Protocol != "" {
			text += "/" + p.Protocol
		}
		texts = append(texts, text)
	}
	return view.Items(texts)
}

func (d *DestinationDescription) write(w *view.Text) {
	var federated []string
	if d.FederatedHostname != "" {
		how := "through the gateways of its mesh"
		if d.FederatedVia == policy.ViaFlat {
			how = "straight to its pods"
		}
		federated = []string{d.FederatedHostname, fmt.Sprintf("to %s, %s", enumerate(RefNames(d.FederatedTo), w.Wide), how)}
	}
	pairs := []view.Field{
		{Key: "Name", Value: d.Name},
		{Key: "Namespace", Value: d.Namespace},
		{Key: "Cluster", Value: view.OrNone(d.Cluster)},
		{Key: "Type", Value: d.Type},
		{Key: "Labels", Items: labelTexts(d.Labels)},
	}
	if d.Type == typeExternal {
		w.Fields(append(pairs, view.Field{Key: "Hosts", Items: d.Hosts}, view.Field{Key: "Addresses", Items: d.ExternalAddresses}))
		d.writePorts(w)
		return
	}
	pairs = append(pairs,
		view.Field{Key: "Selector", Items: labelTexts(d.Selector)},
		view.Field{Key: "Hostname", Value: view.OrNone(d.Hostname)},
		view.Field{Key: "Federated", Items: federated},
		view.Field{Key: "Mesh", Value: d.Mesh.text()},
		d.VirtualMesh.field(),
	)
	if len(d.ExternalAddresses) > 0 {
		pairs = append(pairs, view.Field{Key: "Addresses", Items: d.ExternalAddresses})
	}
	if g := d.Gateway; g != nil {
		pairs = append(pairs, view.Field{Key: "Gateway", Value: fmt.Sprintf("requests of other clusters enter the mesh here: %s, to port %d of its pods", g.address(), g.ContainerPort)})
	}
	pairs = append(pairs, serviceFacts(d.Facts)...)
	w.Fields(append(pairs, view.Field{Key: "Workloads", Items: d.Workloads}))
	d.writePorts(w)
	writePoliciesOn(w, "Traffic Policies", d.TrafficPolicies, func() {
		// Rejected settings are more specific than the errors of the policies.
		for _, r := range d.Rejected {
			w.Marked(bad("rejected"), fmt.Sprintf(" %s: %s", r.Policy, r.Reason))
		}
	})
	writePoliciesOn(w, "Access Policies", d.AccessPolicies, func() {
		for _, p := range d.AccessPolicies {
			for _, e := range p.Errors {
				w.Marked(bad("rejected"), fmt.Sprintf(" %s: %s", ObjectRef{p.Namespace, p.Name}, e))
			}
		}
	})
	for i := range d.Access {
		d.Access[i].write(w)
	}
	d.writeRequests(w)
}

// text describes the mesh in one line.
func (m *MeshSummary) text() string {
	if m == nil {
		return view.None
	}
	facts := strings.TrimSpace(m.Type + " " + m.Version)
	if m.TrustDomain != "" {
		facts += ", trust domain " + m.TrustDomain
	}
	return fmt.Sprintf("%s.%s (%s)", m.Name, m.Namespace, facts)
}

// field returns the virtual mesh and its state as a field of a description.
func (s *VirtualMeshSummary) field() view.Field {
	field := view.Field{Key: "Virtual Mesh", Value: view.None}
	if s != nil {
		field.Value = fmt.Sprintf("%s.%s (%s, trust %s, global access policy %s, TLS enforcement %s)",
			s.Name, s.Namespace, s.State, s.Trust, s.GlobalAccessPolicy, s.TLSEnforcement)
		field.State = stateWord(s.State)
	}
	return field
}

// RefNames returns the texts of references, such as NAME.NAMESPACE.
func RefNames[R fmt.Stringer](refs []R) []string {
	names := make([]string, 0, len(refs))
	for _, r := range refs {
		names = append(names, r.String())
	}
	return names
}

// enumerate joins names for a sentence. Unless all is set, it only counts those
// beyond the first few.
func enumerate(names []string, all bool) string {
	if all {
		return strings.Join(names, ", ")
	}
	return text.Bounded(names, shownNames)
}

func (d *DestinationDescription) writePorts(w *view.Text) {
	w.Section("Ports", len(d.Ports) == 0, func() {
		rows := make([][]string, 0, len(d.Ports))
		for _, p := range d.Ports {
			routes, nodePort := "no", view.None
			if p.Routes {
				routes = "yes"
			}
			if p.NodePort != 0 {
				nodePort = strconv.FormatUint(uint64(p.NodePort), 10)
			}
			number := strconv.FormatUint(uint64(p.Port), 10)
			target := p.TargetPort
			if target == "" {
				target = number
			}
			protocol := p.Protocol
			if protocol == "" {
				protocol = "detected"
			}
			rows = append(rows, []string{number, view.OrNone(p.Name), protocol, target, nodePort, routes})
		}
		w.Table(view.Table{Columns: []view.Column{
			{Name: "PORT"}, {Name: "NAME"}, {Name: "PROTOCOL"}, {Name: "TARGET", Priority: 1}, {Name: "NODE-PORT", Priority: 2}, {Name: "ROUTES"},
		}, Rows: rows})
	})
}

// writePoliciesOn writes policies and, from reasons, why some are not effective.
func writePoliciesOn(w *view.Text, title string, policies []PolicyOnDestination, reasons func()) {
	w.Section(title, len(policies) == 0, func() {
		rows := make([][]string, 0, len(policies))
		for _, p := range policies {
			rows = append(rows, []string{ObjectRef{p.Namespace, p.Name}.String(), shownState(string(p.State)), view.Items(p.Fields)})
		}
		w.Table(policiesTable(rows))
		reasons()
	})
}

func (a *DestinationAccess) write(w *view.Text) {
	switch {
	case len(a.Workloads) > 0:
		w.Section("On "+strings.Join(a.Workloads, ", "), false, func() { a.writeRules(w) })
	default:
		a.writeRules(w)
	}
}

func (a *DestinationAccess) writeRules(w *view.Text) {
	if a.OpenGateway {
		w.Linef("Access:  allowed for all callers, because it is an ingress gateway")
		return
	}
	a.InboundAccess.write(w)
}

// writeRequests writes the routes and settings of requests, once for all clusters
// with the same ones.
func (d *DestinationDescription) writeRequests(w *view.Text) {
	for i, origin := range d.Requests {
		same := func(o OriginRequests) bool {
			return reflect.DeepEqual(o.Routes, origin.Routes) && reflect.DeepEqual(o.Connection, origin.Connection)
		}
		if slices.ContainsFunc(d.Requests[:i], same) {
			continue
		}
		var from []string
		for _, o := range d.Requests[i:] {
			if same(o) {
				from = append(from, fmt.Sprintf("%s (%s)", o.FromCluster, o.Via))
			}
		}
		w.Section("Requests from "+enumerate(from, w.Wide), len(origin.Routes)+len(origin.Connection) == 0, func() { origin.write(w) })
	}
}

func (o OriginRequests) write(w *view.Text) {
	var rows [][]string
	add := func(callers, match, field string, values []string, from string) {
		for i, value := range values {
			if i > 0 {
				callers, match, field, from = "", "", "", ""
			}
			rows = append(rows, []string{callers, match, field, value, from})
		}
	}
	several := slices.ContainsFunc(o.Routes, func(r CallerRoute) bool { return !slices.Equal(r.Ports, o.Routes[0].Ports) })
	for i, r := range o.Routes {
		callers, match := r.Callers.text(), r.Match.Text()
		if i > 0 && r.Match == nil && r.Callers == nil {
			match = "all other requests"
		}
		if several {
			match += " on " + strings.Join(operationText(nil, nil, r.Ports), "")
		}
		if len(r.Settings) == 0 {
			add(callers, match, "-", []string{"no policy"}, view.None)
		}
		for _, s := range r.Settings {
			from := s.Policy.String()
			if s.Inherited {
				from += " (inherited)"
			}
			add(callers, match, s.Field, feature.Lines(s.Field, s.Value), from)
			callers, match = "", ""
		}
	}
	last := ""
	for _, c := range o.Connection {
		callers, match := "anyone", "every connection"
		if len(c.Ports) > 0 {
			match = "connections to " + strings.Join(operationText(nil, nil, c.Ports), "")
		}
		if match == last {
			callers, match = "", ""
		} else {
			last = match
		}
		add(callers, match, c.Field, feature.Lines(c.Field, c.Value), c.Policy.String())
	}
	columns := append([]view.Column{{Name: "CALLERS", Content: view.Prose, Priority: 1}}, settingColumns()...)
	w.Table(view.Table{Columns: columns, Rows: rows})
}

func (c *CallerSet) text() string {
	if c == nil {
		return "anyone"
	}
	var parts []string
	if c.Namespace != "" {
		parts = append(parts, "namespace "+c.Namespace)
	}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		parts = append(parts, k+"="+c.Labels[k])
	}
	return strings.Join(parts, " ")
}

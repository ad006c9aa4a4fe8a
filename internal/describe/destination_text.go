package describe

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

func (*DestinationDescription) columns(wide bool) []string {
	header := []string{"NAMESPACE", "NAME", "CLUSTER", "MESH", "PORTS", "FEDERATED-TO", "WORKLOADS", "TRAFFIC", "ACCESS", "FINDINGS"}
	if wide {
		header = append(header, "TYPE", "VIRTUAL-MESH", "GLOBAL-ACCESS", "HOSTNAME", "FEDERATED-HOSTNAME")
	}
	return header
}

func (d *DestinationDescription) row(wide bool) []string {
	mesh := none
	if d.Mesh != nil {
		mesh = d.Mesh.Name
	}
	row := []string{
		d.Namespace, d.Name, orNone(d.Cluster), mesh, d.portsText(), strconv.Itoa(len(d.FederatedTo)),
		strconv.Itoa(*d.WorkloadCount), strconv.Itoa(len(d.TrafficPolicies)), strconv.Itoa(len(d.AccessPolicies)), strconv.Itoa(d.findings),
	}
	if wide {
		virtualMesh, access := none, none
		if vm := d.VirtualMesh; vm != nil {
			virtualMesh, access = vm.label(), vm.GlobalAccessPolicy
		}
		row = append(row, d.Type, virtualMesh, access, orNone(d.Hostname), orNone(d.FederatedHostname))
	}
	return row
}

// label returns the name, with the state if it is not the usual one.
func (s *VirtualMeshSummary) label() string {
	if s.State == "ACCEPTED" {
		return s.Name
	}
	return s.Name + " (" + s.State + ")"
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
	return shorten(texts, false)
}

func (d *DestinationDescription) write(w *textWriter, wide bool) {
	federated := none
	if d.FederatedHostname != "" {
		how := "through the gateways of its mesh"
		if d.FederatedVia == policy.ViaFlat {
			how = "straight to its pods"
		}
		federated = fmt.Sprintf("%s\nto %s, %s", d.FederatedHostname, enumerate(refNames(d.FederatedTo), wide), how)
	}
	pairs := [][2]string{
		{"Name", d.Name},
		{"Namespace", d.Namespace},
		{"Cluster", orNone(d.Cluster)},
		{"Type", d.Type},
		{"Labels", formatLabels(d.Labels)},
	}
	if d.Type == typeExternal {
		w.fields(append(pairs, [2]string{"Hosts", orNone(strings.Join(d.Hosts, "\n"))}, [2]string{"Addresses", orNone(strings.Join(d.ExternalAddresses, "\n"))}))
		d.writePorts(w)
		return
	}
	pairs = append(pairs,
		[2]string{"Selector", formatLabels(d.Selector)},
		[2]string{"Hostname", orNone(d.Hostname)},
		[2]string{"Federated", federated},
		[2]string{"Mesh", d.Mesh.text()},
		[2]string{"Virtual Mesh", d.VirtualMesh.text(w)},
	)
	if len(d.ExternalAddresses) > 0 {
		pairs = append(pairs, [2]string{"Addresses", strings.Join(d.ExternalAddresses, "\n")})
	}
	if g := d.Gateway; g != nil {
		pairs = append(pairs, [2]string{"Gateway", fmt.Sprintf("requests of other clusters enter the mesh here: %s, to port %d of its pods", g.address(), g.ContainerPort)})
	}
	w.fields(append(pairs, [2]string{"Workloads", orNone(strings.Join(d.Workloads, "\n"))}))
	d.writePorts(w)
	writePoliciesOn(w, "Traffic Policies", d.TrafficPolicies, func() {
		// They say more than the errors of the policies.
		for _, r := range d.Rejected {
			w.linef("%s %s: %s", w.style.paint(ansiRed, "rejected"), r.Policy, r.Reason)
		}
	})
	writePoliciesOn(w, "Access Policies", d.AccessPolicies, func() {
		for _, p := range d.AccessPolicies {
			for _, e := range p.Errors {
				w.linef("%s %s: %s", w.style.paint(ansiRed, "rejected"), ObjectRef{p.Namespace, p.Name}, e)
			}
		}
	})
	for i := range d.Access {
		d.Access[i].write(w)
	}
	d.writeRequests(w, wide)
}

// text says which mesh it is.
func (m *MeshSummary) text() string {
	if m == nil {
		return none
	}
	facts := strings.TrimSpace(m.Type + " " + m.Version)
	if m.TrustDomain != "" {
		facts += ", trust domain " + m.TrustDomain
	}
	return fmt.Sprintf("%s.%s (%s)", m.Name, m.Namespace, facts)
}

func (s *VirtualMeshSummary) text(w *textWriter) string {
	if s == nil {
		return none
	}
	return fmt.Sprintf("%s.%s (%s, trust %s, global access policy %s, TLS enforcement %s)",
		s.Name, s.Namespace, w.style.state(s.State), s.Trust, s.GlobalAccessPolicy, s.TLSEnforcement)
}

func refNames(refs []ObjectRef) []string {
	names := make([]string, 0, len(refs))
	for _, r := range refs {
		names = append(names, r.String())
	}
	return names
}

// enumerate joins names within a sentence, and counts those beyond the first
// few unless all are wanted.
func enumerate(names []string, all bool) string {
	if all || len(names) <= shownNames {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ", "), len(names)-shownNames)
}

func (d *DestinationDescription) writePorts(w *textWriter) {
	w.section("Ports", len(d.Ports) == 0, func() {
		rows := make([][]string, 0, len(d.Ports))
		for _, p := range d.Ports {
			routes, nodePort := "no", none
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
			rows = append(rows, []string{number, orNone(p.Name), protocol, target, nodePort, routes})
		}
		w.table([]string{"PORT", "NAME", "PROTOCOL", "TARGET", "NODE-PORT", "ROUTES"}, rows)
	})
}

// writePoliciesOn writes policies and, by reasons, why some are not in force.
func writePoliciesOn(w *textWriter, title string, policies []PolicyOnDestination, reasons func()) {
	w.section(title, len(policies) == 0, func() {
		rows := make([][]string, 0, len(policies))
		for _, p := range policies {
			rows = append(rows, []string{ObjectRef{p.Namespace, p.Name}.String(), w.style.state(string(p.State)), orNone(strings.Join(p.Fields, ","))})
		}
		w.table([]string{"NAME", "STATE", "FIELDS"}, rows)
		reasons()
	})
}

func (a *DestinationAccess) write(w *textWriter) {
	switch {
	case len(a.Workloads) > 0:
		w.section("On "+strings.Join(a.Workloads, ", "), false, func() { a.writeRules(w) })
	default:
		a.writeRules(w)
	}
}

func (a *DestinationAccess) writeRules(w *textWriter) {
	if a.OpenGateway {
		w.linef("Access:  open to everybody, because it is an ingress gateway")
		return
	}
	a.InboundAccess.write(w)
}

// writeRequests writes what happens to requests, once for all clusters whose
// requests are treated alike.
func (d *DestinationDescription) writeRequests(w *textWriter, wide bool) {
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
		w.section("Requests from "+enumerate(from, wide), len(origin.Routes)+len(origin.Connection) == 0, func() { origin.write(w) })
	}
}

func (o OriginRequests) write(w *textWriter) {
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
		callers, match := r.Callers.text(), r.Match.text()
		if i > 0 && r.Match == nil && r.Callers == nil {
			match = "all other requests"
		}
		if several {
			match += " on " + strings.Join(operationText(nil, nil, r.Ports), "")
		}
		if len(r.Settings) == 0 {
			add(callers, match, "-", []string{"no policy"}, none)
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
	w.table([]string{"CALLERS", "MATCH", "SETTING", "VALUE", "FROM"}, rows)
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

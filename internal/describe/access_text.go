package describe

import (
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output/view"
)

// Why returns the reason of the verdict, with the conditions if it is
// conditional.
func (a Access) Why() string {
	var alternatives []string
	for _, c := range a.Conditions {
		alternatives = append(alternatives, strings.Join(append(
			operationText(c.Paths, c.Methods, c.Ports), c.RequestCondition.text()...), " "))
	}
	if len(alternatives) == 0 {
		return a.Reason
	}
	return a.Reason + ": only " + strings.Join(alternatives, " or ")
}

func operationText(paths, methods []string, ports []uint32) []string {
	var parts []string
	if len(methods) > 0 {
		parts = append(parts, strings.Join(methods, ","))
	}
	if len(paths) > 0 {
		parts = append(parts, strings.Join(paths, ","))
	}
	if len(ports) > 0 {
		numbers := make([]string, 0, len(ports))
		for _, p := range ports {
			numbers = append(numbers, strconv.FormatUint(uint64(p), 10))
		}
		parts = append(parts, "port "+strings.Join(numbers, ","))
	}
	return parts
}

func (c RequestCondition) text() []string {
	var parts []string
	for _, p := range []struct {
		name   string
		values []string
	}{
		{"request principal", c.RequestPrincipals},
		{"not request principal", c.NotRequestPrincipals},
		{"forwarded IP", c.ForwardedIPs},
		{"not forwarded IP", c.NotForwardedIPs},
	} {
		if len(p.values) > 0 {
			parts = append(parts, p.name+" "+strings.Join(p.values, ","))
		}
	}
	return parts
}

func (d *WorkloadDescription) writeInbound(w *view.Text) {
	w.Section("Inbound", len(d.Inbound) == 0, func() {
		for _, in := range d.Inbound {
			w.Linef("%s", in.Destination)
			w.Nested(func() { in.write(w) })
		}
	})
}

func (in *InboundDestination) write(w *view.Text) {
	federated := view.None
	if in.FederatedHostname != "" {
		meshes := make([]string, 0, len(in.FederatedTo))
		for _, m := range in.FederatedTo {
			meshes = append(meshes, m.String())
		}
		federated = in.FederatedHostname + " (to " + strings.Join(meshes, ", ") + ")"
	}
	w.Fields([]view.Field{{Key: "Hostname", Value: in.Hostname}, {Key: "Federated", Value: federated}})
	w.Section("Traffic Policies", len(in.TrafficPolicies) == 0, func() {
		rows := make([][]string, 0, len(in.TrafficPolicies))
		for _, p := range in.TrafficPolicies {
			rows = append(rows, []string{
				ObjectRef{p.Namespace, p.Name}.String(), shownState(string(p.State)), view.Items(p.Fields),
			})
		}
		w.Table(policiesTable(rows))
	})
	in.Access.write(w)
}

func (a *InboundAccess) write(w *view.Text) {
	title := "Access (allowed by default)"
	if a.Default == "DENY" {
		title = "Access (denied unless listed)"
	}
	w.Section(title, len(a.Rules) == 0, func() {
		rows := make([][]string, 0, len(a.Rules))
		for _, r := range a.Rules {
			name := r.Policy.String()
			if r.Destination != nil {
				name += " (on " + r.Destination.String() + ")"
			}
			for i, from := range r.From.lines() {
				if i > 0 {
					rows = append(rows, []string{"", from, ""})
					continue
				}
				rows = append(rows, []string{name, from, r.To.text()})
			}
		}
		w.Table(view.Table{Columns: []view.Column{{Name: "POLICY"}, {Name: "FROM", Content: view.Prose}, {Name: "TO", Content: view.Prose}}, Rows: rows})
	})
}

// lines returns the alternatives, one per line.
func (s *AccessSource) lines() []string {
	if s == nil {
		return []string{"anyone"}
	}
	alternatives := slices.Clone(s.Principals)
	for _, n := range s.Namespaces {
		alternatives = append(alternatives, "namespace "+n)
	}
	switch {
	case s.Nobody:
		return []string{"nobody"}
	case len(alternatives) == 0:
		alternatives = []string{"anyone"}
	}
	for i, who := range alternatives {
		alternatives[i] = strings.Join(append([]string{who}, s.RequestCondition.text()...), " with ")
	}
	return alternatives
}

func (o *AccessOperation) text() string {
	if o == nil {
		return "everything"
	}
	return strings.Join(operationText(o.Paths, o.Methods, o.Ports), " ")
}

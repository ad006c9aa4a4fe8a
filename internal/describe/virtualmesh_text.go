package describe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

func (d *VirtualMeshDescription) reference() string {
	return "virtualmesh/" + ObjectRef{d.Namespace, d.Name}.String()
}

func (*VirtualMeshDescription) columns() []view.Column {
	return append(
		view.Columns("NAMESPACE", "NAME", "STATE", "MESHES", "TRUST", "DEFAULT-ACCESS", "TLS", "EXPORTED", "FINDINGS"),
		view.WideColumns("ROOT", "SUFFIX", "NETWORK", "MEMBERS")...)
}

func (d *VirtualMeshDescription) row(wide bool) []string {
	exported := 0
	members := make([]string, 0, len(d.Meshes))
	for _, m := range d.Meshes {
		members = append(members, m.Name)
		if m.ExportedDestinationCount != nil {
			exported += *m.ExportedDestinationCount
		}
	}
	row := []string{
		d.Namespace, d.Name, d.State, strconv.Itoa(len(d.Meshes)), string(d.Trust.Model), d.DefaultAccess, d.TLSEnforcement,
		strconv.Itoa(exported), strconv.Itoa(d.findings),
	}
	if wide {
		suffix, network := view.None, view.None
		if f := d.Federation; f != nil {
			suffix, network = f.HostnameSuffix, f.network()
		}
		row = append(row, view.OrNone(d.Trust.Root), suffix, network, shorten(members, true))
	}
	return row
}

// network says in a word how clusters reach each other.
func (f *FederationDescription) network() string {
	if f.FlatNetwork {
		return "flat"
	}
	return "gateway"
}

func (d *VirtualMeshDescription) write(w *view.Text) {
	access := "allowed"
	if d.DefaultAccess == "DENY" {
		access = "denied"
	}
	w.Fields([]view.Field{
		{Key: "Name", Value: d.Name},
		{Key: "Namespace", Value: d.Namespace},
		{Key: "State", Value: d.State, State: stateWord(d.State)},
		{Key: "Trust", Value: d.Trust.Text()},
		{Key: "Access", Value: fmt.Sprintf("%s where no AccessPolicy decides (global access policy %s)", access, d.GlobalAccessPolicy)},
		{Key: "TLS Enforcement", Value: d.TLSEnforcement},
	})
	for _, e := range d.Errors {
		w.Marked(bad("error"), " "+e)
	}
	d.Federation.write(w)
	w.Section("Meshes", len(d.Meshes) == 0, func() {
		rows := make([][]string, 0, len(d.Meshes))
		for _, m := range d.Meshes {
			state := m.State
			if m.ClaimedBy != nil {
				state += " by " + m.ClaimedBy.String()
			}
			rows = append(rows, []string{ObjectRef{m.Namespace, m.Name}.String(), state, view.OrNone(m.Cluster), view.OrNone(m.Type), view.OrNone(m.TrustDomain)})
		}
		w.Table(view.Table{Columns: stateColumns("NAME", "STATE", "CLUSTER", "TYPE", "TRUST-DOMAIN"), Rows: rows})
	})
	for i := range d.Meshes {
		if m := &d.Meshes[i]; m.State == memberAccepted {
			w.Section("Shared by "+ObjectRef{m.Namespace, m.Name}.String(), false, func() {
				w.Fields(m.MeshSharing.fields())
				m.writeExported(w)
			})
		}
	}
}

// Text says how meshes trust each other, one fact a line.
func (t TrustDescription) Text() string {
	lines := []string{string(t.Model)}
	switch t.Root {
	case "generated":
		lines[0] += ", root generated"
		lines = append(lines, "root: "+t.RootOptions.text())
	case "secret":
		lines[0] += ", root in Secret " + t.Secret.String()
	case "vault":
		lines[0] += ", root in Vault"
		if t.Vault.Server != "" {
			lines[0] += " at " + t.Vault.Server
		}
	}
	if t.IntermediateOptions != nil {
		lines = append(lines, "intermediate of each mesh: "+t.IntermediateOptions.text(), "rotation "+t.RotationStrategy)
	}
	if r := t.Rotation; r != nil {
		line := "root CA rotation: " + r.State
		if r.Since != "" {
			line += " since " + r.Since
		}
		lines = append(lines, line)
		if r.Message != "" {
			lines = append(lines, "  "+r.Message)
		}
		for _, e := range r.Errors {
			lines = append(lines, "  error: "+e)
		}
	}
	if t.AutoRestartPods {
		lines = append(lines, "pods restart when certificates change")
	}
	return strings.Join(lines, "\n")
}

func (o *CertificateOptions) text() string {
	return fmt.Sprintf("%d days, RSA %d bits, organisation %s, renewed in the last %s of its life",
		o.TTLDays, o.RSAKeyBits, o.OrgName, percentOf(o.RenewBefore))
}

func percentOf(ratio float64) string { return strconv.FormatFloat(ratio*100, 'g', 6, 64) + "%" }

func (f *FederationDescription) write(w *view.Text) {
	w.Section("Federation", f == nil, func() {
		network := "through east-west gateways"
		if f.FlatNetwork {
			network = "flat: straight to the pods of other clusters"
		}
		keepalive := view.None
		if k := f.TCPKeepalive; k != nil {
			keepalive = strings.Join(feature.Lines(feature.TCPKeepalive, k), ", ")
		}
		w.Fields([]view.Field{
			{Key: "Exposes", Value: view.OrNone(strings.Join(f.Exposes, "\n"))},
			{Key: "Hostname Suffix", Value: f.HostnameSuffix},
			{Key: "Network", Value: network},
			{Key: "TCP Keepalive", Value: keepalive},
		})
	})
}

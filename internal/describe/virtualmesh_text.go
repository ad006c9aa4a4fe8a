package describe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy/feature"
)

func (d *VirtualMeshDescription) reference() string {
	return "virtualmesh/" + ObjectRef{d.Namespace, d.Name}.String()
}

func (*VirtualMeshDescription) columns() []view.Column {
	return []view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "STATE", Tone: toneOf},
		{Name: "WRITTEN", Tone: writtenTone, Priority: 1},
		{Name: "MESHES", Priority: 4},
		{Name: "TRUST", Priority: 3},
		{Name: "DEFAULT-ACCESS"},
		{Name: "TLS", Priority: 2},
		{Name: "EXPORTED", Priority: 5},
		{Name: "FINDINGS"},
		{Name: "ROOT", Wide: true},
		{Name: "SUFFIX", Wide: true},
		{Name: "NETWORK", Wide: true},
		{Name: "MEMBERS", Wide: true, Content: view.ItemList},
	}
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
		d.Namespace, d.Name, d.State, d.Written.cell(), strconv.Itoa(len(d.Meshes)), string(d.Trust.Model), d.DefaultAccess, d.TLSEnforcement,
		strconv.Itoa(exported), strconv.Itoa(d.findings),
	}
	if wide {
		suffix, network := view.None, view.None
		if f := d.Federation; f != nil {
			suffix, network = f.HostnameSuffix, f.network()
		}
		row = append(row, view.OrNone(d.Trust.Root), suffix, network, view.Items(members))
	}
	return row
}

// network returns "flat" or "gateway": how clusters reach each other.
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
		d.Written.field(),
		{Key: "Trust", Items: d.Trust.facts()},
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
		w.Table(view.Table{Columns: []view.Column{
			{Name: "NAME"}, {Name: "STATE", Tone: toneOf}, {Name: "CLUSTER", Priority: 1}, {Name: "TYPE", Priority: 3}, {Name: "TRUST-DOMAIN", Priority: 2},
		}, Rows: rows})
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

// Text describes how meshes trust each other.
func (t TrustDescription) Text() string { return strings.Join(t.facts(), "\n") }

// facts returns the lines of Text.
func (t TrustDescription) facts() []string {
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
	return lines
}

func (o *CertificateOptions) text() string {
	return fmt.Sprintf("%s, RSA %d bits, organisation %s, renewed in the last %s of its life",
		text.Count(int(o.TTLDays), "day"), o.RSAKeyBits, o.OrgName, percentOf(o.RenewBefore))
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
			{Key: "Exposes", Items: f.Exposes},
			{Key: "Hostname Suffix", Value: f.HostnameSuffix},
			{Key: "Network", Value: network},
			{Key: "TCP Keepalive", Value: keepalive},
		})
	})
}

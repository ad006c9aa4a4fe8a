package describe

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
)

func (d *VirtualMeshDescription) reference() string {
	return "virtualmesh/" + ObjectRef{d.Namespace, d.Name}.String()
}

func (*VirtualMeshDescription) columns(wide bool) []string {
	header := []string{"NAMESPACE", "NAME", "STATE", "MESHES", "TRUST", "DEFAULT-ACCESS", "TLS", "EXPORTED", "FINDINGS"}
	if wide {
		header = append(header, "ROOT", "SUFFIX", "NETWORK", "MEMBERS")
	}
	return header
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
		suffix, network := none, none
		if f := d.Federation; f != nil {
			suffix, network = f.HostnameSuffix, f.network()
		}
		row = append(row, orNone(d.Trust.Root), suffix, network, shorten(members, true))
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

func (d *VirtualMeshDescription) write(w *textWriter, _ bool) {
	access := "allowed"
	if d.DefaultAccess == "DENY" {
		access = "denied"
	}
	w.fields([][2]string{
		{"Name", d.Name},
		{"Namespace", d.Namespace},
		{"State", w.style.state(d.State)},
		{"Trust", d.Trust.text()},
		{"Access", fmt.Sprintf("%s where no AccessPolicy decides (global access policy %s)", access, d.GlobalAccessPolicy)},
		{"TLS Enforcement", d.TLSEnforcement},
	})
	for _, e := range d.Errors {
		w.linef("%s %s", w.style.paint(ansiRed, "error"), e)
	}
	d.Federation.write(w)
	w.section("Meshes", len(d.Meshes) == 0, func() {
		rows := make([][]string, 0, len(d.Meshes))
		for _, m := range d.Meshes {
			state := w.style.state(m.State)
			if m.ClaimedBy != nil {
				state += " by " + m.ClaimedBy.String()
			}
			rows = append(rows, []string{ObjectRef{m.Namespace, m.Name}.String(), state, orNone(m.Cluster), orNone(m.Type), orNone(m.TrustDomain)})
		}
		w.table([]string{"NAME", "STATE", "CLUSTER", "TYPE", "TRUST-DOMAIN"}, rows)
	})
	for i := range d.Meshes {
		if m := &d.Meshes[i]; m.State == memberAccepted {
			w.section("Shared by "+ObjectRef{m.Namespace, m.Name}.String(), false, func() {
				w.fields(m.MeshSharing.fields())
				m.writeExported(w)
			})
		}
	}
}

// text says how meshes trust each other, one fact a line.
func (t TrustDescription) text() string {
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
		line := "the root is being exchanged: " + r.State
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

func (f *FederationDescription) write(w *textWriter) {
	w.section("Federation", f == nil, func() {
		network := "through east-west gateways"
		if f.FlatNetwork {
			network = "flat: straight to the pods of other clusters"
		}
		keepalive := none
		if k := f.TCPKeepalive; k != nil {
			keepalive = strings.Join(feature.Lines(feature.TCPKeepalive, k), ", ")
		}
		w.fields([][2]string{
			{"Exposes", orNone(strings.Join(f.Exposes, "\n"))},
			{"Hostname Suffix", f.HostnameSuffix},
			{"Network", network},
			{"TCP Keepalive", keepalive},
		})
	})
}

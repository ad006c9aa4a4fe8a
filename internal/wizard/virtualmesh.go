package wizard

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// VirtualMesh asks for what the draft of a VirtualMesh does not have. It fails
// before the first question if no mesh can be grouped, and says why.
func VirtualMesh(p Prompter, c Catalogue, d *Draft[render.VirtualMeshInput]) error {
	f, v := newVirtualMesh(p, c, d)
	if !f.given("mesh") && d.Input.Meshes == nil {
		if err := v.possible(); err != nil {
			return err
		}
	}
	if err := f.run(); err != nil {
		return err
	}
	v.fillDefaults()
	return nil
}

// RevisitVirtualMesh lets the user change any part of a draft that is complete.
func RevisitVirtualMesh(p Prompter, c Catalogue, d *Draft[render.VirtualMeshInput]) error {
	f, _ := newVirtualMesh(p, c, d)
	return f.revisit()
}

// virtualMesh is the questions about one VirtualMesh.
type virtualMesh struct {
	*flow
	in *render.VirtualMeshInput
	// own is the VirtualMesh itself, as NAME.NAMESPACE: what it has is free.
	own func() string
}

func newVirtualMesh(p Prompter, c Catalogue, d *Draft[render.VirtualMeshInput]) (*flow, *virtualMesh) {
	f := newFlow(p, c, d)
	v := &virtualMesh{flow: f, in: d.Input, own: func() string { return d.Name + "." + d.Namespace }}
	f.sections = []section{
		naming(f, d, "virtual mesh", "virtual-mesh",
			"The name of the virtual mesh, for example the environment: prod."),
		{
			title: "Meshes", basic: true, flags: []string{"mesh"}, ask: v.askMeshes,
			set: func() bool { return v.in.Meshes != nil },
			now: func() string { return listText(v.in.Meshes, objectText) },
		},
		{
			title: "Federation", basic: true, flags: []string{"federate"}, ask: v.askFederation,
			set: func() bool { return v.in.Federate != nil },
			now: v.federationText,
		},
		{
			title: "Default access", basic: true, flags: []string{"global-access-policy"}, ask: v.askAccess,
			set: func() bool { return v.in.GlobalAccessPolicy != nil },
			now: func() string { return accessText(valueOf(v.in.GlobalAccessPolicy)) },
		},
		{title: "Trust", ask: v.askTrust, now: v.trustText},
		{title: "Mesh certificates", ask: v.askIntermediate, now: func() string { return certificateText(v.in.Intermediate) }},
		{title: "Rotation and restarts", ask: v.askRotation, now: v.rotationText},
		{title: "TLS enforcement", ask: v.askEnforcement, now: func() string { return enforcementText(valueOf(v.in.TLSEnforcement)) }},
		{title: "Federation details", ask: v.askFederationDetails, now: v.federationDetailsText},
		{title: "Gateways", ask: v.askGateways, now: v.gatewaysText},
	}
	return f, v
}

// fillDefaults decides what was not asked: trust is shared, from a generated
// root.
func (v *virtualMesh) fillDefaults() {
	if v.in.Trust == nil {
		shared := render.TrustShared
		v.in.Trust = &shared
	}
}

// possible says why no VirtualMesh can be created, nil if one can.
func (v *virtualMesh) possible() error {
	if len(v.known.Meshes) == 0 {
		return errors.New("no mesh found: register a cluster that runs one " +
			"('meshctl cluster register'), read manifests with -f, or name meshes with --mesh")
	}
	if len(v.freeMeshes()) > 0 {
		return nil
	}
	var taken []string
	for _, m := range v.known.Meshes {
		taken = append(taken, fmt.Sprintf("%s is in %s", objectText(m.Ref), m.VirtualMesh))
	}
	return fmt.Errorf("all meshes already belong to a virtual mesh: %s; remove one from its virtual mesh first, "+
		"or change that virtual mesh", strings.Join(taken, ", "))
}

// freeMeshes are those that no other VirtualMesh has.
func (v *virtualMesh) freeMeshes() []MeshChoice {
	return slices.DeleteFunc(slices.Clone(v.known.Meshes), func(m MeshChoice) bool {
		return m.VirtualMesh != "" && m.VirtualMesh != v.own()
	})
}

func (v *virtualMesh) askMeshes() error {
	free := v.freeMeshes()
	choices := make([]choice[core.ObjectRef], len(free))
	current := v.in.Meshes
	for i, m := range free {
		choices[i] = choice[core.ObjectRef]{m.Ref, objectText(m.Ref), meshDetail(m)}
		if v.in.Meshes == nil {
			current = append(current, m.Ref)
		}
	}
	help := "The selected meshes trust each other and can call each other's services. All available meshes are selected."
	if taken := v.takenMeshes(); taken != "" {
		help += " Not available: " + taken + "; a mesh belongs to at most one virtual mesh."
	}
	meshes, err := pickMany(v.flow, Question{Text: "Which meshes?", Help: help, AtLeastOne: true}, choices, current)
	if err != nil {
		return err
	}
	v.in.Meshes = meshes
	if v.federatesOutside() {
		// A selector must not name a mesh that is not a member (D14).
		v.in.Federate = v.federatedInside()
		return v.askFederation()
	}
	return nil
}

func (v *virtualMesh) takenMeshes() string {
	var taken []MeshChoice
	for _, m := range v.known.Meshes {
		if m.VirtualMesh != "" && m.VirtualMesh != v.own() {
			taken = append(taken, m)
		}
	}
	return listText(taken, func(m MeshChoice) string { return objectText(m.Ref) + " is in " + m.VirtualMesh })
}

func meshDetail(m MeshChoice) string {
	var parts []string
	if m.Cluster != "" {
		parts = append(parts, "cluster "+m.Cluster)
	}
	if text := strings.TrimSpace(m.Type + " " + m.Version); text != "" {
		parts = append(parts, text)
	}
	if m.TrustDomain != "" {
		parts = append(parts, "trust domain "+m.TrustDomain)
	}
	return strings.Join(parts, ", ")
}

func (v *virtualMesh) askAccess() error {
	chosen, err := pick(v.flow, Question{
		Text: "Default access for services without an access policy?",
		Help: "The default for services that no access policy selects.",
	}, []choice[networkingv1.GlobalAccessPolicy]{
		{networkingv1.GlobalAccessPolicyMeshDefault, "Mesh default", "MESH_DEFAULT: Istio allows every call"},
		{networkingv1.GlobalAccessPolicyEnabled, "Nobody", "ENABLED: calls need an access policy"},
		{networkingv1.GlobalAccessPolicyDisabled, "Everybody", "DISABLED: calls are allowed"},
	}, valueOf(v.in.GlobalAccessPolicy))
	if err != nil {
		return err
	}
	v.in.GlobalAccessPolicy = &chosen
	return nil
}

func accessText(p networkingv1.GlobalAccessPolicy) string {
	switch p.OrDefault() {
	case networkingv1.GlobalAccessPolicyEnabled:
		return "deny without an access policy"
	case networkingv1.GlobalAccessPolicyDisabled:
		return "allow without an access policy"
	default:
		return "mesh default without an access policy"
	}
}

func (v *virtualMesh) askEnforcement() error {
	chosen, err := pick(v.flow, Question{
		Text: "Which connections do workloads accept?",
		Help: "STRICT rejects connections without mutual TLS, including those from outside the mesh. UNSET uses the default of each mesh.",
	}, []choice[networkingv1.EnforcementMode]{
		{networkingv1.EnforcementModeUnset, "Mesh default", "UNSET"},
		{networkingv1.EnforcementModeStrict, "Only mutual TLS", "STRICT"},
		{networkingv1.EnforcementModePermissive, "With and without TLS", "PERMISSIVE"},
		{networkingv1.EnforcementModeDisable, "Only without TLS", "DISABLE"},
	}, valueOf(v.in.TLSEnforcement))
	if err != nil || chosen == valueOf(v.in.TLSEnforcement).OrDefault() {
		return err
	}
	v.in.TLSEnforcement = &chosen
	return nil
}

func enforcementText(mode networkingv1.EnforcementMode) string {
	switch mode.OrDefault() {
	case networkingv1.EnforcementModeStrict:
		return "only mutual TLS"
	case networkingv1.EnforcementModePermissive:
		return "with and without TLS"
	case networkingv1.EnforcementModeDisable:
		return "only without TLS"
	default:
		return "mesh default"
	}
}

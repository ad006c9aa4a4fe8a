package render

import (
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// VirtualMesh returns how VirtualMeshes are authored.
func VirtualMesh() Kind[VirtualMeshInput, *networkingv1.VirtualMesh] {
	gvk := networkingv1.GroupVersion().WithKind("VirtualMesh")
	return Kind[VirtualMeshInput, *networkingv1.VirtualMesh]{
		GVK: gvk, Noun: "virtualmesh", Fields: virtualMeshFields(),
		unrestricted: unrestrictedMesh(),
		check:        checkVirtualMesh,
		apply:        func(in *VirtualMeshInput, vm *networkingv1.VirtualMesh) { applyVirtualMesh(in, &vm.Spec) },
		read:         func(vm *networkingv1.VirtualMesh) *VirtualMeshInput { return virtualMeshInput(&vm.Spec) },
		empty: func() *networkingv1.VirtualMesh {
			vm := &networkingv1.VirtualMesh{}
			vm.SetGroupVersionKind(gvk)
			return vm
		},
		copy:   (*networkingv1.VirtualMesh).DeepCopy,
		absent: func(o *networkingv1.VirtualMesh) bool { return o == nil },
	}
}

// The sections of help.
const (
	groupMeshes     = "Meshes"
	groupTrust      = "Trust"
	groupFederation = "Federation"
	groupAccess     = "Access"
)

func virtualMeshFields() []Field[VirtualMeshInput] {
	type input = VirtualMeshInput
	fields := []Field[input]{
		many(Field[input]{
			Name: "mesh", Value: objectForm, Group: groupMeshes, Names: MeshNames,
			Usage: "a mesh to group; a mesh belongs to at most one virtual mesh",
		}, func(in *input) *[]core.ObjectRef { return &in.Meshes }, readMesh, writeObject),
		choice(Field[input]{
			Name: "trust", Value: "MODEL", Group: groupTrust,
			Usage: "how the meshes trust each other: one root certificate for all (shared), gateways only (limited, not available yet), not at all (none)",
		}, func(in *input) **TrustModel { return &in.Trust }, TrustShared, TrustLimited, TrustNone),
	}
	fields = append(fields, certificateFields("root", "root", func(in *input) *CertificateInput { return &in.Root })...)
	fields = append(fields,
		single(Field[input]{
			Name: "root-secret", Value: objectForm, Group: groupTrust,
			Usage: "a Secret that holds the root certificate, instead of a generated one",
		}, func(in *input) **core.ObjectRef { return &in.RootSecret }, readObject("Secret"), writeObject),
	)
	fields = append(fields, certificateFields("intermediate", "intermediate", func(in *input) *CertificateInput { return &in.Intermediate })...)
	fields = append(fields,
		single(Field[input]{
			Name: "vault", Value: "TERMS", Group: groupTrust, Keys: usages(vaultKeys()),
			Usage: "let Vault sign the intermediate certificates: server=URL, ca-path=PATH, csr-path=PATH, role=ROLE and others",
		}, func(in *input) **certificatesv1.VaultCA { return &in.Vault }, readVault, writeVault),
		toggle(Field[input]{
			Name: "auto-restart-pods", Group: groupTrust,
			Usage: "restart every workload when its certificate changes; not meant for production",
		}, func(in *input) **bool { return &in.AutoRestartPods }),
		choice(Field[input]{
			Name: "rotation-strategy", Value: "STRATEGY", Group: groupTrust,
			Usage: "how root CAs are rotated: both trusted during the rotation (MULTI_ROOT), or at once (NONE)",
		}, func(in *input) **certificatesv1.CertificateRotationStrategy { return &in.RotationStrategy },
			certificatesv1.CertificateRotationStrategyMultiRoot, certificatesv1.CertificateRotationStrategyNone),
		choice(Field[input]{
			Name: "rotation-verification", Value: "METHOD", Group: groupTrust,
			Usage: "verification of rotation steps: automatic (none) or by the operator (manual)",
		}, func(in *input) **RotationVerification { return &in.RotationVerification }, VerifyNone, VerifyManual),
	)
	fields = append(fields, federationFields()...)
	return append(fields,
		choice(Field[input]{
			Name: "global-access-policy", Value: "POLICY", Group: groupAccess,
			Usage: "default for requests without an access policy: mesh default (MESH_DEFAULT), deny (ENABLED), allow (DISABLED)",
		}, func(in *input) **networkingv1.GlobalAccessPolicy { return &in.GlobalAccessPolicy },
			networkingv1.GlobalAccessPolicyMeshDefault, networkingv1.GlobalAccessPolicyEnabled, networkingv1.GlobalAccessPolicyDisabled),
	)
}

// certificateFields are the options of one certificate.
func certificateFields(prefix, noun string, at func(*VirtualMeshInput) *CertificateInput) []Field[VirtualMeshInput] {
	type input = VirtualMeshInput
	return []Field[input]{
		single(Field[input]{
			Name: prefix + "-ttl-days", Value: "DAYS", Group: groupTrust,
			Usage: "days until the " + noun + " certificate expires; 365 if not given",
		}, func(in *input) **uint32 { return &at(in).TTLDays }, readNumber[uint32](0, maxUint32), writeNumber[uint32]),
		single(Field[input]{
			Name: prefix + "-key-bits", Value: "BITS", Group: groupTrust,
			Usage: "size of the RSA key of the " + noun + " certificate; 4096 if not given",
		}, func(in *input) **uint32 { return &at(in).KeyBits }, readNumber[uint32](0, maxUint32), writeNumber[uint32]),
		single(Field[input]{
			Name: prefix + "-org", Value: "NAME", Group: groupTrust,
			Usage: "organisation in the subject of the " + noun + " certificate",
		}, func(in *input) **string { return &at(in).Org }, readText("the name of the organisation"), writeText),
		single(Field[input]{
			Name: prefix + "-renewal-ratio", Value: "RATIO", Group: groupTrust,
			Usage: "part of the lifetime of the " + noun + " certificate before expiry in which to renew it, 0 to 1; 0.1 if not given",
		}, func(in *input) **float64 { return &at(in).RenewalRatio }, readDecimal(1), writeDecimal),
	}
}

func federationFields() []Field[VirtualMeshInput] {
	type input = VirtualMeshInput
	return []Field[input]{
		federateField(),
		single(Field[input]{
			Name: "hostname-suffix", Value: "SUFFIX", Group: groupFederation,
			Usage: "last labels of the hostnames of other meshes' services; `global` if not given",
		}, func(in *input) **string { return &in.HostnameSuffix }, readSuffix, writeText),
		toggle(Field[input]{
			Name: "flat-network", Group: groupFederation,
			Usage: "requests go straight to the pods of other clusters, not through gateways",
		}, func(in *input) **bool { return &in.FlatNetwork }),
		single(Field[input]{
			Name: "keepalive", Value: "TERMS", Group: groupFederation, Keys: usages(keepaliveKeys()),
			Usage: "TCP keepalive between clusters: probes=NUMBER, time=DURATION, interval=DURATION",
		}, func(in *input) **core.TCPKeepalive { return &in.Keepalive }, readKeepalive, writeKeepalive),
		spread(Field[input]{
			Name: "gateway", Value: "TERMS", Group: groupFederation, Names: ServiceNames, Keys: usages(gatewayKeys()),
			Usage: "Services where requests from other clusters enter: service=REF or label:KEY=VALUE, with port-name=NAME or address=HOST:PORT",
		}, func(in *input) *[]networkingv1.IngressGatewaySelector { return &in.Gateways }, readGateway, writeGateway),
		choice(Field[input]{
			Name: "tls-enforcement", Value: "MODE", Group: groupFederation,
			Usage: "which connections workloads accept: no TLS (DISABLE), both (PERMISSIVE), only mutual TLS (STRICT)",
		}, func(in *input) **networkingv1.EnforcementMode { return &in.TLSEnforcement },
			networkingv1.EnforcementModeUnset, networkingv1.EnforcementModeDisable,
			networkingv1.EnforcementModePermissive, networkingv1.EnforcementModeStrict),
	}
}

func readSuffix(p piece, _ Names) (string, error) { return p.text, checkSubdomain(p, "hostname") }

package render

import (
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// given reports whether any option is.
func (c CertificateInput) given() bool { return c != CertificateInput{} }

// trust returns the trust model that the input asks for, nil if it leaves it:
// options of certificates imply shared trust.
func (in *VirtualMeshInput) trust() *TrustModel {
	if in.Trust == nil && (in.Root.given() || in.RootSecret != nil || in.Vault != nil || in.Intermediate.given()) {
		return pointer(TrustShared)
	}
	return in.Trust
}

func applyVirtualMesh(in *VirtualMeshInput, spec *networkingv1.VirtualMeshSpec) {
	setList(&spec.Meshes, in.Meshes)
	change(&spec.MTLSConfig, func(m *networkingv1.MTLSConfig) { applyTrust(in, m) })
	change(&spec.Federation, func(f *networkingv1.Federation) { applyFederation(in, f) })
	set(&spec.GlobalAccessPolicy, in.GlobalAccessPolicy)
}

func applyTrust(in *VirtualMeshInput, m *networkingv1.MTLSConfig) {
	if trust := in.trust(); trust != nil {
		switch *trust {
		case TrustShared:
			if m.Shared == nil {
				m.Shared = &networkingv1.SharedTrust{}
			}
			m.Limited = nil
			applySharedTrust(in, m.Shared)
		case TrustLimited:
			m.Shared, m.Limited = nil, &networkingv1.LimitedTrust{}
		case TrustNone:
			m.Shared, m.Limited = nil, nil
		}
	}
	set(&m.AutoRestartPods, in.AutoRestartPods)
	set(&m.RotationStrategy, in.RotationStrategy)
	if v := in.RotationVerification; v != nil {
		m.RotationVerificationMethod = &certificatesv1.CertificateRotationVerificationMethod{}
		if *v == VerifyNone {
			m.RotationVerificationMethod.None = &core.Empty{}
		} else {
			m.RotationVerificationMethod.Manual = &core.Empty{}
		}
	}
}

// applySharedTrust chooses the source of the root. Without one it is generated,
// and the resource says so (D41).
func applySharedTrust(in *VirtualMeshInput, shared *networkingv1.SharedTrust) {
	root := shared.RootCertificateAuthority
	switch {
	case in.Vault != nil:
		shared.RootCertificateAuthority = nil
		shared.IntermediateCertificateAuthority = &certificatesv1.IntermediateCertificateAuthority{Vault: in.Vault}
	case in.RootSecret != nil:
		shared.RootCertificateAuthority = &networkingv1.RootCertificateAuthority{Secret: in.RootSecret}
		shared.IntermediateCertificateAuthority = nil
	case in.Root.given() || (shared.IntermediateCertificateAuthority == nil && (root == nil || root.Secret == nil)):
		generated := &certificatesv1.CommonCertOptions{}
		if root != nil && root.Generated != nil {
			generated = root.Generated
		}
		in.Root.apply(generated)
		shared.RootCertificateAuthority = &networkingv1.RootCertificateAuthority{Generated: generated}
		shared.IntermediateCertificateAuthority = nil
	}
	change(&shared.IntermediateCertOptions, in.Intermediate.apply)
}

func (c CertificateInput) apply(to *certificatesv1.CommonCertOptions) {
	set(&to.TTLDays, c.TTLDays)
	set(&to.RSAKeySizeBytes, c.KeyBits)
	set(&to.OrgName, c.Org)
	set(&to.SecretRotationGracePeriodRatio, c.RenewalRatio)
}

func applyFederation(in *VirtualMeshInput, f *networkingv1.Federation) {
	if in.Federate != nil {
		f.Permissive = nil // the deprecated way to select everything
		setList(&f.Selectors, in.Federate)
	}
	set(&f.HostnameSuffix, in.HostnameSuffix)
	set(&f.FlatNetwork, in.FlatNetwork)
	if in.Keepalive != nil {
		f.TCPKeepalive = in.Keepalive
	}
	if in.Gateways != nil {
		f.EastWestIngressGatewaySelectors = nil // the older spelling
		setList(&f.IngressGatewaySelectors, in.Gateways)
	}
	if in.TLSEnforcement != nil {
		f.TLSEnforcementSettings = &networkingv1.TLSEnforcementSettings{EnforcementMode: *in.TLSEnforcement}
	}
}

// virtualMeshInput returns the input that recreates a VirtualMesh.
func virtualMeshInput(spec *networkingv1.VirtualMeshSpec) *VirtualMeshInput {
	in := &VirtualMeshInput{Meshes: spec.Meshes, GlobalAccessPolicy: nonZero(spec.GlobalAccessPolicy)}
	if m := spec.MTLSConfig; m != nil {
		switch {
		case m.Shared != nil:
			in.Trust = pointer(TrustShared)
			readSharedTrust(in, m.Shared)
		case m.Limited != nil:
			in.Trust = pointer(TrustLimited)
		}
		in.AutoRestartPods = nonZero(m.AutoRestartPods)
		in.RotationStrategy = nonZero(m.RotationStrategy)
		if v := m.RotationVerificationMethod; v != nil {
			switch {
			case v.None != nil:
				in.RotationVerification = pointer(VerifyNone)
			case v.Manual != nil:
				in.RotationVerification = pointer(VerifyManual)
			}
		}
	}
	if f := spec.Federation; f != nil {
		readFederationOf(in, f)
	}
	return in
}

func readSharedTrust(in *VirtualMeshInput, shared *networkingv1.SharedTrust) {
	if root := shared.RootCertificateAuthority; root != nil {
		in.RootSecret = root.Secret
		in.Root = certificateInput(root.Generated)
	}
	if authority := shared.IntermediateCertificateAuthority; authority != nil {
		in.Vault = authority.Vault
	}
	in.Intermediate = certificateInput(shared.IntermediateCertOptions)
}

func certificateInput(options *certificatesv1.CommonCertOptions) CertificateInput {
	if options == nil {
		return CertificateInput{}
	}
	return CertificateInput{
		TTLDays: nonZero(options.TTLDays), KeyBits: nonZero(options.RSAKeySizeBytes), Org: nonZero(options.OrgName),
		RenewalRatio: nonZero(options.SecretRotationGracePeriodRatio),
	}
}

func readFederationOf(in *VirtualMeshInput, f *networkingv1.Federation) {
	in.Federate = f.Selectors
	if len(f.Selectors) == 0 && f.Permissive != nil {
		in.Federate = []networkingv1.FederationSelector{{}}
	}
	in.HostnameSuffix = nonZero(f.HostnameSuffix)
	in.FlatNetwork = nonZero(f.FlatNetwork)
	in.Keepalive = f.TCPKeepalive
	in.Gateways = f.GatewaySelectors()
	if t := f.TLSEnforcementSettings; t != nil {
		in.TLSEnforcement = pointer(t.EnforcementMode.OrDefault())
	}
}

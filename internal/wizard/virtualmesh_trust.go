package wizard

import (
	"github.com/meshctl/meshctl/internal/render"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// root is where the common root certificate comes from.
type root string

const (
	generatedRoot root = "generated"
	secretRoot    root = "secret"
	vaultRoot     root = "vault"
	noRoot        root = "none"
)

func (v *virtualMesh) root() root {
	switch {
	case valueOf(v.in.Trust) == render.TrustNone:
		return noRoot
	case v.in.RootSecret != nil:
		return secretRoot
	case v.in.Vault != nil:
		return vaultRoot
	default:
		return generatedRoot
	}
}

func (v *virtualMesh) askTrust() error {
	chosen, err := pick(v.flow, Question{
		Text: "Where does the common root certificate come from?",
		Help: "Meshes that share a root trust each other's workloads, which calls between them need. A generated root is made when trust is established.",
	}, []choice[root]{
		{generatedRoot, "It is generated", "a self-signed root for this virtual mesh"},
		{secretRoot, "From a Secret", "a root that you have"},
		{vaultRoot, "From Vault", "Vault signs the certificates of the meshes"},
		{noRoot, "There is none", "each mesh keeps its own trust"},
	}, v.root())
	if err != nil {
		return err
	}
	model := render.TrustShared
	if chosen == noRoot {
		model = render.TrustNone
	}
	v.in.Trust = &model
	switch chosen {
	case generatedRoot:
		v.in.RootSecret, v.in.Vault = nil, nil
		return v.settings(Question{
			Text: "What about the root certificate differs from the defaults?",
			Help: "Mark what you want to set; the defaults are good for most.",
		}, certificate(v.flow, &v.in.Root))
	case secretRoot:
		v.in.Root, v.in.Vault = render.CertificateInput{}, nil
		return v.askRootSecret()
	case vaultRoot:
		v.in.Root, v.in.RootSecret, v.in.Intermediate = render.CertificateInput{}, nil, render.CertificateInput{}
		return v.askVault()
	default:
		v.in.Root, v.in.RootSecret, v.in.Vault, v.in.Intermediate = render.CertificateInput{}, nil, nil, render.CertificateInput{}
		return nil
	}
}

// certificate are the options of a generated certificate.
func certificate(f *flow, at *render.CertificateInput) []setting {
	return []setting{
		count(f, "Lifetime", "days until the certificate expires; 365 without it", "Days until it expires:", "365", 1, 36500, &at.TTLDays),
		count(f, "Key size", "bits of the RSA key; 4096 without it", "Bits of the RSA key:", "4096", 2048, 16384, &at.KeyBits),
		textSetting(f, "Organisation", "the organisation in the certificate's subject", "Organisation:", checkRequired, &at.Org),
		fraction(f, "Renewal", "part of the lifetime before expiry in which to renew; 0.1 without it", "Part of the lifetime, 0 to 1:", "0.1", 1, &at.RenewalRatio),
	}
}

func certificateText(c render.CertificateInput) string {
	return settingsText(certificate(nil, &c))
}

func (v *virtualMesh) trustText() string {
	switch v.root() {
	case noRoot:
		return "none, each mesh keeps its own"
	case secretRoot:
		return "shared, root from Secret " + objectText(*v.in.RootSecret)
	case vaultRoot:
		return "shared, signed by Vault at " + v.in.Vault.Server
	default:
		options := certificateText(v.in.Root)
		if options == "defaults" {
			return "shared, generated root"
		}
		return "shared, generated root: " + options
	}
}

func (v *virtualMesh) askRootSecret() (err error) {
	v.in.RootSecret, err = v.object("Secret with the root certificate, NAME.NAMESPACE:",
		"A Secret on the management cluster with the certificate and the key of the root. Only its name is written down here.", v.in.RootSecret)
	return err
}

func (v *virtualMesh) askIntermediate() error {
	if root := v.root(); root == noRoot || root == vaultRoot {
		chosen, err := v.Confirm(Question{
			Text: "The trust that is chosen has no such certificates. Choose another?",
			Help: "Certificates of the meshes are issued when a generated root, or one from a Secret, signs them.",
		}, false)
		if err != nil || !chosen {
			return err
		}
		return v.askTrust()
	}
	return v.settings(Question{
		Text: "What about the certificates of the meshes differs from the defaults?",
		Help: "Each mesh gets an intermediate certificate from the root. Mark what you want to set.",
	}, certificate(v.flow, &v.in.Intermediate))
}

func (v *virtualMesh) askRotation() error {
	return v.settings(Question{
		Text: "What about certificate rotation differs from the defaults?",
		Help: "When a root certificate is replaced, the old and the new one are trusted together for a while, and nobody has to confirm the steps.",
	}, v.rotation())
}

func (v *virtualMesh) rotation() []setting {
	restarts := toggle("Restart workloads", "whenever certificates change; not for production", &v.in.AutoRestartPods)
	restarts.ask = func() error {
		yes, err := v.Confirm(Question{
			Text: "Every workload of these meshes is restarted whenever certificates change, which interrupts requests. Not for production. Really?",
			Help: "Without it, you decide when the workloads that need new certificates are restarted.",
		}, false)
		v.in.AutoRestartPods = nil
		if yes {
			v.in.AutoRestartPods = &yes
		}
		return err
	}
	return []setting{
		restarts,
		enum(v.flow, "Rotation strategy", "how an old root is replaced", "How is an old root replaced?", []choice[certificatesv1.CertificateRotationStrategy]{
			{certificatesv1.CertificateRotationStrategyMultiRoot, "Both are trusted for a while", "MULTI_ROOT"},
			{certificatesv1.CertificateRotationStrategyNone, "At once", "NONE: requests fail until every workload has the new one"},
		}, &v.in.RotationStrategy),
		enum(v.flow, "Rotation verification", "who decides that a step worked", "Who decides that a step of a rotation worked?", []choice[render.RotationVerification]{
			{render.VerifyNone, "Nobody", "the next step follows at once"},
			{render.VerifyManual, "The operator", "each step waits for 'meshctl trust verify'"},
		}, &v.in.RotationVerification),
	}
}

func (v *virtualMesh) rotationText() string { return settingsText(v.rotation()) }

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
		Text: "Which root CA do the meshes share?",
		Help: "Meshes need a common root CA to call each other. A generated root CA is created by 'meshctl trust issue'.",
	}, []choice[root]{
		{generatedRoot, "Generated root CA", "self-signed, for this virtual mesh"},
		{secretRoot, "From a Secret", "your own root CA"},
		{vaultRoot, "From Vault", "Vault signs the certificates of the meshes"},
		{noRoot, "None", "each mesh keeps its own root CA"},
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
			Text: "Which root certificate settings do you want to change?",
			Help: "Select the settings to change; the defaults suit most cases.",
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
		count(f, "Lifetime", "days until the certificate expires; default 365", "Days until it expires:", "365", 1, 36500, &at.TTLDays),
		count(f, "Key size", "bits of the RSA key; default 4096", "Bits of the RSA key:", "4096", 2048, 16384, &at.KeyBits),
		textSetting(f, "Organisation", "the organisation in the certificate's subject", "Organisation:", checkRequired, &at.Org),
		fraction(f, "Renewal", "fraction of the lifetime before expiry to renew in; default 0.1", "Fraction of the lifetime, 0 to 1:", "0.1", 1, &at.RenewalRatio),
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
		"A Secret on the management cluster with the certificate and the key of the root CA. Only its name is stored.", v.in.RootSecret)
	return err
}

func (v *virtualMesh) askIntermediate() error {
	if root := v.root(); root == noRoot || root == vaultRoot {
		chosen, err := v.Confirm(Question{
			Text: "The selected root CA has no such settings. Choose another root CA?",
			Help: "These settings apply only to a generated root CA or one from a Secret.",
		}, false)
		if err != nil || !chosen {
			return err
		}
		return v.askTrust()
	}
	return v.settings(Question{
		Text: "Which mesh certificate settings do you want to change?",
		Help: "Each mesh gets an intermediate CA certificate. Select the settings to change.",
	}, certificate(v.flow, &v.in.Intermediate))
}

func (v *virtualMesh) askRotation() error {
	return v.settings(Question{
		Text: "Which rotation settings do you want to change?",
		Help: "By default, both root CAs are trusted during a rotation, and steps need no confirmation.",
	}, v.rotation())
}

func (v *virtualMesh) rotation() []setting {
	restarts := toggle("Restart workloads", "on every certificate change; not for production", &v.in.AutoRestartPods)
	restarts.ask = func() error {
		before := valueOf(v.in.AutoRestartPods)
		yes, err := v.Confirm(Question{
			Text: "All workloads of these meshes will restart on every certificate change, which interrupts requests. Enable anyway?",
			Help: "Without it, you restart workloads yourself when certificates change.",
		}, before)
		v.in.AutoRestartPods = nil
		if yes {
			v.in.AutoRestartPods = &yes
		}
		return err
	}
	return []setting{
		restarts,
		enum(v.flow, "Rotation strategy", "how the root CA is replaced", "How do you want to replace the root CA?", []choice[certificatesv1.CertificateRotationStrategy]{
			{certificatesv1.CertificateRotationStrategyMultiRoot, "Trust both root CAs during the rotation", "MULTI_ROOT"},
			{certificatesv1.CertificateRotationStrategyNone, "At once", "NONE: requests fail until all workloads have the new root CA"},
		}, &v.in.RotationStrategy),
		enum(v.flow, "Rotation verification", "who confirms a rotation step", "Who confirms a rotation step?", []choice[render.RotationVerification]{
			{render.VerifyNone, "Nobody", "no confirmation needed"},
			{render.VerifyManual, "The operator", "each step requires 'meshctl trust verify'"},
		}, &v.in.RotationVerification),
	}
}

func (v *virtualMesh) rotationText() string { return settingsText(v.rotation()) }

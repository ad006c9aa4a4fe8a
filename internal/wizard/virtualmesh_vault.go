package wizard

import (
	"cmp"
	"encoding/base64"
	"errors"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func (v *virtualMesh) askVault() error {
	vault := &certificatesv1.VaultCA{}
	if v.in.Vault != nil {
		vault = v.in.Vault.DeepCopy()
	}
	for _, ask := range []func() error{
		plainText(v.flow, "", "The address of Vault, such as https://vault.example.com:8200", "Vault server:", checkRequired, &vault.Server).ask,
		plainText(v.flow, "", "The path of the PKI engine with the root CA, such as pki/root", "CA path:", checkRequired, &vault.CAPath).ask,
		plainText(v.flow, "", "The path that signs certificates, such as pki/root/sign-intermediate", "Signing path:", checkRequired, &vault.CSRPath).ask,
		func() error {
			return v.optionalText("Namespace in Vault:", "Namespaces exist in Vault Enterprise", &vault.Namespace)
		},
		func() error { return v.askVaultCertificate(vault) },
		func() error { return v.askVaultLogin(vault) },
	} {
		if err := ask(); err != nil {
			return err
		}
	}
	v.in.Vault = vault
	return nil
}

// optionalText asks for a text that may be left out.
func (f *flow) optionalText(question, help string, at *string) error {
	answer, err := f.Input(Question{Text: question, Help: help + "; leave empty to skip it."}, cmp.Or(*at, noValue), nil)
	if err != nil {
		return err
	}
	*at = answer
	if answer == noValue {
		*at = ""
	}
	return nil
}

// verification is how Vault's own certificate is checked.
type verification string

const (
	verifySystem verification = "system"
	verifyFile   verification = "file"
	verifyBundle verification = "bundle"
)

func (v *virtualMesh) askVaultCertificate(vault *certificatesv1.VaultCA) error {
	current := verifySystem
	switch {
	case vault.CALocalPath != nil:
		current = verifyFile
	case len(vault.CABundle) > 0:
		current = verifyBundle
	}
	way, err := pick(v.flow, Question{
		Text: "How do you want to verify the certificate of Vault?",
		Help: "Clients must trust the CA that issued the certificate of Vault.",
	}, []choice[verification]{
		{verifySystem, "With the system CAs", ""},
		{verifyFile, "With a file", "in the pod that connects"},
		{verifyBundle, "With a CA bundle", "PEM, pasted as base64"},
	}, current)
	if err != nil {
		return err
	}
	file, bundle := valueOf(vault.CALocalPath), base64.StdEncoding.EncodeToString(vault.CABundle)
	vault.CALocalPath, vault.CABundle = nil, nil
	switch way {
	case verifyFile:
		file, err = v.Input(Question{Text: "Path of the file:", Help: "Where the file is in the pod."}, file, checkRequired)
		vault.CALocalPath = &file
		return err
	case verifyBundle:
		answer, err := v.Input(Question{Text: "CA bundle (base64):", Help: "What 'base64 -w0 ca.pem' prints."}, bundle, checkBase64)
		if err != nil {
			return err
		}
		vault.CABundle, err = base64.StdEncoding.DecodeString(answer)
		return err
	default:
		return nil
	}
}

func checkBase64(text string) error {
	if decoded, err := base64.StdEncoding.DecodeString(text); err != nil || len(decoded) == 0 {
		return errors.New("not base64 text")
	}
	return nil
}

// vaultLogin is who logs in to Vault.
type vaultLogin string

const (
	loginNobody  vaultLogin = "nobody"
	loginToken   vaultLogin = "token"
	loginAccount vaultLogin = "account"
	loginMounted vaultLogin = "mounted"
)

func (v *virtualMesh) askVaultLogin(vault *certificatesv1.VaultCA) error {
	current := loginNobody
	switch auth := vault.KubernetesAuth; {
	case vault.TokenSecretRef != nil:
		current = loginToken
	case auth != nil && auth.MountedSAPath != nil:
		current = loginMounted
	case auth != nil:
		current = loginAccount
	}
	way, err := pick(v.flow, Question{
		Text: "How do you want to log in to Vault?",
		Help: "Tokens stay in Secrets; only the names of the Secrets are stored.",
	}, []choice[vaultLogin]{
		{loginNobody, "No login", ""},
		{loginToken, "With a token", "from a Secret"},
		{loginAccount, "With a service account", "you enter its name"},
		{loginMounted, "With the service account of the pod", "its token is mounted as a file"},
	}, current)
	if err != nil {
		return err
	}
	auth, token := vault.KubernetesAuth, vault.TokenSecretRef
	vault.KubernetesAuth, vault.TokenSecretRef = nil, nil
	switch way {
	case loginToken:
		vault.TokenSecretRef, err = v.object("Secret with the token, NAME.NAMESPACE:", "The Secret must exist before you run 'meshctl trust issue'.", token)
		return err
	case loginAccount, loginMounted:
		if auth == nil {
			auth = &certificatesv1.VaultKubernetesAuth{}
		}
		vault.KubernetesAuth = auth
		return v.askKubernetesAuth(auth, way)
	default:
		return nil
	}
}

func (v *virtualMesh) askKubernetesAuth(auth *certificatesv1.VaultKubernetesAuth, way vaultLogin) error {
	auth.MountPath = cmp.Or(auth.MountPath, "/v1/auth/kubernetes")
	for _, ask := range []func() error{
		plainText(v.flow, "", "Where the Kubernetes auth method is mounted in Vault", "Mount path of the Kubernetes auth method:", checkRequired, &auth.MountPath).ask,
		plainText(v.flow, "", "The role in Vault to log in as", "Role:", checkRequired, &auth.Role).ask,
		func() error {
			return v.optionalText("Key of the token in the Secret:", "Usually the key is named token", &auth.SecretTokenKey)
		},
	} {
		if err := ask(); err != nil {
			return err
		}
	}
	account, mounted := auth.ServiceAccountRef, valueOf(auth.MountedSAPath)
	auth.ServiceAccountRef, auth.MountedSAPath = nil, nil
	var err error
	if way == loginAccount {
		auth.ServiceAccountRef, err = v.object("Service account, NAME.NAMESPACE:", "The service account that may log in.", account)
		return err
	}
	mounted, err = v.Input(Question{Text: "Path of the mounted token:", Help: "Where the pod has the token of its service account."},
		cmp.Or(mounted, "/var/run/secrets/kubernetes.io/serviceaccount/token"), checkRequired)
	auth.MountedSAPath = &mounted
	return err
}

// object asks for the name of an object on the management cluster.
func (f *flow) object(question, help string, current *core.ObjectRef) (*core.ObjectRef, error) {
	preset := ""
	if current != nil {
		preset = objectText(*current)
	}
	answer, err := f.Input(Question{Text: question, Help: help}, preset, checkObject)
	if err != nil {
		return nil, err
	}
	ref := parseObject(answer)
	return &ref, nil
}

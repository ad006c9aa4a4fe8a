package render

import (
	"encoding/base64"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// readVault reads the terms that describe a Vault. No secret is among them:
// tokens stay in the Secret or the file that is named.
func readVault(p piece, names Names) (certificatesv1.VaultCA, error) {
	return parseTerms(p, names, vaultKeys())
}

func vaultKeys() []termKey[certificatesv1.VaultCA] {
	type vault = certificatesv1.VaultCA
	text := func(key, value string, at func(*vault) *string) termKey[vault] {
		return termKey[vault]{key: key, value: value, set: func(v *vault, t term, _ Names) error {
			*at(v) = t.text()
			return checkPrintable(t.value, "the value of "+key)
		}}
	}
	return []termKey[vault]{
		text("server", "URL", func(v *vault) *string { return &v.Server }),
		text("ca-path", "PATH", func(v *vault) *string { return &v.CAPath }),
		text("csr-path", "PATH", func(v *vault) *string { return &v.CSRPath }),
		text("namespace", "NAME", func(v *vault) *string { return &v.Namespace }),
		{key: "ca-bundle", value: "BASE64", set: func(v *vault, t term, _ Names) error { return setBundle(v, t.value) }},
		text("ca-file", "PATH", func(v *vault) *string {
			v.CALocalPath = new(string)
			return v.CALocalPath
		}),
		{key: "token-secret", value: objectForm, set: func(v *vault, t term, names Names) error {
			ref, err := readObject("Secret")(t.value, names)
			v.TokenSecretRef = &ref
			return err
		}},
		text("mount-path", "PATH", func(v *vault) *string { return &kubernetesAuth(v).MountPath }),
		text("role", "ROLE", func(v *vault) *string { return &kubernetesAuth(v).Role }),
		text("secret-token-key", "KEY", func(v *vault) *string { return &kubernetesAuth(v).SecretTokenKey }),
		{key: "service-account", value: objectForm, set: func(v *vault, t term, names Names) error {
			ref, err := readObject("service account")(t.value, names)
			kubernetesAuth(v).ServiceAccountRef = &ref
			return err
		}},
		text("token-path", "PATH", func(v *vault) *string {
			auth := kubernetesAuth(v)
			auth.MountedSAPath = new(string)
			return auth.MountedSAPath
		}),
	}
}

func setBundle(v *certificatesv1.VaultCA, p piece) error {
	if p.text == "" {
		return p.errorf("the value of ca-bundle is missing")
	}
	bundle, err := base64.StdEncoding.Strict().DecodeString(p.text)
	if err != nil {
		return p.errorf("not base64: %v", err)
	}
	v.CABundle = bundle
	return nil
}

func kubernetesAuth(v *certificatesv1.VaultCA) *certificatesv1.VaultKubernetesAuth {
	if v.KubernetesAuth == nil {
		v.KubernetesAuth = &certificatesv1.VaultKubernetesAuth{}
	}
	return v.KubernetesAuth
}

func writeVault(v certificatesv1.VaultCA) string {
	var w termWriter
	w.optional("server", v.Server)
	w.optional("ca-path", v.CAPath)
	w.optional("csr-path", v.CSRPath)
	w.optional("namespace", v.Namespace)
	w.optional("ca-bundle", base64.StdEncoding.EncodeToString(v.CABundle))
	if v.CALocalPath != nil {
		w.pair("ca-file", *v.CALocalPath)
	}
	if v.TokenSecretRef != nil {
		w.pair("token-secret", writeObject(*v.TokenSecretRef))
	}
	if auth := v.KubernetesAuth; auth != nil {
		w.optional("mount-path", auth.MountPath)
		w.optional("role", auth.Role)
		w.optional("secret-token-key", auth.SecretTokenKey)
		if auth.ServiceAccountRef != nil {
			w.pair("service-account", writeObject(*auth.ServiceAccountRef))
		}
		if auth.MountedSAPath != nil {
			w.pair("token-path", *auth.MountedSAPath)
		}
	}
	return w.String()
}

// Package vault signs the intermediate certificates of meshes with a PKI secrets
// engine of Vault, or of OpenBao, which has the same API (VirtualMesh
// spec.mtlsConfig.shared.intermediateCertificateAuthority.vault).
//
// Private keys are never sent: Vault gets a certificate signing request, and its
// answer is verified against the request before it is used (verify.go).
//
// The package makes HTTP requests but reads no files, Secrets or environment
// variables: callers pass the settings and the credentials. Its values and errors
// never show a token.
package vault

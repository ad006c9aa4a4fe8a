// Package vault lets a PKI secrets engine of Vault, or of OpenBao, which speaks
// the same protocol, sign the intermediate certificates of meshes: VirtualMesh
// spec.mtlsConfig.shared.intermediateCertificateAuthority.vault.
//
// Private keys never go there: a certificate signing request does, and what
// comes back is believed only after it was held against the request (verify.go).
//
// The package talks HTTP and waits, but reads no files, Secrets or environment
// variables: whoever calls it brings the settings and the credentials. None of
// its values and errors shows a token.
package vault

package vault

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// defaultKubernetesMount is the default mount path of Vault's Kubernetes
// authentication.
const defaultKubernetesMount = "kubernetes"

// Config holds the address of a Vault and the paths to use. Create it with
// NewConfig; the zero value is unusable. It holds no secret.
type Config struct {
	server    *url.URL
	caPath    string
	csrPath   string
	namespace string
	// roots verify the server's certificate; nil means the system's roots.
	roots *x509.CertPool
}

// NewConfig validates the settings of a Vault and returns the configuration for
// New.
//
// localBundle is the content of the file at caLocalPath, nil if the field is
// unset; the caller reads it because only the caller knows on which machine the
// path is valid. Without caBundle and caLocalPath the system's roots are trusted.
//
// Paths may start with a slash and with `v1/`, as in Vault's documentation. Plain
// http is accepted for loopback addresses only, because it would expose the token
// on the network.
//
// The error names every invalid field.
func NewConfig(settings certificatesv1.VaultCA, localBundle []byte) (Config, error) {
	var problems []error
	note := func(field string, err error) {
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", field, err))
		}
	}
	var config Config
	var err error
	config.server, err = parseServer(settings.Server)
	note("server", err)
	config.caPath, err = parsePath(settings.CAPath, "the path that serves the certificate of the authority, such as pki/ca/pem")
	note("caPath", err)
	config.csrPath, err = parsePath(settings.CSRPath, "the path that signs, such as pki/root/sign-intermediate")
	note("csrPath", err)
	config.namespace, err = parseNamespace(settings.Namespace)
	note("namespace", err)

	switch {
	case len(settings.CABundle) > 0 && settings.CALocalPath != nil:
		note("caBundle", errors.New("caLocalPath is set, too: remove one of them"))
	case settings.CALocalPath != nil:
		config.roots, err = parseBundle(localBundle)
		note("caLocalPath", err)
	case len(settings.CABundle) > 0:
		config.roots, err = parseBundle(settings.CABundle)
		note("caBundle", err)
	}
	if len(problems) > 0 {
		return Config{}, fmt.Errorf("the settings of Vault are not usable: %w", joinLine(problems))
	}
	return config, nil
}

// Server returns the address of the Vault for messages.
func (c Config) Server() string {
	if c.server == nil {
		return ""
	}
	return c.server.String()
}

// parseServer returns the base URL without a trailing slash.
func parseServer(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errors.New("missing: name the address of Vault, such as https://vault.example.com:8200")
	}
	server, err := url.Parse(text)
	if err != nil {
		// The error of url.Parse repeats the address, which may contain a
		// password.
		return nil, errors.New("not a URL: write it like https://vault.example.com:8200")
	}
	switch {
	case server.User != nil:
		return nil, errors.New("must not contain a user or a password: the token belongs in a Secret")
	case server.Scheme != "https" && server.Scheme != "http", server.Hostname() == "":
		return nil, fmt.Errorf("%q is not an https address: write it like https://vault.example.com:8200", text)
	case server.RawQuery != "" || server.ForceQuery || server.Fragment != "":
		return nil, fmt.Errorf("%q must end with the host, the port or a path", text)
	case server.Scheme == "http" && !isLoopback(server.Hostname()):
		return nil, fmt.Errorf("%q would send the token unencrypted: use https", text)
	}
	server.RawPath = ""
	server.Path = strings.TrimSuffix(strings.TrimRight(server.Path, "/"), "/v1")
	return server, nil
}

func isLoopback(host string) bool {
	if address := net.ParseIP(host); address != nil {
		return address.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// parsePath returns the path below /v1 without leading and trailing slashes.
// description is the text for the error if there is no path.
func parsePath(text, description string) (string, error) {
	path := strings.Trim(strings.TrimSpace(text), "/")
	path = strings.Trim(strings.TrimPrefix(path, "v1/"), "/")
	if path == "" {
		return "", errors.New("missing: name " + description)
	}
	if err := checkSegments(path); err != nil {
		return "", err
	}
	return path, nil
}

func checkSegments(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("%q has the element %q, which paths of Vault have not", path, segment)
		}
	}
	for _, r := range path {
		if r <= ' ' || r > '~' || strings.ContainsRune(`?#%\`, r) {
			return fmt.Errorf("%q has the character %q, which paths of Vault have not", path, r)
		}
	}
	return nil
}

func parseNamespace(text string) (string, error) {
	namespace := strings.Trim(strings.TrimSpace(text), "/")
	if namespace == "" {
		return "", nil
	}
	return namespace, checkSegments(namespace)
}

func parseBundle(bundle []byte) (*x509.CertPool, error) {
	certificates, err := parsePEM(bundle)
	if err != nil {
		return nil, err
	}
	if len(certificates) == 0 {
		return nil, errors.New("no PEM certificate is in it")
	}
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool, nil
}

// joinLine joins errors in one line, unlike errors.Join.
func joinLine(problems []error) error {
	texts := make([]string, 0, len(problems))
	for _, problem := range problems {
		texts = append(texts, problem.Error())
	}
	return errors.New(strings.Join(texts, "; "))
}

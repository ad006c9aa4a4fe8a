//go:build unix

package clustertest

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// Credentials let one user into one cluster.
type Credentials struct {
	// Cluster is the name of the cluster.
	Cluster string
	// User is the name by which the API server knows the user.
	User string
	// Server is the URL of the API server.
	Server string

	ca     []byte
	client keyPair
	// token is what a service account has instead of a key.
	token string
}

// Config returns the credentials for Go clients. Requests are not throttled.
func (c *Credentials) Config() *rest.Config {
	return &rest.Config{
		Host: c.Server,
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.ca,
			CertData: c.client.certificate,
			KeyData:  c.client.key,
		},
		BearerToken: c.token,
		QPS:         -1,
	}
}

// WriteKubeconfig writes a kubeconfig file with the given contexts; current may
// be empty. Everything is inlined.
func WriteKubeconfig(path, current string, contexts map[string]*Credentials) error {
	config := clientcmdapi.NewConfig()
	config.CurrentContext = current
	for name, credentials := range contexts {
		user := credentials.User + "@" + credentials.Cluster
		config.Clusters[credentials.Cluster] = &clientcmdapi.Cluster{
			Server:                   credentials.Server,
			CertificateAuthorityData: credentials.ca,
		}
		config.AuthInfos[user] = &clientcmdapi.AuthInfo{
			ClientCertificateData: credentials.client.certificate,
			ClientKeyData:         credentials.client.key,
			Token:                 credentials.token,
		}
		config.Contexts[name] = &clientcmdapi.Context{Cluster: credentials.Cluster, AuthInfo: user}
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		return fmt.Errorf("write kubeconfig %s: %w", path, err)
	}
	return nil
}

package sharedtrust

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/kube"
)

// FileStore keeps Secrets in files, one directory for each cluster, in place of
// clusters: what a cluster has is read, but never written.
type FileStore struct {
	// Dir is where the directories are, Directory names that of a cluster.
	Dir       string
	Directory func(cluster string) string
	// Clusters are read for what has no file.
	Clusters *ClusterStore
}

// The modes of what holds private keys.
const (
	secretMode          fs.FileMode = 0o600
	secretDirectoryMode fs.FileMode = 0o700
)

// managementDirectory has the Secrets of the management cluster.
const managementDirectory = "management"

// path is the file of a Secret, called like the files of 'render istio'.
func (s *FileStore) path(cluster, namespace, name string) string {
	directory := managementDirectory
	if cluster != Management {
		directory = s.Directory(cluster)
	}
	return filepath.Join(s.Dir, directory, "secret-"+namespace+"-"+name+".yaml")
}

// Read implements Store.
func (s *FileStore) Read(ctx context.Context, cluster, namespace, name string) (*kube.Secret, error) {
	path := s.path(cluster, namespace, name)
	text, err := os.ReadFile(path)
	switch {
	case err == nil:
		return secretOfFile(path, text)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if _, err := s.Clusters.Connection(cluster); err != nil {
		return nil, nil //nolint:nilerr,nilnil // documented: nobody knows of one
	}
	return s.Clusters.Read(ctx, cluster, namespace, name)
}

// secretOfFile reads a manifest. Its errors never quote the file.
func secretOfFile(path string, text []byte) (*kube.Secret, error) {
	var manifest struct {
		Kind, Type string
		Metadata   struct {
			Name, Namespace     string
			Labels, Annotations map[string]string
		}
		Data map[string]string
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil || manifest.Kind != "Secret" {
		return nil, fmt.Errorf("%s is not the manifest of a Secret (if it was encrypted in place, decrypt it first): move it away, or choose another directory", path)
	}
	secret := &kube.Secret{
		Namespace: manifest.Metadata.Namespace, Name: manifest.Metadata.Name, Type: manifest.Type,
		Labels: manifest.Metadata.Labels, Annotations: manifest.Metadata.Annotations, Data: map[string][]byte{},
	}
	for key, value := range manifest.Data {
		data, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, fmt.Errorf("%s: what is under the key %s is not in base64 (if it was encrypted in place, decrypt it first)", path, key)
		}
		secret.Data[key] = data
	}
	return secret, nil
}

// Write implements Store. The file appears as a whole or not at all,
// and nobody else can read it at any time.
func (s *FileStore) Write(ctx context.Context, cluster string, secret *kube.Secret, how Write) (kube.Outcome, error) {
	stored, err := s.Read(ctx, cluster, secret.Namespace, secret.Name)
	if err != nil {
		return kube.Failed, err
	}
	if stored != nil && how.Create {
		return kube.Failed, &kube.Error{Cluster: cluster, Action: "write " + secret.String(), Reason: kube.ReasonAlreadyExists, Why: "it exists"}
	}
	text, err := yaml.Marshal(secret.Manifest().Object)
	if err != nil {
		return kube.Failed, fmt.Errorf("encode %s: %w", secret, err)
	}
	path := s.path(cluster, secret.Namespace, secret.Name)
	if err := os.MkdirAll(filepath.Dir(path), secretDirectoryMode); err != nil {
		return kube.Failed, cannotSave(path, err)
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".meshctl-*") // readable by nobody else
	if err != nil {
		return kube.Failed, cannotSave(path, err)
	}
	_, err = temporary.Write(text)
	err = errors.Join(err, temporary.Chmod(secretMode), temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return kube.Failed, cannotSave(path, err)
	}
	if stored == nil {
		return kube.Created, nil
	}
	return kube.Configured, nil
}

// cannotSave says that a file cannot be written.
func cannotSave(path string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err // the path in it may be that of the temporary file
	}
	return fmt.Errorf("cannot save the manifest to %s: %w", path, err)
}

// Delete implements Store. Files are never deleted: only a rotation
// deletes anything, and that needs a management cluster.
func (s *FileStore) Delete(_ context.Context, cluster, namespace, name string, _ map[string]string) error {
	return fmt.Errorf("%s is not deleted", strings.TrimPrefix(s.path(cluster, namespace, name), s.Dir))
}

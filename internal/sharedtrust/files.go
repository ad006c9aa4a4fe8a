package sharedtrust

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// FileStore stores Secrets in files, one directory per cluster, instead of in clusters. It
// reads from clusters but never writes to them.
type FileStore struct {
	// Dir contains the directories; Directory returns the directory name of a cluster.
	Dir       string
	Directory func(cluster string) string
	// Given are Secrets of the management cluster that the user gave. They are read
	// instead of clusters, for Secrets without a file.
	Given []*kube.Secret
	// Clusters are read for all other Secrets.
	Clusters *ClusterStore
}

// managementDirectory holds the Secrets of the management cluster.
const managementDirectory = "management"

// path returns the file of a Secret relative to Dir, named like the files of 'render istio'.
// All names come from clusters, so path returns an error for names that could lead outside the
// directory.
func (s *FileStore) path(cluster, namespace, name string) (string, error) {
	if faults := validation.IsDNS1123Label(namespace); len(faults) > 0 {
		return "", fmt.Errorf("invalid namespace %q: %s", namespace, faults[0])
	}
	if faults := validation.IsDNS1123Subdomain(name); len(faults) > 0 {
		return "", fmt.Errorf("invalid Secret name %q: %s", name, faults[0])
	}
	directory := managementDirectory
	if cluster != Management {
		directory = s.Directory(cluster)
		if strings.EqualFold(directory, managementDirectory) {
			// The private key of the root must not end up in the directory of a member cluster.
			directory += "-" + naming.Digest(cluster)[:memberDigest]
		}
	}
	return filepath.Join(directory, "secret-"+namespace+"-"+name+".yaml"), nil
}

// memberDigest is the length of the suffix that distinguishes a member cluster named like the
// management directory.
const memberDigest = 8

// Read implements Store. It does not follow links out of the directory.
func (s *FileStore) Read(ctx context.Context, cluster, namespace, name string) (*kube.Secret, error) {
	path, err := s.path(cluster, namespace, name)
	if err != nil {
		return nil, err
	}
	text, err := s.readFile(path)
	switch {
	case err == nil:
		return secretOfFile(filepath.Join(s.Dir, path), text)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if given, err := s.given(cluster, namespace, name); given != nil || err != nil {
		return given, err
	}
	if _, err := s.Clusters.Connection(cluster); err != nil {
		return nil, nil //nolint:nilerr,nilnil // as documented: without a connection there is no Secret
	}
	return s.Clusters.Read(ctx, cluster, namespace, name)
}

// given returns the Secret that the user gave; nil if there is none.
func (s *FileStore) given(cluster, namespace, name string) (*kube.Secret, error) {
	var found *kube.Secret
	for _, secret := range s.Given {
		if cluster != Management || secret.Namespace != namespace || secret.Name != name {
			continue
		}
		switch {
		case found != nil:
			return nil, fmt.Errorf("%s is given twice", secret)
		case secret.Data == nil:
			return nil, fmt.Errorf("%s cannot be read from its manifest: decrypt it, and encode its data in base64", secret)
		}
		found = secret
	}
	return found, nil
}

func (s *FileStore) readFile(path string) ([]byte, error) {
	tree, err := file.Open(s.Dir, file.Secret)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tree.Close() }()
	return tree.Read(path)
}

// secretOfFile parses a manifest. Its errors never quote the content.
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
		return nil, fmt.Errorf("%s is not the manifest of a Secret: decrypt it, move it away, or choose another directory", path)
	}
	secret := &kube.Secret{
		Namespace: manifest.Metadata.Namespace, Name: manifest.Metadata.Name, Type: manifest.Type,
		Labels: manifest.Metadata.Labels, Annotations: manifest.Metadata.Annotations, Data: map[string][]byte{},
	}
	for key, value := range manifest.Data {
		data, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return nil, fmt.Errorf("%s: key %s is not valid base64: decrypt the file first", path, key)
		}
		secret.Data[key] = data
	}
	return secret, nil
}

// Write implements Store. The file is replaced atomically, and only its owner can read it.
func (s *FileStore) Write(ctx context.Context, cluster string, secret *kube.Secret, how Write) (kube.Outcome, error) {
	stored, err := s.Read(ctx, cluster, secret.Namespace, secret.Name)
	if err != nil {
		return kube.Failed, err
	}
	if stored != nil && how.Create {
		return kube.Failed, &kube.Error{Cluster: cluster, Action: "write " + secret.String(), Reason: kube.ReasonAlreadyExists, Why: "already exists"}
	}
	text, err := yaml.Marshal(secret.Manifest().Object)
	if err != nil {
		return kube.Failed, fmt.Errorf("encode %s: %w", secret, err)
	}
	path, err := s.path(cluster, secret.Namespace, secret.Name)
	if err != nil {
		return kube.Failed, err
	}
	if err := s.writeFile(path, text); err != nil {
		return kube.Failed, file.CannotSave(filepath.Join(s.Dir, path), err)
	}
	if stored == nil {
		return kube.Created, nil
	}
	return kube.Configured, nil
}

func (s *FileStore) writeFile(path string, text []byte) error {
	tree, err := file.Make(s.Dir, file.Secret)
	if err != nil {
		return err
	}
	defer func() { _ = tree.Close() }()
	return tree.Replace(path, text)
}

// Delete implements Store. It never deletes a file: only rotations delete Secrets, and they
// need a management cluster.
func (s *FileStore) Delete(_ context.Context, cluster, namespace, name string, _ map[string]string) error {
	path, err := s.path(cluster, namespace, name)
	if err != nil {
		return err
	}
	return fmt.Errorf("%s was not deleted", path)
}

//go:build linux

package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// writeVolumes writes what the pod mounts: ConfigMaps and Secrets below the
// pod's directory at the path where containers expect them, since programs of
// Istio look there relative to their working directory.
func (p *Pod) writeVolumes() error {
	files := map[string]string{
		"resolv.conf": fmt.Sprintf("nameserver %s\nsearch %s\noptions ndots:5\n", p.node.Plan.DNS, strings.Join(p.Search(), " ")),
		"hosts":       fmt.Sprintf("127.0.0.1 localhost\n%s %s\n", p.address, p.Name),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(p.Dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return p.eachVolume(func(volume *corev1.Volume, dir string) error {
		data, found := p.volumeData(volume)
		if !found {
			return os.MkdirAll(dir, 0o755)
		}
		return writeAtomically(dir, data)
	})
}

// eachVolume calls the function with every volume and the directory that it is
// mounted to.
func (p *Pod) eachVolume(f func(volume *corev1.Volume, dir string) error) error {
	var errs []error
	for i := range p.object.Spec.Containers {
		for _, mount := range p.object.Spec.Containers[i].VolumeMounts {
			k := slices.IndexFunc(p.object.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
			if k >= 0 && (p.object.Spec.Volumes[k].Secret != nil || p.object.Spec.Volumes[k].ConfigMap != nil) {
				errs = append(errs, f(&p.object.Spec.Volumes[k], filepath.Join(p.Dir, mount.MountPath)))
			}
		}
	}
	return errors.Join(errs...)
}

// volumeData returns the files of a volume; false if its object does not exist.
func (p *Pod) volumeData(volume *corev1.Volume) (map[string][]byte, bool) {
	if volume.Secret != nil {
		secret, err := p.node.secrets.Secrets(p.Namespace).Get(volume.Secret.SecretName)
		if err != nil {
			return nil, false
		}
		return secret.Data, true
	}
	configMap, err := p.node.configMaps.ConfigMaps(p.Namespace).Get(volume.ConfigMap.Name)
	if err != nil {
		return nil, false
	}
	data := map[string][]byte{}
	for name, text := range configMap.Data {
		data[name] = []byte(text)
	}
	return data, true
}

// mountedChanged writes the new content of a ConfigMap or Secret to the pods
// that mount it.
func (n *Node) mountedChanged(object any) {
	var namespace, configMap, secret string
	switch o := object.(type) {
	case *corev1.ConfigMap:
		namespace, configMap = o.Namespace, o.Name
	case *corev1.Secret:
		namespace, secret = o.Namespace, o.Name
	}
	for _, p := range n.Pods() {
		if p.Namespace != namespace || p.Dir == "" {
			continue
		}
		if configMap == "istio-ca-root-cert" && p.HasProxy() {
			if _, err := p.writeRootCertificate(); err != nil {
				n.Log("root certificate of %s/%s in %s: %v", p.Namespace, p.Name, n.Cluster, err)
			}
		}
		if err := p.eachVolume(func(volume *corev1.Volume, dir string) error {
			if (volume.Secret == nil || volume.Secret.SecretName != secret) && (volume.ConfigMap == nil || volume.ConfigMap.Name != configMap) {
				return nil
			}
			data, found := p.volumeData(volume)
			if !found {
				return nil
			}
			return writeAtomically(dir, data)
		}); err != nil {
			n.Log("volumes of %s/%s in %s: %v", p.Namespace, p.Name, n.Cluster, err)
		}
	}
}

// writeAtomically makes the directory hold the files, as a kubelet does: names
// are links into a directory that is replaced as a whole.
func writeAtomically(dir string, files map[string][]byte) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := fmt.Sprintf("..%d", time.Now().UnixNano())
	fresh := filepath.Join(dir, name)
	if err := os.Mkdir(fresh, 0o755); err != nil {
		return err
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(fresh, file), content, 0o644); err != nil {
			return err
		}
	}
	data := filepath.Join(dir, "..data")
	old, _ := os.Readlink(data)
	if err := os.Symlink(name, data+"_tmp"); err != nil {
		return err
	}
	if err := os.Rename(data+"_tmp", data); err != nil {
		return err
	}
	for file := range files {
		if err := os.Symlink(filepath.Join("..data", file), filepath.Join(dir, file)); err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if old != "" {
		return os.RemoveAll(filepath.Join(dir, old))
	}
	return nil
}

// writeFile replaces a file that other users may read.
func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o644); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

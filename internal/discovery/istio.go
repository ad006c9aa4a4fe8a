package discovery

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

const (
	istiodName      = "istiod"
	istioConfigMap  = "istio"
	defaultRevision = "default"
)

// istiodImage returns the image that makes a Deployment an Istio control
// plane: its name starts with istiod, and a container's image contains istio
// and pilot. Empty for other Deployments.
func istiodImage(deployment *appsv1.Deployment) string {
	if !strings.HasPrefix(deployment.Name, istiodName) {
		return ""
	}
	return imageOf(deployment.Spec.Template.Spec.Containers, "istio", "pilot")
}

// discoverIstio finds one mesh per istiod.
func (d *discoverer) discoverIstio() {
	for _, deployment := range d.deployments {
		image := istiodImage(deployment)
		if image == "" {
			d.noteUnknownIstiod(deployment)
			continue
		}
		revision := istiodRevision(deployment)
		spec, facts, err := d.istioSpec(deployment, image, revision)
		if err != nil {
			d.skippedRevisions[revision] = true
			d.note(Note{
				Object:  d.object("Deployment", deployment.Namespace, deployment.Name),
				Message: fmt.Sprintf("this istiod is left out: %s", err),
				Hint:    "Fix the problem, then run discover again; until then, the workloads of this mesh are not known.",
				Skipped: true,
			})
			continue
		}
		mesh := &discoveryv1.Mesh{
			TypeMeta:   meshType(),
			ObjectMeta: d.metadata(d.nameFor(d.meshNames, "Deployment", deployment.Namespace, deployment.Name, "")),
			Spec:       discoveryv1.MeshSpec{Istio: spec, Meshctl: facts},
		}
		d.addAgent(&mesh.Spec)
		d.istio = addMesh(d.istio, &foundMesh{resource: mesh, deployment: deployment, revision: revision})
	}
}

func meshType() metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: "Mesh"}
}

// noteUnknownIstiod warns about Deployments that look like istiod but have an
// image that is not recognised, usually because it was renamed.
func (d *discoverer) noteUnknownIstiod(deployment *appsv1.Deployment) {
	if deployment.Name != istiodName && !strings.HasPrefix(deployment.Name, istiodName+"-") {
		return
	}
	d.note(Note{
		Object:  d.object("Deployment", deployment.Namespace, deployment.Name),
		Message: `is named like an istiod, but none of its images contains both "istio" and "pilot", so it is no mesh`,
		Hint:    "If it is an istiod, keep istio and pilot in the path when mirroring its image.",
		Skipped: true,
	})
}

// istiodRevision returns the revision of an istiod: its label istio.io/rev,
// else that of its pods, else what follows `istiod-` in its name.
func istiodRevision(deployment *appsv1.Deployment) string {
	return cmp.Or(
		deployment.Labels[revisionLabel],
		deployment.Spec.Template.Labels[revisionLabel],
		strings.TrimPrefix(strings.TrimPrefix(deployment.Name, istiodName), "-"),
		defaultRevision,
	)
}

func (d *discoverer) istioSpec(
	deployment *appsv1.Deployment, image, revision string,
) (*discoveryv1.IstioMesh, *discoveryv1.MeshFacts, error) {
	installation, err := d.installation(deployment, image)
	if err != nil {
		return nil, nil, err
	}
	config, err := d.meshConfig(deployment.Namespace, revision)
	if err != nil {
		return nil, nil, err
	}
	return &discoveryv1.IstioMesh{
		Installation:            installation,
		TrustDomain:             config.trustDomain,
		RootNamespace:           config.rootNamespace,
		SmartDNSProxyingEnabled: config.capturesDNS,
		IstiodServiceAccount:    serviceAccount(&deployment.Spec.Template.Spec),
		IngressGateways:         d.ingressGateways(deployment.Namespace),
	}, d.meshFacts(deployment, revision, config), nil
}

// installation describes where a control plane runs. It returns an error if the
// image reference is invalid.
func (d *discoverer) installation(deployment *appsv1.Deployment, image string) (*discoveryv1.MeshInstallation, error) {
	version, err := imageVersion(image)
	if err != nil {
		return nil, err
	}
	installation := &discoveryv1.MeshInstallation{
		Namespace: deployment.Namespace, Cluster: d.cluster, Version: version, Region: d.region(),
	}
	if selector := deployment.Spec.Selector; selector != nil {
		installation.PodLabels = copyLabels(selector.MatchLabels)
	}
	return installation, nil
}

// meshConfig reads the MeshConfig of an istiod: the ConfigMap of its revision,
// else the common one (D2).
func (d *discoverer) meshConfig(namespace, revision string) (meshConfig, error) {
	names := []string{istioConfigMap}
	if revision != defaultRevision {
		names = []string{istioConfigMap + "-" + revision, istioConfigMap}
	}
	var errs []error
	for _, name := range names {
		configMap := d.configMaps[namespaced{namespace, name}]
		if configMap == nil {
			errs = append(errs, fmt.Errorf("the ConfigMap %s.%s is missing", name, namespace))
			continue
		}
		text, found := configMap.Data[meshConfigKey]
		if !found {
			errs = append(errs, fmt.Errorf("the ConfigMap %s.%s has no key %q", name, namespace, meshConfigKey))
			continue
		}
		config, err := parseMeshConfig(text)
		if err != nil {
			return meshConfig{}, fmt.Errorf("the MeshConfig of the ConfigMap %s.%s cannot be read: %w", name, namespace, err)
		}
		config.source, config.networks = namespaced{namespace, name}, configMap.Data[meshNetworksKey]
		return config, nil
	}
	return meshConfig{}, join(errs)
}

// join joins errors in one line.
func join(errs []error) error {
	texts := make([]string, 0, len(errs))
	for _, err := range errs {
		texts = append(texts, err.Error())
	}
	return errors.New(strings.Join(texts, ", and "))
}

// serviceAccount returns the service account of a pod template. It also reads the
// deprecated field, which the API server keeps for old clients.
func serviceAccount(spec *corev1.PodSpec) string {
	return cmp.Or(spec.ServiceAccountName, spec.DeprecatedServiceAccount)
}

// addAgent records where the agent of the original implementation runs in the
// cluster, if it is installed.
func (d *discoverer) addAgent(spec *discoveryv1.MeshSpec) {
	for _, pod := range d.pods {
		if pod.Labels["app"] != "cert-agent" {
			continue
		}
		type agentInfo struct {
			AgentNamespace string `json:"agentNamespace"`
		}
		text, err := json.Marshal(map[string]agentInfo{"agentInfo": {pod.Namespace}})
		if err == nil {
			err = json.Unmarshal(text, spec)
		}
		if err != nil {
			d.note(Note{
				Object:  d.object("Pod", pod.Namespace, pod.Name),
				Message: fmt.Sprintf("the agent cannot be recorded: %s", err),
			})
		}
		return
	}
}

package discovery

import corev1 "k8s.io/api/core/v1"

// TrimPod removes what is large and tells nothing about meshes, so that it need not
// be kept.
func TrimPod(spec *corev1.PodSpec) {
	spec.Volumes, spec.Affinity, spec.Tolerations = nil, nil, nil
	for _, containers := range [][]corev1.Container{spec.Containers, spec.InitContainers} {
		for i := range containers {
			c := &containers[i]
			c.VolumeMounts, c.LivenessProbe, c.ReadinessProbe, c.StartupProbe, c.Lifecycle = nil, nil, nil, nil, nil
			c.Resources = corev1.ResourceRequirements{}
		}
	}
}

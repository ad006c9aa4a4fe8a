package discovery

import corev1 "k8s.io/api/core/v1"

// TrimPod removes large fields that discovery does not need, to save memory.
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

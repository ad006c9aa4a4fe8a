package discovery

// ambient is the value of the data plane mode in which pods have no sidecar.
const ambient = "ambient"

// noteAmbient warns about workloads in ambient mode. Discovery recognises
// workloads by their sidecars, so these would otherwise be
// missing without a message.
func (d *discoverer) noteAmbient() {
	const hint = "Policies do not reach ambient workloads; give them sidecars to include them."
	inAmbient := map[string]bool{}
	for _, namespace := range d.namespaces {
		if namespace.Labels[dataplaneModeLabel] == ambient {
			inAmbient[namespace.Name] = true
			d.note(Note{
				Object:  d.object("Namespace", "", namespace.Name),
				Message: "is in ambient mode; its pods without a sidecar are no workloads",
				Hint:    hint,
			})
		}
	}
	for _, pod := range d.pods {
		if pod.Labels[dataplaneModeLabel] != ambient || inAmbient[pod.Namespace] || findProxy(pod, "istio", "proxy") != nil {
			continue
		}
		d.addToTally(tally{
			scope: pod.Namespace, message: "is in ambient mode and has no sidecar, so it makes no workload",
			hint: hint,
		}, d.object("Pod", pod.Namespace, pod.Name))
	}
}

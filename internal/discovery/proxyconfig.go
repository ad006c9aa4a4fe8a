package discovery

import corev1 "k8s.io/api/core/v1"

// proxyConfigVariable has the ProxyConfig that injection gave to a pod.
const proxyConfigVariable = "PROXY_CONFIG"

// proxyConfig is the part of an Istio ProxyConfig that discovery needs.
type proxyConfig struct {
	// address is that of the istiod; empty if there is none.
	address string
	// capturesDNS counts only if statesDNS.
	capturesDNS, statesDNS bool
}

// proxyConfig reads a ProxyConfig. Thousands of pods share the same text, so each
// is parsed once.
func (d *discoverer) proxyConfig(written string) proxyConfig {
	config, known := d.proxyConfigs[written]
	if !known {
		config = parseProxyConfig(written)
		d.proxyConfigs[written] = config
	}
	return config
}

// parseProxyConfig leaves out what cannot be read.
func parseProxyConfig(written string) (config proxyConfig) {
	fields, err := parseFields(written)
	if err != nil {
		return config
	}
	if address, err := textField(fields, "discoveryAddress", "discovery_address"); err == nil {
		config.address = address
	}
	if captures, stated, reason := dnsCaptureOf(fields); reason == "" {
		config.capturesDNS, config.statesDNS = captures, stated
	}
	return config
}

// capturesDNS returns whether the proxy of a pod captures DNS requests, if the pod
// says so: by the variable that the proxy reads, else by the ProxyConfig that
// becomes that variable. A pod that Istio injected without it does not, whatever
// the mesh's default is by now.
func (d *discoverer) capturesDNS(pod *corev1.Pod, proxy *corev1.Container) (captures, stated bool) {
	if value, set := lookup(proxy, dnsCaptureVariable); set {
		if value.ValueFrom != nil {
			return false, false
		}
		return isTrue(value.Value), true
	}
	injected, hasConfig := lookup(proxy, proxyConfigVariable)
	for _, written := range []string{injected.Value, pod.Annotations[proxyConfigKey]} {
		if config := d.proxyConfig(written); config.statesDNS {
			return config.capturesDNS, true
		}
	}
	// Istio's injection sets both, by hand nobody does.
	_, hasCluster := lookup(proxy, "ISTIO_META_CLUSTER_ID")
	return false, hasConfig && hasCluster
}

package discovery

import (
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"
)

// meshConfig holds the fields of Istio's MeshConfig that discovery needs. All
// others are ignored, so that an unknown field of another Istio version never
// hides a mesh.
type meshConfig struct {
	trustDomain, rootNamespace string
	// capturesDNS is true if proxies resolve names that no DNS server knows.
	capturesDNS bool
	// fields are all of them, as they are written in the ConfigMap of source, and
	// networks its meshNetworks.
	fields   map[string]any
	source   namespaced
	networks string
}

// parseMeshConfig reads a MeshConfig. Like Istio it accepts each field in both
// spellings, trustDomain and trust_domain.
func parseMeshConfig(text string) (meshConfig, error) {
	fields, err := parseFields(text)
	if err != nil {
		return meshConfig{}, err
	}
	config := meshConfig{fields: fields}
	if config.trustDomain, err = textField(fields, "trustDomain", "trust_domain"); err != nil {
		return meshConfig{}, err
	}
	if config.rootNamespace, err = textField(fields, "rootNamespace", "root_namespace"); err != nil {
		return meshConfig{}, err
	}
	proxy, err := mapField(fields, "defaultConfig", "default_config")
	if err != nil {
		return meshConfig{}, err
	}
	metadata, err := mapField(proxy, "proxyMetadata", "proxy_metadata")
	if err != nil {
		return meshConfig{}, err
	}
	config.capturesDNS = metadata["ISTIO_META_DNS_CAPTURE"] == "true"
	return config, nil
}

// parseFields parses YAML or JSON; an empty text has no fields.
func parseFields(text string) (map[string]any, error) {
	var content any
	if err := yaml.Unmarshal([]byte(text), &content); err != nil {
		return nil, err
	}
	fields, ok := content.(map[string]any)
	if !ok && content != nil {
		return nil, errors.New("it holds no fields")
	}
	return fields, nil
}

func textField(fields map[string]any, spellings ...string) (string, error) {
	for _, name := range spellings {
		switch value := fields[name].(type) {
		case nil:
		case string:
			return value, nil
		default:
			return "", fmt.Errorf("%s is not a string", name)
		}
	}
	return "", nil
}

func mapField(fields map[string]any, spellings ...string) (map[string]any, error) {
	for _, name := range spellings {
		switch value := fields[name].(type) {
		case nil:
		case map[string]any:
			return value, nil
		default:
			return nil, fmt.Errorf("%s does not hold fields", name)
		}
	}
	return nil, nil
}

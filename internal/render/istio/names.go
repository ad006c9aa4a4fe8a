package istio

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/pkg/api/naming"
)

// digestLength is how many digits tell objects apart whose names would be
// equal.
const digestLength = 8

// maxLabel is the length of a DNS label, and of a label's value.
const maxLabel = 63

func isLabelValue(text string) bool { return len(validation.IsValidLabelValue(text)) == 0 }

func isDNSLabel(text string) bool { return len(validation.IsDNS1123Label(text)) == 0 }

func isDNSName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }

func isIP(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Zone() == ""
}

// objectName returns the name if an API server accepts it, else one made from
// it.
func objectName(name string) string {
	if isDNSName(name) {
		return name
	}
	return dnsLabel(name)
}

// dnsLabel turns a text into a DNS label; different texts that have nothing in
// them that could be part of one stay different.
func dnsLabel(text string) string {
	if label := naming.Sanitise(text); isDNSLabel(label) {
		return label
	}
	if label := strings.Trim(naming.Sanitise(text), "-"); isDNSLabel(label) {
		return label
	}
	return "x-" + naming.Digest(text)[:digestLength]
}

// distinct returns a DNS label that is told apart from others of the same text
// by a key.
func distinct(label, key string) string {
	return label[:min(len(label), maxLabel-digestLength-1)] + "-" + naming.Digest(key)[:digestLength]
}

// pairs returns the labels as one text per pair, sorted.
func pairs(labels map[string]string, separator string) []string {
	texts := make([]string, 0, len(labels))
	for k, v := range labels {
		texts = append(texts, k+separator+v)
	}
	slices.Sort(texts)
	return texts
}

// labelsKey identifies a set of labels: neither keys nor values of labels
// contain `=` or line ends.
func labelsKey(labels map[string]string) string { return strings.Join(pairs(labels, "="), "\n") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

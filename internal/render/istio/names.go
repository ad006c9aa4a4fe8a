package istio

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/pkg/api/naming"
)

// digestLength is the number of hash digits that make equal names distinct.
const digestLength = 8

// maxLabel is the maximum length of a DNS label and of a label value.
const maxLabel = 63

func isLabelValue(text string) bool { return len(validation.IsValidLabelValue(text)) == 0 }

func isDNSLabel(text string) bool { return len(validation.IsDNS1123Label(text)) == 0 }

func isDNSName(text string) bool { return len(validation.IsDNS1123Subdomain(text)) == 0 }

func isIP(text string) bool {
	address, err := netip.ParseAddr(text)
	return err == nil && address.Zone() == ""
}

// objectName returns the name if it is a valid object name, else a valid one
// derived from it.
func objectName(name string) string {
	if isDNSName(name) {
		return name
	}
	return dnsLabel(name)
}

// dnsLabel converts a text into a DNS label. Different texts without any valid
// character give different labels.
func dnsLabel(text string) string {
	if label := naming.Sanitise(text); isDNSLabel(label) {
		return label
	}
	if label := strings.Trim(naming.Sanitise(text), "-"); isDNSLabel(label) {
		return label
	}
	return "x-" + naming.Digest(text)[:digestLength]
}

// distinct returns a DNS label that is made unique by a hash of the key.
func distinct(label, key string) string {
	return label[:min(len(label), maxLabel-digestLength-1)] + "-" + naming.Digest(key)[:digestLength]
}

// pairs returns the labels as sorted texts, one per pair.
func pairs(labels map[string]string, separator string) []string {
	texts := make([]string, 0, len(labels))
	for k, v := range labels {
		texts = append(texts, k+separator+v)
	}
	slices.Sort(texts)
	return texts
}

// labelsKey identifies a set of labels: neither keys nor values contain `=` or
// line ends.
func labelsKey(labels map[string]string) string { return strings.Join(pairs(labels, "="), "\n") }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

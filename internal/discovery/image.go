package discovery

import (
	"fmt"
	"regexp"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// versionLatest is the version of an image with neither tag nor digest (D1).
const versionLatest = "latest"

// imagePattern is the grammar of image references: an optional registry with
// a port, a path in lower case, a tag and a digest.
const imagePattern = `^(?:(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Fa-f0-9:]+\])(?::[0-9]+)?/)?` +
	`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*` +
	`(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}))?$`

// imageVersion returns the tag of an image, else its digest, else "latest"
// (D1). It returns an error if the text is not an image reference.
func imageVersion(image string) (string, error) {
	pattern := regexp.MustCompile(imagePattern)
	parts := pattern.FindStringSubmatch(image)
	if parts == nil {
		return "", fmt.Errorf("%q is not an image reference", image)
	}
	for _, group := range []string{"tag", "digest"} {
		if version := parts[pattern.SubexpIndex(group)]; version != "" {
			return version, nil
		}
	}
	return versionLatest, nil
}

// imageOf returns the image of the first container whose image contains all of
// the parts; empty if there is none.
func imageOf(containers []corev1.Container, parts ...string) string {
	if c := containerOf(containers, parts...); c != nil {
		return c.Image
	}
	return ""
}

// containerOf returns the first container whose image contains all of the parts.
func containerOf(containers []corev1.Container, parts ...string) *corev1.Container {
	for i := range containers {
		if containsAll(containers[i].Image, parts...) {
			return &containers[i]
		}
	}
	return nil
}

func containsAll(text string, parts ...string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

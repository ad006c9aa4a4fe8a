package kube

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"
)

// minMinor is the oldest supported minor version of Kubernetes 1: the first with
// stable server-side apply and EndpointSlices.
const minMinor = 22

// CheckVersion returns an *Error if the Kubernetes version of a cluster is too
// old for meshctl, and nil if it is supported or cannot be parsed.
func CheckVersion(c *Connection, info version.Info) error {
	minor, err := strconv.Atoi(strings.TrimRight(info.Minor, "+"))
	if err != nil || info.Major != "1" || minor >= minMinor {
		return nil //nolint:nilerr // an unparsable version is not an error
	}
	return &Error{
		Cluster: c.Name, Action: "use the cluster", Reason: ReasonUnusable,
		Why: "unsupported Kubernetes version " + info.GitVersion, Hint: fmt.Sprintf("upgrade it to 1.%d or later", minMinor),
	}
}

package kube

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/version"
)

// minMinor is the first minor version of Kubernetes 1 that serves all that is
// used: server-side apply and EndpointSlices.
const minMinor = 22

// CheckVersion returns an *Error if a cluster runs a version of Kubernetes that
// is too old for meshctl, nil if it does not or if the version says nothing.
func CheckVersion(c *Connection, info version.Info) error {
	minor, err := strconv.Atoi(strings.TrimRight(info.Minor, "+"))
	if err != nil || info.Major != "1" || minor >= minMinor {
		return nil //nolint:nilerr // a version that says nothing does no harm
	}
	return &Error{
		Cluster: c.Name, Action: "use the cluster", Reason: ReasonUnusable,
		Why: "unsupported Kubernetes version " + info.GitVersion, Hint: fmt.Sprintf("upgrade it to 1.%d or later", minMinor),
	}
}

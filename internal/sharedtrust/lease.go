package sharedtrust

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/user"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/kube"
)

// Alone calls do while this process holds the Lease for the trust of the virtual mesh, so that
// there are no concurrent changes. Without a management cluster there is no Lease. The context
// reading has a deadline that starts when the Lease is acquired. Alone returns an error if
// another process holds the Lease, if it is lost, or if do fails.
func (t *Session) Alone(ctx context.Context, s *Subject, do func(ctx, reading context.Context) error) error {
	run := func(ctx context.Context) error {
		reading, stop := context.WithTimeout(ctx, ReadingTime(t.Store.Deadline))
		defer stop()
		return do(ctx, reading)
	}
	if t.Store.Management == nil {
		return run(ctx)
	}
	identity, err := leaseIdentity()
	if err != nil {
		return err
	}
	err = kube.Hold(ctx, t.Store.Management, kube.LeaseOptions{
		Namespace: t.Env.Namespace, Name: leaseName(s), Identity: identity,
		Action: "acquire the Lease for the trust of VirtualMesh " + s.Name(),
	}, t.Env.Now, run)
	var held *kube.HeldError
	var lost *kube.LeaseLostError
	switch {
	case errors.As(err, &held):
		return fmt.Errorf("%s has been working on the trust of VirtualMesh %s since %s (Lease %s in %s): try again later; if that process died, the Lease expires after %s",
			held.Holder, s.Name(), held.Since.UTC().Format(time.RFC3339), held.Lease, held.Namespace, held.Expires)
	case errors.As(err, &lost):
		return fmt.Errorf("stopped: lost the Lease for the trust of VirtualMesh %s: %w: check with 'meshctl trust status %s', then run the command again", s.Name(), err, s.Name())
	default:
		return err
	}
}

// leaseName returns the name of the Lease for the trust of a virtual mesh. The namespace comes
// last, because it contains no dots. A name that is too long is truncated and made unique by a
// hash.
func leaseName(s *Subject) string {
	name := "meshctl-trust-" + s.Name()
	if len(name) <= validation.DNS1123SubdomainMaxLength {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:8])
	return strings.TrimRight(name[:validation.DNS1123SubdomainMaxLength-len(hash)-1], "-.") + "-" + hash
}

// leaseIdentity identifies this process as USER@HOST/PROCESS, with a random suffix because
// containers may share all three.
func leaseIdentity() (string, error) {
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("get the hostname for the Lease: %w", err)
	}
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return fmt.Sprintf("%s@%s/%d-%s", name, host, os.Getpid(), strings.ToLower(rand.Text()[:4])), nil
}

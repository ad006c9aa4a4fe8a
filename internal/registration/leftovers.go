package registration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// Leftover is an object that should be gone but is, or may be, still there.
type Leftover struct {
	// Cluster is the cluster of the object.
	Cluster string
	// Object describes the object, for example "ClusterRole meshctl-east".
	Object string
	// Command removes it. It specifies the context of the cluster, and is empty if the context
	// is not known or if the command could delete objects of others.
	Command string
	// Advice says what to do if there is no Command.
	Advice string
}

// IncompleteError says that an operation failed halfway, and what it left behind.
type IncompleteError struct {
	// Err is the cause.
	Err error
	// Leftovers are in the order of removal.
	Leftovers []Leftover
}

// Error implements error. It lists the leftovers after the cause.
func (e *IncompleteError) Error() string {
	names := make([]string, 0, len(e.Leftovers))
	for _, l := range e.Leftovers {
		names = append(names, fmt.Sprintf("%s on %s", l.Object, l.Cluster))
	}
	return fmt.Sprintf("%v; left behind: %s", e.Err, strings.Join(names, ", "))
}

// Unwrap returns the cause.
func (e *IncompleteError) Unwrap() error { return e.Err }

// kubectl returns a kubectl command for the cluster of a connection. It returns nothing if the
// context is not known: without one, the command would act on whichever cluster is current
// when it is pasted. kubeconfig is the file of the context, empty for the default files.
func kubectl(c *kube.Connection, kubeconfig string, words ...string) string {
	if c.Context == "" {
		return ""
	}
	command := []string{"kubectl"}
	if kubeconfig != "" {
		command = append(command, "--kubeconfig", kubeconfig)
	}
	return shellquote.Join(slices.Concat(command, []string{"--context", c.Context}, words)...)
}

// leftoverOf returns the leftover for an object that remains on the cluster of a connection.
func leftoverOf(c *kube.Connection, kubeconfig string, key kube.ObjectKey) Leftover {
	left := Leftover{Cluster: c.Name, Object: kube.DescribeObject(key.GVK.Kind, key.Namespace, key.Name)}
	if key.GVK == kube.NamespaceKind() {
		left.Advice = "delete it if nothing else is in it" // a command would also delete everything else in it
		return left
	}
	words := []string{"delete", kubectlResource(key.GVK.GroupKind()), key.Name}
	if key.Namespace != "" {
		words = append(words, "--namespace", key.Namespace)
	}
	if left.Command = kubectl(c, kubeconfig, words...); left.Command == "" {
		left.Advice = "delete it with your own credentials for the cluster"
	}
	return left
}

// kubectlResource returns an unambiguous name of a kind for kubectl.
func kubectlResource(kind schema.GroupKind) string {
	name := strings.ToLower(kind.Kind)
	if kind.Group != "" && strings.Contains(kind.Group, ".") && !strings.HasSuffix(kind.Group, ".k8s.io") {
		name += "." + kind.Group
	}
	return name
}

// journal records the objects that a run created, to roll them back if it fails.
type journal struct {
	entries []journalEntry
}

type journalEntry struct {
	connection *kube.Connection
	kubeconfig string
	key        kube.ObjectKey
	owner      map[string]string
}

// rollbackTime limits a rollback, which continues even if the user cancels the run.
const rollbackTime = 20 * time.Second

// rollBack deletes the created objects in reverse order and returns err, wrapped in an
// *IncompleteError if an object could not be deleted. It ignores cancellation of ctx.
func (j *journal) rollBack(ctx context.Context, observe Observer, err error) error {
	if len(j.entries) == 0 {
		return err
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), rollbackTime)
	defer stop()
	var (
		leftovers []Leftover
		dead      []*kube.Connection
		removed   int
	)
	observe.notify(Event{Phase: PhaseRollback, State: PhaseStarted})
	for _, entry := range slices.Backward(j.entries) {
		var failure *kube.Error
		if !slices.Contains(dead, entry.connection) {
			failure = entry.remove(ctx)
		}
		if failure == nil && !slices.Contains(dead, entry.connection) {
			removed++
			continue
		}
		if failure != nil && failure.WholeCluster() {
			dead = append(dead, entry.connection)
		}
		leftovers = append(leftovers, leftoverOf(entry.connection, entry.kubeconfig, entry.key))
	}
	if len(leftovers) > 0 {
		observe.notify(Event{Phase: PhaseRollback, State: PhaseFailed})
		return &IncompleteError{Err: err, Leftovers: leftovers}
	}
	observe.notify(Event{Phase: PhaseRollback, State: PhaseDone, Detail: text.Count(removed, "object")})
	return err
}

func (e journalEntry) remove(ctx context.Context) *kube.Error {
	if e.key.GVK.Kind == "Namespace" {
		removed, err := kube.DeleteNamespaceIfEmpty(ctx, e.connection, e.key.Name, e.owner)
		if err == nil && !removed {
			// Someone else uses the namespace now, so it stays.
			return nil
		}
		return e.connection.Translate("delete Namespace "+e.key.Name, err)
	}
	return kube.Delete(ctx, e.connection, e.key, kube.DeleteOptions{Owner: e.owner}).Err
}

// apply applies objects of meshctl one by one, records new ones, and stops at the first error.
// A dry run records nothing.
func (j *journal) apply(ctx context.Context, c *kube.Connection, kubeconfig string, opts kube.ApplyOptions, objects ...*unstructured.Unstructured) ([]kube.Result, error) {
	results := make([]kube.Result, 0, len(objects))
	for _, object := range objects {
		key := kube.ObjectKey{GVK: object.GroupVersionKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
		_, err := kube.Get(ctx, c, key)
		isNew := kube.IsReason(err, kube.ReasonNotFound)
		if err != nil && !isNew {
			return results, err
		}
		result := kube.Apply(ctx, c, []*unstructured.Unstructured{object}, opts)[0]
		// If the response was lost, the object may have been created.
		created := result.Outcome == kube.Created || result.Err != nil && isNew && isLost(result.Err)
		if created && opts.DryRun != kube.DryRunServer {
			j.entries = append(j.entries, journalEntry{c, kubeconfig, key, opts.Owner})
		}
		if result.Err != nil {
			return results, result.Err
		}
		results = append(results, result)
	}
	return results, nil
}

// isLost reports whether a failed request may have succeeded, because its response was not
// received.
func isLost(e *kube.Error) bool {
	switch e.Reason {
	case kube.ReasonUnreachable, kube.ReasonTimeout, kube.ReasonCancelled, kube.ReasonServerTrouble, kube.ReasonOther:
		return true
	default:
		return false
	}
}

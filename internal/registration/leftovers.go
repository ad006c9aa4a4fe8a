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

// Leftover is something that should be gone and is, or may be, still there.
type Leftover struct {
	// Cluster is where it is.
	Cluster string
	// Object names it: "ClusterRole meshctl-east".
	Object string
	// Command removes it. It names the cluster by its context, and is empty where
	// that is not known or where it could remove what others made.
	Command string
	// Advice says in words what to do if there is no Command.
	Advice string
}

// IncompleteError says that an operation ended halfway and what is left of it.
type IncompleteError struct {
	// Err is what ended it.
	Err error
	// Leftovers are in the order in which to remove them.
	Leftovers []Leftover
}

// Error names the cause and how much is left; the leftovers tell the rest.
func (e *IncompleteError) Error() string {
	names := make([]string, 0, len(e.Leftovers))
	for _, l := range e.Leftovers {
		names = append(names, fmt.Sprintf("%s on %s", l.Object, l.Cluster))
	}
	return fmt.Sprintf("%v; what is left behind: %s", e.Err, strings.Join(names, ", "))
}

// Unwrap returns the cause.
func (e *IncompleteError) Unwrap() error { return e.Err }

// kubectl returns a kubectl command for the cluster of a connection, empty if no
// context leads there: a command without one would act on whatever cluster is the
// current one when it is pasted. kubeconfig is the file that the context is in,
// empty for the usual ones.
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

// leftoverOf returns an object that stays on the cluster of a connection.
func leftoverOf(c *kube.Connection, kubeconfig string, key kube.ObjectKey) Leftover {
	left := Leftover{Cluster: c.Name, Object: kube.DescribeObject(key.GVK.Kind, key.Namespace, key.Name)}
	if key.GVK == kube.NamespaceKind() {
		left.Advice = "delete it if nothing else is in it" // a command would delete the rest of it, too
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

// kubectlResource names a kind so that kubectl takes it for no other.
func kubectlResource(kind schema.GroupKind) string {
	name := strings.ToLower(kind.Kind)
	if kind.Group != "" && strings.Contains(kind.Group, ".") && !strings.HasSuffix(kind.Group, ".k8s.io") {
		name += "." + kind.Group
	}
	return name
}

// journal remembers what one run made, to take it back if the run fails.
type journal struct {
	entries []journalEntry
}

type journalEntry struct {
	connection *kube.Connection
	kubeconfig string
	key        kube.ObjectKey
	owner      map[string]string
}

// rollbackTime bounds taking back, which goes on after the user has stopped the
// run.
const rollbackTime = 20 * time.Second

// takeBack deletes what was made, the last first, and returns err, within an
// *IncompleteError if something could not be deleted. The time of ctx does not
// count.
func (j *journal) takeBack(ctx context.Context, observe Observer, err error) error {
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
	observe.tell(Event{Phase: PhaseRollback, State: PhaseStarted})
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
		observe.tell(Event{Phase: PhaseRollback, State: PhaseFailed})
		return &IncompleteError{Err: err, Leftovers: leftovers}
	}
	observe.tell(Event{Phase: PhaseRollback, State: PhaseDone, Detail: text.Count(removed, "object")})
	return err
}

func (e journalEntry) remove(ctx context.Context) *kube.Error {
	if e.key.GVK.Kind == "Namespace" {
		removed, err := kube.DeleteNamespaceIfEmpty(ctx, e.connection, e.key.Name, e.owner)
		if err == nil && !removed {
			// Others have moved in; then it is theirs.
			return nil
		}
		return e.connection.Translate("delete Namespace "+e.key.Name, err)
	}
	return kube.Delete(ctx, e.connection, e.key, kube.DeleteOptions{Owner: e.owner}).Err
}

// apply applies objects that belong to meshctl one after the other, notes what
// is new, and stops at the first that fails. A dry run notes nothing.
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
		// A request whose answer was lost may have created the object.
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

// isLost reports whether a request may have been carried out although it
// failed: nobody heard the answer.
func isLost(e *kube.Error) bool {
	switch e.Reason {
	case kube.ReasonUnreachable, kube.ReasonTimeout, kube.ReasonCancelled, kube.ReasonServerTrouble, kube.ReasonOther:
		return true
	default:
		return false
	}
}

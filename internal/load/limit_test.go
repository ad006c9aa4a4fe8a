package load

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestTooManyObjects holds that input with more objects than the limit is refused,
// however they are written, and that the limit can be raised.
func TestTooManyObjects(t *testing.T) {
	t.Parallel()
	policy := func(i int) string {
		return fmt.Sprintf(`{"apiVersion": "networking.mesh.gloo.solo.io/v1", "kind": "TrafficPolicy", "metadata": {"name": "p%d"}}`, i)
	}
	pod := func(int) string { return `{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}` }
	documents := func(object func(int) string) func(int) string {
		return func(n int) string { return repeat(n, func(i int) string { return "---\n" + object(i) + "\n" }) }
	}
	for name, text := range map[string]func(n int) string{
		"documents":           documents(policy),
		"objects of others":   documents(pod),
		"objects given twice": documents(func(int) string { return policy(0) }),
		"a List in JSON": func(n int) string {
			return `{"apiVersion": "v1", "kind": "List", "items": [` + strings.TrimSuffix(repeat(n, func(i int) string { return policy(i) + "," }), ",") + "]}"
		},
		"a List in YAML": func(n int) string {
			return "apiVersion: v1\nkind: List\nitems:\n" + repeat(n, func(i int) string { return "- " + policy(i) + "\n" })
		},
		"a List without an end": func(n int) string {
			return `{"apiVersion": "v1", "kind": "List", "items": [` + repeat(n, func(i int) string { return policy(i) + "," })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := func(n, limit int) error {
				_, err := Files(t.Context(), FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text(n)), MaxObjects: limit}, validation.New())
				return err
			}
			var tooMany *TooManyObjectsError
			if err := read(101, 100); !errors.As(err, &tooMany) || err.Error() != "the input has more than 100 objects: raise the limit with --max-objects" {
				t.Errorf("101 objects: %v", err)
			}
			for _, limit := range []int{101, 0} {
				if err := read(101, limit); errors.As(err, &tooMany) {
					t.Errorf("with the limit %d: %v", limit, err)
				}
			}
		})
	}
}

// endless writes objects until its reader has enough.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.read%len(e.text):])
	e.read += n
	return n, nil
}

// TestEndlessInput holds that not much more is read than the limit allows, also of the
// files of a cluster.
func TestEndlessInput(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(context.Context, *endless) error{
		"manifests": func(ctx context.Context, in *endless) error {
			_, err := Files(ctx, FileOptions{Paths: []string{"-"}, Stdin: in, MaxObjects: 1000}, validation.New())
			return err
		},
		"files of a cluster": func(ctx context.Context, in *endless) error {
			_, err := DiscoverDump(ctx, DumpOptions{Cluster: "east", Paths: []string{"-"}, Stdin: in, MaxObjects: 1000})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := &endless{text: "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n"}
			var tooMany *TooManyObjectsError
			if err := read(t.Context(), in); !errors.As(err, &tooMany) || tooMany.Limit != 1000 {
				t.Errorf("got %v", err)
			}
		})
	}
}

package check

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/world"
)

// What would be rendered is not known while part of the configuration is missing.
func TestWrittenOfIncompleteWorld(t *testing.T) {
	t.Parallel()
	f := wellFacts(wellMember("east"))
	f.World = policy.Evaluate(world.New(world.Objects{Problems: []world.Problem{{Kind: world.UnusableCluster, Message: "no answer"}}}))
	all := lines(Judge(f, []string{CategoryConfiguration}), CategoryConfiguration)
	want := "failed configuration-written: not known: part of the configuration could not be read"
	if got := all[len(all)-1]; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What clusters have is compared with what would be rendered; what protects fails
// the check.
func TestWritten(t *testing.T) {
	t.Parallel()
	change := func(kind kube.ChangeKind, of istio.Kind, name string) rollout.Change {
		c := rollout.Change{Kind: kind, Key: kube.ObjectKey{GVK: of.GVK(), Namespace: "shop", Name: name}}
		if kind == kube.ChangeRefuse {
			c.Err = &kube.Error{Cluster: "east", Action: "apply " + name, Reason: kube.ReasonConflict, Why: "it is not ours"}
		}
		return c
	}
	held := func(name string) rollout.Change {
		c := change(kube.ChangeRefuse, istio.KindPeerAuthentication, name)
		c.Held, c.Err = true, &kube.Error{Cluster: "east", Action: "delete " + name, Reason: kube.ReasonConflict, Why: "it protects workloads", Hint: "repair that"}
		return c
	}
	for name, test := range map[string]struct {
		cluster rollout.Cluster
		want    string
	}{
		"as it should be": {rollout.Cluster{Unchanged: 2}, "ok configuration-written east: 2 objects"},
		"never applied": {
			rollout.Cluster{Changes: []rollout.Change{change(kube.ChangeAdd, istio.KindVirtualService, "a"), change(kube.ChangeAdd, istio.KindDestinationRule, "b")}},
			"warning configuration-written east: not applied yet: 2 objects missing (VirtualService shop/a, DestinationRule shop/b)",
		},
		"protection was never applied": {
			rollout.Cluster{Changes: []rollout.Change{change(kube.ChangeAdd, istio.KindPeerAuthentication, "a")}},
			"failed configuration-written east: not applied yet: 1 object missing (PeerAuthentication shop/a); protection is missing",
		},
		"changed by others": {
			rollout.Cluster{Unchanged: 1, Changes: []rollout.Change{change(kube.ChangeModify, istio.KindVirtualService, "a")}},
			"warning configuration-written east: 1 object changed by others or outdated (VirtualService shop/a)",
		},
		"no longer needed": {
			rollout.Cluster{Changes: []rollout.Change{change(kube.ChangeRemove, istio.KindAuthorizationPolicy, "a")}},
			"warning configuration-written east: 1 object no longer needed (AuthorizationPolicy shop/a)",
		},
		"in conflict": {
			rollout.Cluster{Unchanged: 1, Changes: []rollout.Change{change(kube.ChangeRefuse, istio.KindAuthorizationPolicy, "a")}},
			"failed configuration-written east: cannot apply a on cluster east: it is not ours; protection is missing",
		},
		"held back": {
			rollout.Cluster{Unchanged: 1, Changes: []rollout.Change{change(kube.ChangeRemove, istio.KindVirtualService, "a"), held("b"), held("c")}},
			"warning configuration-written east: 1 object no longer needed (VirtualService shop/a); held back: cannot delete b on cluster east: it protects workloads and 1 more",
		},
		"its mesh claims another trust domain": {
			rollout.Cluster{Err: &rollout.TrustDomainError{Cluster: "east", Mesh: "istiod", Accepted: "a.example", Found: "b.example"}},
			"failed configuration-written east: cluster east: the trust domain of mesh istiod changed from a.example to b.example: " +
				"if that is intended, accept it with 'meshctl apply --accept-trust-domain istiod=b.example'",
		},
		"not known": {rollout.Cluster{Err: errors.New("no answer")}, "failed configuration-written east: not known: no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.cluster.Name = "east"
			f := wellFacts(wellMember("east"))
			f.Written = []WrittenFacts{newWrittenFacts(&test.cluster)}
			all := lines(Judge(f, []string{CategoryConfiguration}), CategoryConfiguration)
			if diff := cmp.Diff(test.want, all[len(all)-1]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

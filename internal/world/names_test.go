package world_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/world"
)

func TestResolve(t *testing.T) {
	names := []world.Names{
		{Kind: "Deployment", Name: "web-v1", Namespace: "shop", Cluster: "east", Resource: "web-v1-shop-east-deployment", ResourceNamespace: "gloo-mesh"},
		{Kind: "Deployment", Name: "web-v1", Namespace: "shop", Cluster: "west", Resource: "web-v1-shop-west-deployment", ResourceNamespace: "gloo-mesh"},
		{Kind: "Deployment", Name: "db", Namespace: "data", Cluster: "east", Resource: "db-data-east-deployment", ResourceNamespace: "gloo-mesh"},
		{Kind: "StatefulSet", Name: "db", Namespace: "data", Cluster: "east", Resource: "db-data-east-statefulset", ResourceNamespace: "gloo-mesh"},
		// names with dots, one of which is the full name of another
		{Kind: "Deployment", Name: "a", Namespace: "b", Cluster: "c", Resource: "a-b-c-deployment", ResourceNamespace: "gloo-mesh"},
		{Kind: "Deployment", Name: "a.b.c", Namespace: "x", Cluster: "y", Resource: "a-b-c-x-y-deployment", ResourceNamespace: "gloo-mesh"},
		{Kind: "Deployment", Name: "dotted.name", Namespace: "x", Cluster: "mgmt.cluster", Resource: "dotted", ResourceNamespace: "gloo-mesh"},
		// a resource with the name of a controller
		{Kind: "Deployment", Name: "hidden", Namespace: "shop", Cluster: "east", Resource: "shown", ResourceNamespace: "gloo-mesh"},
		{Kind: "Deployment", Name: "shown", Namespace: "shop", Cluster: "east", Resource: "shown-shop-east-deployment", ResourceNamespace: "gloo-mesh"},
	}
	tests := []struct {
		name, typed string
		// want is the full name and kind that is found, or the candidates or
		// suggestions of the error.
		want       string
		candidates []string
		near       []string
	}{
		{name: "full name", typed: "web-v1.shop.west", want: "Deployment web-v1.shop.west"},
		{name: "name and namespace of several", typed: "web-v1.shop", candidates: []string{"web-v1.shop.east", "web-v1.shop.west"}},
		{name: "name of several", typed: "web-v1", candidates: []string{"web-v1.shop.east", "web-v1.shop.west"}},
		{name: "resource", typed: "web-v1-shop-east-deployment", want: "Deployment web-v1.shop.east"},
		{name: "resource and its namespace", typed: "web-v1-shop-east-deployment.gloo-mesh", want: "Deployment web-v1.shop.east"},
		{name: "several kinds", typed: "db.data.east", candidates: []string{"deployment/db.data.east", "statefulset/db.data.east"}},
		{name: "kind in front", typed: "statefulset/db", want: "StatefulSet db.data.east"},
		{name: "the noun in front", typed: "workload/web-v1.shop.east", want: "Deployment web-v1.shop.east"},
		{name: "the full name beats a shorter form of another", typed: "a.b.c", want: "Deployment a.b.c"},
		{name: "dots in the name", typed: "a.b.c.x", want: "Deployment a.b.c.x.y"},
		{name: "dots in the cluster", typed: "dotted.name.x.mgmt.cluster", want: "Deployment dotted.name.x.mgmt.cluster"},
		{name: "a resource does not hide a controller", typed: "shown", candidates: []string{"hidden.shop.east", "shown.shop.east"}},
		{name: "misspelt", typed: "web-v2.shop.east", near: []string{"web-v1.shop.east", "web-v1.shop.west"}},
		{name: "misspelt and incomplete", typed: "dottd", near: []string{"dotted.name.x.mgmt.cluster"}},
		{name: "like nothing", typed: "payments"},
		{name: "empty", typed: ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			found, err := world.Resolve("workload", names, func(n world.Names) world.Names { return n }, test.typed)
			var ambiguous *world.AmbiguousError
			var missing *world.NotFoundError
			got, candidates, near := "", []string(nil), []string(nil)
			switch {
			case err == nil:
				got = found.Kind + " " + found.Full()
			case errors.As(err, &ambiguous):
				candidates = ambiguous.Candidates
			case errors.As(err, &missing):
				near = missing.Near
			default:
				t.Fatalf("unexpected error %v", err)
			}
			if got != test.want {
				t.Errorf("found %q, want %q", got, test.want)
			}
			if diff := cmp.Diff(test.candidates, candidates); diff != "" {
				t.Errorf("candidates (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.near, near); diff != "" {
				t.Errorf("suggestions (-want +got):\n%s", diff)
			}
		})
	}
}

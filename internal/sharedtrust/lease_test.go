package sharedtrust

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func TestLeaseName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 253)
	tests := []struct{ name, namespace, want string }{
		{"prod", "mesh", "meshctl-trust-prod.mesh"},
		{"prod.eu", "mesh", "meshctl-trust-prod.eu.mesh"},
		{long, "mesh", "meshctl-trust-" + long[:222] + "-"},
		{strings.Repeat("a", 221) + "." + long[:31], "mesh", "meshctl-trust-" + long[:221] + "-"},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		vm := &networkingv1.VirtualMesh{}
		vm.Name, vm.Namespace = tt.name, tt.namespace
		got := leaseName(&Subject{Resource: vm})
		if whole := len(tt.want) < 200; whole && got != tt.want || !strings.HasPrefix(got, tt.want) {
			t.Errorf("the Lease of %s.%s is %s, want %s", tt.name, tt.namespace, got, tt.want)
		}
		if problems := validation.IsDNS1123Subdomain(got); len(problems) > 0 {
			t.Errorf("%s is not a valid object name: %v", got, problems)
		}
		seen[got] = true
	}
	// The names differ although the distinguishing part is truncated.
	for _, end := range []string{"b", "c"} {
		vm := &networkingv1.VirtualMesh{}
		vm.Name, vm.Namespace = long[:252]+end, "mesh"
		seen[leaseName(&Subject{Resource: vm})] = true
	}
	if len(seen) != len(tests)+2 {
		t.Errorf("two virtual meshes have one Lease: %v", seen)
	}
}

func TestLeaseIdentity(t *testing.T) {
	t.Parallel()
	first, err := leaseIdentity()
	if err != nil {
		t.Fatal(err)
	}
	second, err := leaseIdentity()
	if err != nil {
		t.Fatal(err)
	}
	if first == second || strings.Count(first, "@") == 0 || strings.Count(first, "/") != 1 {
		t.Errorf("two identities are %s and %s", first, second)
	}
}

// Package genworld generates worlds of any size for benchmarks and experiments: several
// clusters with many services, joined by a VirtualMesh, with a variety of policies as in large
// installations. The same Size always gives the same world.
package genworld

import (
	"fmt"
	"math/rand/v2"

	"github.com/meshctl/meshctl/internal/world"
)

// Size is the size of a world.
type Size struct {
	// Clusters is the number of clusters, each with one Istio mesh and one
	// ingress gateway.
	Clusters int
	// Services is the number of Services per cluster besides the gateway; each
	// has two workloads.
	Services int
	// Traffic and Access are the numbers of policies in the whole world.
	Traffic, Access int
	// Seed varies the content of the policies.
	Seed uint64
}

// Named returns a predefined size: small for experiments, medium for a team, large and xl for
// the budgets in docs/performance.md. It returns false for other names.
func Named(name string) (Size, bool) {
	switch name {
	case "small":
		return Size{Clusters: 2, Services: 5, Traffic: 10, Access: 10, Seed: 1}, true
	case "medium":
		return Size{Clusters: 5, Services: 50, Traffic: 100, Access: 100, Seed: 1}, true
	case "large":
		return Size{Clusters: 10, Services: 200, Traffic: 400, Access: 400, Seed: 1}, true
	case "xl":
		return Size{Clusters: 20, Services: 500, Traffic: 1000, Access: 1000, Seed: 1}, true
	default:
		return Size{}, false
	}
}

// Check returns an error if the size is not valid.
func (s Size) Check() error {
	if s.Clusters < 1 || s.Services < 1 {
		return fmt.Errorf("a world needs at least one cluster and one service, not %d and %d", s.Clusters, s.Services)
	}
	if s.Traffic < 0 || s.Access < 0 {
		return fmt.Errorf("the numbers of policies must not be negative: %d and %d", s.Traffic, s.Access)
	}
	return nil
}

// Objects returns the objects of a world of the given size, which must be valid, as if they
// had been loaded.
func Objects(size Size) world.Objects {
	g := generator{
		Size: size,
		//nolint:gosec // worlds must be reproducible, not secure
		random: rand.New(rand.NewPCG(size.Seed, uint64(size.Clusters))),
	}
	g.addSettings()
	for c := range size.Clusters {
		g.addCluster(c)
	}
	g.addVirtualMesh()
	g.addTrafficPolicies()
	g.addAccessPolicies()
	return g.objects
}

type generator struct {
	Size
	random  *rand.Rand
	objects world.Objects
}

// servicesPerNamespace is the number of services of a team. The namespace of a team exists in
// every cluster.
const servicesPerNamespace = 10

// service identifies one Service of the world by its numbers.
type service struct{ cluster, number int }

func (s service) name() string { return fmt.Sprintf("svc-%04d", s.number) }

func (s service) namespace() string { return teamName(s.number / servicesPerNamespace) }

func (s service) clusterName() string { return clusterName(s.cluster) }

// tier groups services across namespaces.
func (s service) tier() string { return tiers()[s.number%len(tiers())] }

func tiers() []string { return []string{"frontend", "backend", "storage", "batch"} }

func clusterName(number int) string { return fmt.Sprintf("cluster-%02d", number) }

func teamName(number int) string { return fmt.Sprintf("team-%03d", number) }

// teams is the number of namespaces.
func (g *generator) teams() int {
	return (g.Services + servicesPerNamespace - 1) / servicesPerNamespace
}

func (g *generator) anyCluster() string { return clusterName(g.random.IntN(g.Clusters)) }

func (g *generator) anyTeam() string { return teamName(g.random.IntN(g.teams())) }

func (g *generator) anyService() service {
	return service{cluster: g.random.IntN(g.Clusters), number: g.random.IntN(g.Services)}
}

// spread returns a Service for the policy with the number. It returns different Services as
// long as there are enough, so that policies about single Services rarely conflict.
func (g *generator) spread(number int) service {
	all := g.Clusters * g.Services
	place := number * 7919 % all // a prime, so that consecutive numbers are far apart
	return service{cluster: place % g.Clusters, number: place / g.Clusters}
}

func ptr[T any](value T) *T { return &value }

func object[T any](resource *T) world.Object[T] { return world.Object[T]{Resource: resource} }

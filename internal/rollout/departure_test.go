package rollout

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/world"
)

// departures are the ways in which a member leaves, or seems to.
func departures() []departure {
	return []departure{
		{name: "deregistered", change: func(f *fleet, d *leaving) {
			f.forget(d.cluster, everyKind)
			delete(f.members, d.cluster)
		}},
		{name: "its Mesh is deleted", change: func(f *fleet, d *leaving) { f.forget(d.cluster, "Mesh") }},
		{name: "unreachable", change: func(f *fleet, d *leaving) { f.failures[d.cluster] = errors.New("no answer") }},
		{name: "unreachable, and discovered to be empty", change: func(f *fleet, d *leaving) {
			f.forget(d.cluster, everyKind)
			f.failures[d.cluster] = errors.New("no answer")
		}},
		{name: "emptied", change: func(f *fleet, d *leaving) { f.forget(d.cluster, everyKind) }},
		{name: "without workloads and control plane", change: func(f *fleet, d *leaving) { f.forget(d.cluster, "Mesh", "Workload") }},
		{name: "emptied in part", own: true, change: func(f *fleet, d *leaving) { f.forgetSome(d.random, d.cluster) }},
		{name: "its cluster is renamed", change: func(f *fleet, d *leaving) {
			f.rename(d.cluster, d.cluster, "elsewhere")
			f.members["elsewhere"] = f.stores[d.cluster]
			delete(f.members, d.cluster)
		}},
		{name: "its mesh is renamed", change: func(f *fleet, d *leaving) { f.rename(d.cluster, "mesh-"+d.cluster, "istiod-"+d.cluster) }},
		{name: "one Service less", own: true, change: func(f *fleet, d *leaving) { f.forgetService(d.random, d.cluster) }},
		{name: "another trust domain", change: func(f *fleet, d *leaving) { f.claim(d.cluster, "fresh.example") }},
		{name: "the trust domain of another one", change: func(f *fleet, d *leaving) { f.claim(d.cluster, domainOf(d.other)) }},
		{name: "back with another trust domain", change: func(f *fleet, d *leaving) { f.claimAnew(d.cluster, domainOf(d.other)) }},
	}
}

// departure is a way to leave.
type departure struct {
	name string
	// own says that the member itself may change its rules, and lose what protects
	// workloads that it no longer has.
	own    bool
	change func(*fleet, *leaving)
}

// leaving is one member that leaves, and another one that stays.
type leaving struct {
	random         *rand.Rand
	cluster, other string
}

// departingWorlds is how many random worlds TestRandomDepartures tries, each with one of
// the departures.
const departingWorlds = 260

// TestRandomDepartures is a short run of FuzzDeparture that is the same every time.
func TestRandomDepartures(t *testing.T) {
	t.Parallel()
	var protected, accepted int
	for seed := range uint64(departingWorlds) {
		base, before := newSettledFleet(t, seed)
		others, losses := checkDeparture(t, base, before, seed, seed%uint64(len(departures())))
		protected, accepted = protected+others, accepted+losses
		if t.Failed() {
			return
		}
	}
	t.Logf("%d times others have something to lose, and %d times something is lost when that is accepted", protected, accepted)
	if protected < departingWorlds/2 || accepted < departingWorlds/20 {
		t.Error("the worlds show too little")
	}
}

// FuzzDeparture has a member of random worlds leave in every way, with apply and with the
// passes of a controller: all others keep every denial, every enforcement of TLS, and
// every grant among themselves (D69, D70, D73).
func FuzzDeparture(f *testing.F) {
	for way := range uint64(len(departures())) {
		f.Add(way, way)
	}
	f.Fuzz(func(t *testing.T, seed, way uint64) {
		base, before := newSettledFleet(t, seed)
		checkDeparture(t, base, before, seed, way%uint64(len(departures())))
	})
}

// newSettledFleet returns a fleet in which everything is applied, and what protects it.
func newSettledFleet(t *testing.T, seed uint64) (*fleet, protections) {
	t.Helper()
	f := newDepartingFleet(seed)
	f.apply(t, f.options())
	f.apply(t, f.options()) // the order of policies follows from their status
	return f, f.allProtection(t)
}

// checkDeparture returns whether others have something to lose, and whether something is
// lost once that is accepted; both 1 or 0.
func checkDeparture(t *testing.T, base *fleet, before protections, seed, way uint64) (others, accepted int) {
	t.Helper()
	d, random := departures()[way], rand.New(rand.NewPCG(seed, way))
	clusters := slices.Sorted(maps.Keys(base.stores))
	at := random.IntN(len(clusters))
	l := &leaving{random: random, cluster: clusters[at], other: clusters[(at+1)%len(clusters)]}
	f := base.copy()
	d.change(f, l)
	wanted := maps.Clone(before)
	wanted[l.cluster] = withoutOpenGateways(before[l.cluster])
	if d.own {
		wanted[l.cluster] = f.stillNeeded(l.cluster, wanted[l.cluster])
	}
	for round := range 2 {
		if seed%2 == 0 {
			f.apply(t, f.options())
		} else if err := f.watcher(t, func(*Pass) {}).pass(t.Context()); err != nil && !errors.Is(err, errFailed) {
			t.Fatal(err)
		}
		for cluster, after := range f.allProtection(t) {
			if d.own && cluster == l.cluster {
				after = wanted[cluster].within(after)
			}
			if diff := lost(wanted[cluster], after, domainOf(l.cluster)); diff != "" {
				t.Errorf("seed %d, way %d: %s: %s, pass %d: %s (-before +after):\n%s", seed, way, l.cluster, d.name, round, cluster, diff)
			}
		}
	}
	if len(before[l.other]) > 0 {
		others = 1
	}
	back := f.copy()
	back.returnAs(base)
	back.apply(t, back.options())
	for cluster, after := range back.allProtection(t) {
		if diff := lost(before[cluster], after, ""); diff != "" {
			t.Errorf("seed %d, way %d: %s: %s, and back: %s (-before +after):\n%s", seed, way, l.cluster, d.name, cluster, diff)
		}
	}
	options := f.options()
	options.AcceptLoss = true
	f.apply(t, options)
	for cluster, after := range f.allProtection(t) {
		if lost(wanted[cluster], after, domainOf(l.cluster)) != "" {
			accepted = 1
		}
	}
	return others, accepted
}

// lost compares what protects a cluster without what it grants to a trust domain, if one
// is given. More protection is no loss.
func lost(before, after protection, domain string) string {
	want, kept := map[string]any{}, map[string]any{}
	for key, spec := range before {
		want[key] = withoutCallers(spec, domain)
		if now, there := after[key]; there {
			kept[key] = withoutCallers(now, domain)
		}
	}
	return cmp.Diff(want, kept)
}

// within returns those objects that others have, too, whatever their rules are.
func (p protection) within(others protection) protection {
	common := maps.Clone(p)
	maps.DeleteFunc(common, func(key string, _ map[string]any) bool { return others[key] == nil })
	return common
}

// withoutOpenGateways leaves out what opens gateways: without it more is denied.
func withoutOpenGateways(all protection) protection {
	rest := maps.Clone(all)
	maps.DeleteFunc(rest, func(key string, _ map[string]any) bool { return strings.Contains(key, "/allow-ingress-gateway-") })
	return rest
}

// stillNeeded leaves out what is about pods that are no longer known.
func (f *fleet) stillNeeded(cluster string, all protection) protection {
	w := world.New(f.objects)
	needed := maps.Clone(all)
	maps.DeleteFunc(needed, func(key string, spec map[string]any) bool {
		selector, selects := spec["selector"].(map[string]any)
		if !selects {
			return false
		}
		labels := map[string]string{}
		for name, value := range selector["matchLabels"].(map[string]any) {
			labels[name] = value.(string)
		}
		namespace, _, _ := strings.Cut(strings.TrimPrefix(key, "AuthorizationPolicy "), "/")
		return len(w.WorkloadsWithin([]string{cluster}, []string{namespace}, labels)) == 0
	})
	return needed
}

package compare

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
)

// WorkloadSet is a set of workloads by position in the world. It is immutable
// once built.
type WorkloadSet struct{ words []uint64 }

const wordBits = 64

func newWorkloadSet(workloads int) WorkloadSet {
	return WorkloadSet{make([]uint64, (workloads+wordBits-1)/wordBits)}
}

// Count returns the number of workloads.
func (s WorkloadSet) Count() int {
	n := 0
	for _, w := range s.words {
		n += bits.OnesCount64(w)
	}
	return n
}

// Positions returns the positions of the workloads, ascending.
func (s WorkloadSet) Positions() []int { return s.First(len(s.words) * wordBits) }

// First returns at most the given number of lowest positions, ascending.
func (s WorkloadSet) First(most int) []int {
	var found []int
	for i, w := range s.words {
		for ; w != 0; w &= w - 1 {
			if len(found) == most {
				return found
			}
			found = append(found, i*wordBits+bits.TrailingZeros64(w))
		}
	}
	return found
}

// Union returns a set of the workloads of both sets.
func (s WorkloadSet) Union(other WorkloadSet) WorkloadSet {
	both := s.clone()
	both.unite(other)
	return both
}

// first returns the lowest position, -1 if the set is empty.
func (s WorkloadSet) first() int {
	for i, w := range s.words {
		if w != 0 {
			return i*wordBits + bits.TrailingZeros64(w)
		}
	}
	return -1
}

// Key is equal for equal sets.
func (s WorkloadSet) Key() string {
	var b strings.Builder
	for _, w := range s.words {
		b.WriteString(strconv.FormatUint(w, 36))
		b.WriteByte(' ')
	}
	return b.String()
}

func (s WorkloadSet) isEmpty() bool {
	return !slices.ContainsFunc(s.words, func(w uint64) bool { return w != 0 })
}

func (s WorkloadSet) clone() WorkloadSet { return WorkloadSet{slices.Clone(s.words)} }

// The methods below modify the receiver, for building sets.

func (s WorkloadSet) add(workload int) { s.words[workload/wordBits] |= 1 << (workload % wordBits) }

func (s WorkloadSet) unite(other WorkloadSet) {
	for i, w := range other.words {
		s.words[i] |= w
	}
}

func (s WorkloadSet) intersect(other WorkloadSet) {
	for i, w := range other.words {
		s.words[i] &= w
	}
}

func (s WorkloadSet) subtract(other WorkloadSet) {
	for i, w := range other.words {
		s.words[i] &^= w
	}
}

func intersection(a, b WorkloadSet) WorkloadSet {
	both := a.clone()
	both.intersect(b)
	return both
}

// locateWorkloads groups the workloads of meshes by place. Workloads without a
// mesh reach nothing.
func (c *comparer) locateWorkloads() {
	if c.inCluster != nil {
		return
	}
	c.inCluster, c.inMesh = map[string]WorkloadSet{}, map[int]WorkloadSet{}
	all := len(c.world().Workloads)
	c.connected, c.routed = newWorkloadSet(all), newWorkloadSet(all)
	for i := range c.world().Workloads {
		w := &c.world().Workloads[i]
		if w.Mesh == nil {
			continue
		}
		if _, known := c.inCluster[w.Cluster]; !known {
			c.inCluster[w.Cluster] = newWorkloadSet(all)
		}
		if _, known := c.inMesh[w.Mesh.ID]; !known {
			c.inMesh[w.Mesh.ID] = newWorkloadSet(all)
		}
		c.inCluster[w.Cluster].add(i)
		c.inMesh[w.Mesh.ID].add(i)
		if c.after.HasConnections(w) {
			c.connected.add(i)
		}
		if c.after.FollowsRoutes(w) {
			c.routed.add(i)
		}
	}
}

// all returns a new set of all workloads of meshes.
func (c *comparer) all() WorkloadSet {
	c.locateWorkloads()
	all := newWorkloadSet(len(c.world().Workloads))
	for _, in := range c.inMesh {
		all.unite(in)
	}
	return all
}

// isEveryone reports whether a set contains all of the concerned workloads that
// can call a Destination in both results.
func (c *comparer) isEveryone(set WorkloadSet, destination int, concerned WorkloadSet) bool {
	everyone := c.reaching(c.after, destination)
	if !c.before.Destinations[destination].Federation.SameExposure(c.after.Destinations[destination].Federation) {
		everyone.intersect(c.reaching(c.before, destination))
	}
	everyone.intersect(concerned)
	return slices.Equal(everyone.words, set.words)
}

// concerned returns the workloads whose requests follow routes, or for which
// connection settings hold.
func (c *comparer) concerned(connections bool) WorkloadSet {
	c.locateWorkloads()
	if connections {
		return c.connected
	}
	return c.routed
}

// reaching returns the workloads that can call a Destination in a result.
func (c *comparer) reaching(r *policy.Result, destination int) WorkloadSet {
	c.locateWorkloads()
	reaching := newWorkloadSet(len(c.world().Workloads))
	d := &c.world().Destinations[destination]
	if !d.IsService() {
		return reaching
	}
	reaching.unite(c.inCluster[d.Ref.ClusterName])
	if f := r.Destinations[destination].Federation; f != nil {
		for _, m := range f.Meshes {
			reaching.unite(c.inMesh[m])
		}
	}
	return reaching
}

// callers are workloads that connect to everybody in the same way.
type callers struct {
	reach.Caller
	workloads WorkloadSet
}

// callersByMesh returns all workloads of meshes, in the order of their first.
func (c *comparer) callersByMesh() []callers {
	if c.places != nil {
		return c.places
	}
	places := map[reach.Caller]int{}
	for i := range c.world().Workloads {
		w := &c.world().Workloads[i]
		if w.Mesh == nil {
			continue
		}
		from := c.callsIn(c.after).CallerOf(w)
		at, known := places[from]
		if !known {
			at = len(c.places)
			places[from] = at
			c.places = append(c.places, callers{from, newWorkloadSet(len(c.world().Workloads))})
		}
		c.places[at].workloads.add(i)
	}
	return c.places
}

package echo

import "sync"

// remembered bounds the memory of a server: this many requests are kept.
const remembered = 10_000

// memory keeps the last requests that have an ID. Its zero value is ready.
type memory struct {
	mu sync.Mutex
	// ring is in the order of arrival, beginning at next when it is full.
	ring []Seen
	next int
	ids  map[string]*tally
}

// tally counts the requests of one ID. It is forgotten with the last one kept.
type tally struct{ count, kept int }

// add sets the count of a request and keeps it. Requests without an ID are
// nothing that anybody can ask for.
func (m *memory) add(s *Seen) {
	if s.ID == "" {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.ids == nil {
		m.ids = map[string]*tally{}
	}
	of := m.ids[s.ID]
	if of == nil {
		of = &tally{}
		m.ids[s.ID] = of
	}
	of.count++
	of.kept++
	s.Count = of.count
	if len(m.ring) < remembered {
		m.ring = append(m.ring, *s)
		return
	}
	oldest := m.ring[m.next].ID
	m.ring[m.next] = *s
	m.next = (m.next + 1) % remembered
	if of := m.ids[oldest]; of.kept > 1 {
		of.kept--
	} else {
		delete(m.ids, oldest)
	}
}

func (m *memory) get(id string) []Seen {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := []Seen{}
	for i := range m.ring {
		if s := m.ring[(m.next+i)%len(m.ring)]; s.ID == id {
			found = append(found, s)
		}
	}
	return found
}

func (m *memory) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ring, m.next, m.ids = nil, 0, nil
}

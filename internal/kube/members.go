package kube

// Members are the clusters that some work is about, by their names.
type Members struct {
	// Connections are those that can be tried, Failures says why others cannot.
	Connections map[string]*Connection
	Failures    map[string]error
}

// Connection returns the connection to a cluster, or why there is none.
func (m *Members) Connection(cluster string) (*Connection, error) {
	if c := m.Connections[cluster]; c != nil {
		return c, nil
	}
	if err := m.Failures[cluster]; err != nil {
		return nil, err
	}
	return nil, NotRegistered(cluster)
}

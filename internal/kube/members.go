package kube

// Members are the clusters that an operation involves, by name.
type Members struct {
	// Connections holds the usable clusters, Failures the errors of the others.
	Connections map[string]*Connection
	Failures    map[string]error
}

// Connection returns the connection to a cluster, or the error why there is none.
func (m *Members) Connection(cluster string) (*Connection, error) {
	if c := m.Connections[cluster]; c != nil {
		return c, nil
	}
	if err := m.Failures[cluster]; err != nil {
		return nil, err
	}
	return nil, NotRegistered(cluster)
}

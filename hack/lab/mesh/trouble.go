//go:build linux

package mesh

// Management writes the objects of the management cluster.
func (l *Lab) Management() (*Objects, error) {
	return NewObjects(l.fleet.Cluster(Management).Admin().Config())
}

// Pause lets the API server of the cluster answer nothing until Resume; what runs
// in the cluster goes on.
func (c *Cluster) Pause() error { return c.control.PauseAPIServer() }

// Resume ends Pause.
func (c *Cluster) Resume() error { return c.control.ResumeAPIServer() }

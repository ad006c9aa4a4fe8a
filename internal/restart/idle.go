package restart

// Idle explains why a fleet restarts nothing.
type Idle struct {
	// Unknown counts the meshes for which the necessary restarts are not known.
	Unknown int
	// Undetectable counts the meshes whose control plane uses a self-generated CA, so that
	// outdated certificates cannot be detected.
	Undetectable int
	// Manual counts the items that only their owner can restart, Ending those that end on their
	// own, and Scaled those without a restart whose outdated pods are being removed.
	Manual, Ending, Scaled int
	// LeftOut counts the items excluded by filters.
	LeftOut int
}

// Idle returns the reasons why a fleet may restart nothing although not all certificates are
// up to date.
func (f *Fleet) Idle() Idle {
	var idle Idle
	for i := range f.Meshes {
		m := &f.Meshes[i]
		if m.Err != nil || m.Plan == nil {
			idle.Unknown++
			continue
		}
		if m.Plan.TrustChanged.IsZero() {
			idle.Undetectable++
		}
		idle.Manual += m.Plan.Count(ActionManual)
		idle.Ending += m.Plan.Count(ActionExpire)
		idle.LeftOut += len(m.Plan.known) - len(m.Plan.Items)
		for k := range m.Plan.Items {
			if item := &m.Plan.Items[k]; item.Action == ActionNone && item.OlderPods > 0 {
				idle.Scaled++
			}
		}
	}
	return idle
}

package restart

// Idle says why a fleet restarts nothing.
type Idle struct {
	// Unknown counts the meshes of which it is not known what needs a restart.
	Unknown int
	// Undetectable counts the meshes whose control plane signs with a certificate
	// authority of its own: what is older than that cannot be told.
	Undetectable int
	// Manual counts what only its owner can restart, Ending what ends by itself, and
	// Scaled what has outdated pods that are going away.
	Manual, Ending, Scaled int
	// LeftOut counts what the filters leave out.
	LeftOut int
}

// Idle counts what speaks against saying that nothing needs a restart.
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

package rollout

import "errors"

// Hold is something that is not done until somebody releases it, by repairing its
// cause or by accepting what follows (D70, D73).
type Hold struct {
	Cluster string
	Kind    HoldKind
	// Subject is what is held back, such as "delete PeerAuthentication default in shop".
	Subject string
	// Message says what is held back and why.
	Message string
}

// HoldKind says how a Hold is released.
type HoldKind string

// The kinds of holds.
const (
	// HoldLoss is a change that would remove protection: Options.AcceptLoss releases it.
	HoldLoss HoldKind = "LOSS"
	// HoldTrustDomain is everything in the cluster of a mesh that changed its trust
	// domain: accepting that by name releases it.
	HoldTrustDomain HoldKind = "TRUST_DOMAIN"
)

// Holds returns what the plan holds back, in the order of its clusters and changes.
func (p *Plan) Holds() []Hold {
	var holds []Hold
	for i := range p.Clusters {
		c := &p.Clusters[i]
		if domain := c.HeldTrustDomain(); domain != nil {
			holds = append(holds, Hold{Cluster: c.Name, Kind: HoldTrustDomain, Subject: "trust domain of mesh " + domain.Mesh, Message: domain.Error()})
		}
		for k := range c.Changes {
			if change := &c.Changes[k]; change.Held {
				holds = append(holds, Hold{Cluster: c.Name, Kind: HoldLoss, Subject: change.Err.Action, Message: change.Err.Message()})
			}
		}
	}
	return holds
}

// HeldTrustDomain returns why nothing is written to the cluster, if that is because
// its mesh changed its trust domain; nil otherwise.
func (c *Cluster) HeldTrustDomain() *TrustDomainError {
	var changed *TrustDomainError
	if errors.As(c.Err, &changed) {
		return changed
	}
	return nil
}

// holdID tells holds apart.
type holdID struct {
	cluster string
	kind    HoldKind
	subject string
}

func (h *Hold) id() holdID { return holdID{h.Cluster, h.Kind, h.Subject} }

// compareHolds compares what a plan holds back with what was held back before. Where
// a cluster could not be compared, what was held back there still is. It returns all
// holds, those that are new or have another reason, and those that were released.
func compareHolds(before []Hold, p *Plan) (all, begun, released []Hold) {
	all = p.Holds()
	known, now := map[holdID]Hold{}, map[holdID]bool{}
	for i := range before {
		known[before[i].id()] = before[i]
	}
	for i := range all {
		now[all[i].id()] = true
		if known[all[i].id()] != all[i] {
			begun = append(begun, all[i])
		}
	}
	unsure := p.unsureClusters()
	for i := range before {
		old := &before[i]
		switch {
		case now[old.id()]:
		case unsure[old.Cluster]:
			all = append(all, *old)
		default:
			released = append(released, *old)
		}
	}
	return all, begun, released
}

// unsureClusters returns the clusters of which it is not known what is held back.
func (p *Plan) unsureClusters() map[string]bool {
	unsure := map[string]bool{}
	for i := range p.Clusters {
		c := &p.Clusters[i]
		unsure[c.Name] = c.Err != nil || len(c.Unread) > 0
	}
	return unsure
}

// HeldCounts is how much is held back in one cluster.
type HeldCounts struct {
	Cluster              string
	Losses, TrustDomains int
}

// HeldCounts counts what is held back in each cluster of the pass, also where that is
// nothing; nil if there is no Plan.
func (p *Pass) HeldCounts() []HeldCounts {
	if p.Plan == nil {
		return nil
	}
	counts := make([]HeldCounts, len(p.Plan.Clusters))
	places := map[string]*HeldCounts{}
	for i := range counts {
		counts[i].Cluster = p.Plan.Clusters[i].Name
		places[counts[i].Cluster] = &counts[i]
	}
	for i := range p.Held {
		count := places[p.Held[i].Cluster]
		switch {
		case count == nil: // Held names only clusters of the Plan
		case p.Held[i].Kind == HoldTrustDomain:
			count.TrustDomains++
		default:
			count.Losses++
		}
	}
	return counts
}

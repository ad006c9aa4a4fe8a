package registration

// Phase is a part of a longer operation.
type Phase string

// The phases of registering, deregistering, installing and removing.
const (
	PhasePreflight   Phase = "check existing objects"
	PhaseAccount     Phase = "create a service account"
	PhaseToken       Phase = "get a token"
	PhaseVerify      Phase = "connect with the new credentials"
	PhaseRecord      Phase = "record the cluster"
	PhaseRevoke      Phase = "revoke the old token"
	PhaseRollback    Phase = "remove created objects"
	PhaseMember      Phase = "remove the registration"
	PhaseForget      Phase = "delete the record of the cluster"
	PhaseDefinitions Phase = "install CRDs"
	PhaseRoles       Phase = "install roles"
	PhaseResources   Phase = "look for resources"
	PhaseRemove      Phase = "remove meshctl's objects"
)

// PhaseState is the state of a phase.
type PhaseState string

// States of a phase. Warnings may come at any time.
const (
	PhaseStarted PhaseState = "started"
	PhaseDone    PhaseState = "done"
	PhaseFailed  PhaseState = "failed"
	PhaseWarning PhaseState = "warning"
)

// Event reports progress of an operation.
type Event struct {
	// Cluster is the cluster concerned.
	Cluster string
	Phase   Phase
	State   PhaseState
	// Detail is a result or a warning; it may be empty.
	Detail string
}

// Observer receives events; it may be nil. It is called from one goroutine.
type Observer func(Event)

// phase runs one phase and reports it. The result of do is the detail.
func (o Observer) phase(cluster string, phase Phase, do func() (string, error)) error {
	o.notify(Event{Cluster: cluster, Phase: phase, State: PhaseStarted})
	detail, err := do()
	if err != nil {
		o.notify(Event{Cluster: cluster, Phase: phase, State: PhaseFailed})
		return err
	}
	o.notify(Event{Cluster: cluster, Phase: phase, State: PhaseDone, Detail: detail})
	return nil
}

func (o Observer) warn(cluster string, phase Phase, warnings ...string) {
	for _, warning := range warnings {
		o.notify(Event{Cluster: cluster, Phase: phase, State: PhaseWarning, Detail: warning})
	}
}

func (o Observer) notify(event Event) {
	if o != nil {
		o(event)
	}
}

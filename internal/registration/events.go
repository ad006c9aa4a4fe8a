package registration

// Phase is a part of a longer operation on clusters.
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

// PhaseState says how far a phase is.
type PhaseState string

// The states of a phase. A warning may come at any time in between.
const (
	PhaseStarted PhaseState = "started"
	PhaseDone    PhaseState = "done"
	PhaseFailed  PhaseState = "failed"
	PhaseWarning PhaseState = "warning"
)

// Event is progress of a longer operation.
type Event struct {
	// Cluster is where it happens.
	Cluster string
	Phase   Phase
	State   PhaseState
	// Detail is what was found or done, or the warning; it may be empty.
	Detail string
}

// Observer is told about progress; nil listens to nothing. It is called from
// one goroutine.
type Observer func(Event)

// phase runs one phase and reports it. What do returns is the detail.
func (o Observer) phase(cluster string, phase Phase, do func() (string, error)) error {
	o.tell(Event{Cluster: cluster, Phase: phase, State: PhaseStarted})
	detail, err := do()
	if err != nil {
		o.tell(Event{Cluster: cluster, Phase: phase, State: PhaseFailed})
		return err
	}
	o.tell(Event{Cluster: cluster, Phase: phase, State: PhaseDone, Detail: detail})
	return nil
}

func (o Observer) warn(cluster string, phase Phase, warnings ...string) {
	for _, warning := range warnings {
		o.tell(Event{Cluster: cluster, Phase: phase, State: PhaseWarning, Detail: warning})
	}
}

func (o Observer) tell(event Event) {
	if o != nil {
		o(event)
	}
}

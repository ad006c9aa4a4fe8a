package trust

import (
	"fmt"
	"slices"
	"time"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// The states of a rotation in the conditions of a VirtualMesh.
const (
	StateNotRotating             certificatesv1.CertificateRotationState = "NOT_ROTATING"
	StatePreviousCA              certificatesv1.CertificateRotationState = "PREVIOUS_CA"
	StateAddingNewRoot           certificatesv1.CertificateRotationState = "ADDING_NEW_ROOT"
	StatePropagatingIntermediate certificatesv1.CertificateRotationState = "PROPAGATING_NEW_INTERMEDIATE"
	StateDeletingOldRoot         certificatesv1.CertificateRotationState = "DELETING_OLD_ROOT"
	StateVerifying               certificatesv1.CertificateRotationState = "VERIFYING"
	StateVerified                certificatesv1.CertificateRotationState = "VERIFIED"
	StateRollingBack             certificatesv1.CertificateRotationState = "ROLLING_BACK"
	StateFinished                certificatesv1.CertificateRotationState = "FINISHED"
	StateFailed                  certificatesv1.CertificateRotationState = "FAILED"
)

// Which names one of the two authorities of a rotation.
type Which string

// The authorities of a rotation.
const (
	Old Which = "old"
	New Which = "new"
)

// Distribution describes what every mesh has after a step: the roots that it
// trusts, and the authority that issued its intermediate.
//
// Meshes with the same distribution trust each other, and so do meshes that are
// one MULTI_ROOT step apart, because each trusts the signer of the other. A step
// may therefore stop half-way.
type Distribution struct {
	Roots  []Which
	Signer Which
}

// initialDistribution returns the distribution before a rotation.
func initialDistribution() Distribution { return Distribution{[]Which{Old}, Old} }

// Phase is a step of a rotation that distributes certificates.
type Phase struct {
	State certificatesv1.CertificateRotationState
	Distribution
}

// phases returns the forward steps of a strategy, in order.
func phases(strategy certificatesv1.CertificateRotationStrategy) []Phase {
	deleting := Phase{StateDeletingOldRoot, Distribution{[]Which{New}, New}}
	if strategy == certificatesv1.CertificateRotationStrategyNone {
		return []Phase{deleting}
	}
	return []Phase{
		{StateAddingNewRoot, Distribution{[]Which{Old, New}, Old}},
		{StatePropagatingIntermediate, Distribution{[]Which{Old, New}, New}},
		deleting,
	}
}

// Stage is the progress of a step.
type Stage string

// The stages of a step.
const (
	// StageIdle: no rotation is in progress.
	StageIdle Stage = "idle"
	// StageDistributing: some meshes may not have the certificates of the step
	// yet.
	StageDistributing Stage = "distributing"
	// StageVerifying: all meshes have them, and the result is not confirmed yet.
	StageVerifying Stage = "verifying"
	// StageVerified: the result is confirmed.
	StageVerified Stage = "verified"
)

// Position is the progress of the rotation of a VirtualMesh.
type Position struct {
	Stage Stage
	// RollingBack is true if the steps return to the old root.
	RollingBack bool
	// Failed is true if the last attempt failed; the step is then repeated.
	Failed bool
	// Steps are all steps in the present direction, Step is the index of the
	// present one. Both are zero when idle.
	Steps []Phase
	Step  int
	// Since is when the rotation began. Roots are the fingerprints of the old and
	// the new root, nil if they were not recorded. Opening is the message of the
	// first condition of the rotation.
	Since   string
	Roots   *certificatesv1.CertificateRotationRoots
	Opening string

	strategy certificatesv1.CertificateRotationStrategy
}

// Rotating reports whether a rotation is in progress.
func (p *Position) Rotating() bool { return p.Stage != StageIdle }

// Distribution returns the distribution of the present step, which the meshes
// have or are getting.
func (p *Position) Distribution() Distribution {
	if !p.Rotating() {
		return initialDistribution()
	}
	return p.Steps[p.Step].Distribution
}

// Phase returns the present step; it is the zero Phase when idle.
func (p *Position) Phase() Phase {
	if !p.Rotating() {
		return Phase{}
	}
	return p.Steps[p.Step]
}

// Last reports whether the present step is the last one.
func (p *Position) Last() bool { return p.Rotating() && p.Step == len(p.Steps)-1 }

// Locate derives the progress of a rotation from the conditions of a VirtualMesh.
// It returns an error for a sequence of conditions that no rotation can produce,
// which means that they were edited.
func Locate(conditions []certificatesv1.CertificateRotationCondition) (Position, error) {
	p := Position{Stage: StageIdle}
	for i := range conditions {
		if err := p.apply(&conditions[i]); err != nil {
			return Position{}, fmt.Errorf("condition %d of %d: %w", i+1, len(conditions), err)
		}
	}
	return p, nil
}

// apply applies one condition.
func (p *Position) apply(c *certificatesv1.CertificateRotationCondition) error {
	impossible := func() error {
		return fmt.Errorf("state %s cannot follow a rotation that is %s", c.State, p.describe())
	}
	if c.State == StateFailed {
		p.Failed = true
		return nil
	}
	p.Failed = false
	switch c.State {
	case StateAddingNewRoot, StatePropagatingIntermediate, StateDeletingOldRoot:
		if !p.applyForward(c) {
			return impossible()
		}
	case StateRollingBack:
		if !p.applyRollback() {
			return impossible()
		}
	case StateVerifying:
		if p.Stage != StageDistributing && p.Stage != StageVerifying {
			return impossible()
		}
		p.Stage = StageVerifying
	case StateVerified:
		if p.Stage != StageVerifying && p.Stage != StageVerified {
			return impossible()
		}
		p.Stage = StageVerified
	case StateFinished, StateNotRotating, StatePreviousCA:
		*p = Position{Stage: StageIdle}
	default:
		return fmt.Errorf("state %q is none of those of a rotation", c.State)
	}
	return nil
}

// applyForward applies a forward state: the first one, a repetition, or the one after
// a verified step.
func (p *Position) applyForward(c *certificatesv1.CertificateRotationCondition) bool {
	if !p.Rotating() {
		strategy := certificatesv1.CertificateRotationStrategyMultiRoot
		if c.State == StateDeletingOldRoot {
			strategy = certificatesv1.CertificateRotationStrategyNone
		}
		steps := phases(strategy)
		if steps[0].State != c.State {
			return false
		}
		*p = Position{Stage: StageDistributing, Steps: steps, Since: c.Timestamp, Roots: c.Roots, Opening: c.Message, strategy: strategy}
		return true
	}
	switch {
	case p.RollingBack:
		return false
	case p.Phase().State == c.State: // a retry
	case p.Stage == StageVerified && !p.Last() && p.Steps[p.Step+1].State == c.State:
		p.Step++
	default:
		return false
	}
	p.Stage = StageDistributing
	return true
}

// applyRollback applies ROLLING_BACK: the start of a rollback, a repetition, or the next
// step after a verified one.
func (p *Position) applyRollback() bool {
	switch {
	case !p.Rotating():
		return false
	case !p.RollingBack:
		p.Steps, p.Step, p.RollingBack = rollbackSteps(p.strategy, p.Step), 0, true
	case p.Stage == StageVerified && !p.Last():
		p.Step++
	case p.Stage == StageVerified:
		return false
	}
	p.Stage = StageDistributing
	return true
}

// rollbackSteps returns the steps that roll back a forward step. They are the forward
// steps in reverse, so that all meshes share a root at all times.
func rollbackSteps(strategy certificatesv1.CertificateRotationStrategy, step int) []Phase {
	forward := phases(strategy)
	var steps []Phase
	for i := step - 1; i >= 0; i-- {
		steps = append(steps, Phase{StateRollingBack, forward[i].Distribution})
	}
	return append(steps, Phase{StateRollingBack, initialDistribution()})
}

// Begin returns the first state of a rotation with the given strategy.
func Begin(strategy certificatesv1.CertificateRotationStrategy) certificatesv1.CertificateRotationState {
	return phases(strategy)[0].State
}

// Next returns the state after a verified step; FINISHED or NOT_ROTATING after
// the last one, and empty if the present step is not verified.
func (p *Position) Next() certificatesv1.CertificateRotationState {
	switch {
	case p.Stage != StageVerified:
		return ""
	case !p.Last():
		return p.Steps[p.Step+1].State
	case p.RollingBack:
		return StateNotRotating
	default:
		return StateFinished
	}
}

// describe describes the progress in words.
func (p *Position) describe() string {
	if !p.Rotating() {
		return "not under way"
	}
	return fmt.Sprintf("%s in state %s", p.Stage, p.Phase().State)
}

// String summarises the progress: "step 2 of 3, PROPAGATING_NEW_INTERMEDIATE,
// verifying".
func (p *Position) String() string {
	if !p.Rotating() {
		return "not rotating"
	}
	text := fmt.Sprintf("step %d of %d, %s, %s", p.Step+1, len(p.Steps), p.Phase().State, p.Stage)
	if p.Failed {
		text += " (the last attempt failed)"
	}
	return text
}

// maxConditions is the number of conditions above which those of earlier
// rotations are dropped.
const maxConditions = 64

// Record returns the conditions with one more appended. A condition that repeats
// the last one replaces it, as does another failure of the same step, so that
// retries do not fill the VirtualMesh. If there are more than maxConditions,
// those of finished rotations are dropped; those of the rotation in progress are
// always kept, because they hold its progress.
func Record(
	conditions []certificatesv1.CertificateRotationCondition, state certificatesv1.CertificateRotationState, message string, errs []string, now time.Time,
) []certificatesv1.CertificateRotationCondition {
	recorded := slices.Clone(conditions)
	if last := len(recorded) - 1; last >= 0 && recorded[last].State == state && (state == StateFailed || recorded[last].Message == message) {
		recorded = recorded[:last]
	}
	recorded = append(recorded, certificatesv1.CertificateRotationCondition{
		Timestamp: now.UTC().Format(time.RFC3339), State: state, Message: message, Errors: errs,
	})
	excess, over := len(recorded)-maxConditions, 0
	for i, c := range recorded[:len(recorded)-1] {
		if over < excess && endsRotation(c.State) {
			over = i + 1
		}
	}
	return recorded[over:]
}

// endsRotation reports whether a state ends a rotation.
func endsRotation(state certificatesv1.CertificateRotationState) bool {
	return state == StateFinished || state == StateNotRotating || state == StatePreviousCA
}

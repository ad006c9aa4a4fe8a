package trust

import (
	"fmt"
	"slices"
	"time"

	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
)

// The states of a rotation (semantics 7.8), as the conditions of a VirtualMesh
// spell them.
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

// Distribution is what every mesh has after a step: the roots that it accepts,
// and the authority that its intermediate leads to.
//
// Two meshes with the same distribution accept each other, and so do two of
// which one is a step of MULTI_ROOT ahead: each accepts the signer of the other.
// That is why a step may stop half way.
type Distribution struct {
	Roots  []Which
	Signer Which
}

// before is how things are before a rotation.
func before() Distribution { return Distribution{[]Which{Old}, Old} }

// Phase is one state in which certificates are distributed.
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

// Stage says how far a step is.
type Stage string

// The stages of a step.
const (
	// StageIdle: nothing is rotated.
	StageIdle Stage = "idle"
	// StageDistributing: some meshes may not have what the step gives them.
	StageDistributing Stage = "distributing"
	// StageVerifying: all have it, and nobody has confirmed that it works.
	StageVerifying Stage = "verifying"
	// StageVerified: it works.
	StageVerified Stage = "verified"
)

// Position is where the rotation of a VirtualMesh stands.
type Position struct {
	Stage Stage
	// RollingBack says that the steps lead back to the old root.
	RollingBack bool
	// Failed says that the last attempt failed; the step is repeated.
	Failed bool
	// Steps are all steps of the rotation in its present direction, Step is the
	// position of the present one among them; both are empty when idle.
	Steps []Phase
	Step  int
	// Since is when the rotation began, Roots are the fingerprints of the roots that
	// it exchanges, nil if nobody recorded them, and Opening is what was said then, as
	// its first condition has it.
	Since   string
	Roots   *certificatesv1.CertificateRotationRoots
	Opening string

	strategy certificatesv1.CertificateRotationStrategy
}

// Rotating reports whether a rotation is under way.
func (p *Position) Rotating() bool { return p.Stage != StageIdle }

// Distribution returns what the meshes have, or are being given.
func (p *Position) Distribution() Distribution {
	if !p.Rotating() {
		return before()
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

// Locate finds out from the conditions of a VirtualMesh where its rotation
// stands. Conditions that no rotation can have led to are an error: somebody
// edited them.
func Locate(conditions []certificatesv1.CertificateRotationCondition) (Position, error) {
	p := Position{Stage: StageIdle}
	for i := range conditions {
		if err := p.take(&conditions[i]); err != nil {
			return Position{}, fmt.Errorf("condition %d of %d: %w", i+1, len(conditions), err)
		}
	}
	return p, nil
}

// take follows one condition.
func (p *Position) take(c *certificatesv1.CertificateRotationCondition) error {
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
		if !p.forward(c) {
			return impossible()
		}
	case StateRollingBack:
		if !p.back() {
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

// forward follows a forward state: the first one, the same again, or the next
// one after the present one was verified.
func (p *Position) forward(c *certificatesv1.CertificateRotationCondition) bool {
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
	case p.Phase().State == c.State: // tried again
	case p.Stage == StageVerified && !p.Last() && p.Steps[p.Step+1].State == c.State:
		p.Step++
	default:
		return false
	}
	p.Stage = StageDistributing
	return true
}

// back follows ROLLING_BACK: the beginning of the way back, the same step again,
// or the next one after the present one was verified.
func (p *Position) back() bool {
	switch {
	case !p.Rotating():
		return false
	case !p.RollingBack:
		p.Steps, p.Step, p.RollingBack = wayBack(p.strategy, p.Step), 0, true
	case p.Stage == StageVerified && !p.Last():
		p.Step++
	case p.Stage == StageVerified:
		return false
	}
	p.Stage = StageDistributing
	return true
}

// wayBack returns the steps that lead back from a forward step. They are those
// that led there in the opposite order, for the same reason: no two meshes may
// be without a common root.
func wayBack(strategy certificatesv1.CertificateRotationStrategy, step int) []Phase {
	forward := phases(strategy)
	var steps []Phase
	for i := step - 1; i >= 0; i-- {
		steps = append(steps, Phase{StateRollingBack, forward[i].Distribution})
	}
	return append(steps, Phase{StateRollingBack, before()})
}

// Begin returns the first state of a rotation with a strategy.
func Begin(strategy certificatesv1.CertificateRotationStrategy) certificatesv1.CertificateRotationState {
	return phases(strategy)[0].State
}

// Next returns the state that comes after a verified step, and FINISHED or
// NOT_ROTATING after the last one. It is empty if the present step is not
// verified.
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

// describe says in words where the rotation stands.
func (p *Position) describe() string {
	if !p.Rotating() {
		return "not under way"
	}
	return fmt.Sprintf("%s in state %s", p.Stage, p.Phase().State)
}

// String says in a few words where the rotation stands: "step 2 of 3,
// PROPAGATING_NEW_INTERMEDIATE, verifying".
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

// maxConditions is from how many conditions on those of earlier rotations are
// dropped.
const maxConditions = 64

// Record returns the conditions with one more. One that says again what the last
// one says takes its place, and so does another failure of the same step, so that trying again and again does not fill the
// VirtualMesh; and when there are many, those of rotations that are over go.
// The conditions of the rotation under way stay: they say where it stands.
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
		if over < excess && ends(c.State) {
			over = i + 1
		}
	}
	return recorded[over:]
}

// ends reports whether a state ends a rotation.
func ends(state certificatesv1.CertificateRotationState) bool {
	return state == StateFinished || state == StateNotRotating || state == StatePreviousCA
}

package policy

import (
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// reportFailures reports what the last apply could not write, as recorded in
// statuses. A status of an earlier generation is ignored.
func (e *evaluator) reportFailures() {
	for i := range e.result.VirtualMeshes {
		vm := &e.result.VirtualMeshes[i]
		status := &vm.Resource.Status
		e.reportFailure(vm.ID(), status.State, status.Errors, status.ObservedGeneration == core.Int64(vm.Resource.Generation))
	}
	for i := range e.result.TrafficPolicies {
		p := &e.result.TrafficPolicies[i]
		status := &p.Resource.Status
		e.reportFailure(p.ID(), status.State, status.Errors, status.ObservedGeneration == core.Int64(p.Resource.Generation))
	}
	for i := range e.result.AccessPolicies {
		p := &e.result.AccessPolicies[i]
		status := &p.Resource.Status
		e.reportFailure(p.ID(), status.State, status.Errors, status.ObservedGeneration == core.Int64(p.Resource.Generation))
	}
}

// shownFailures limits the errors in one finding.
const shownFailures = 3

func (e *evaluator) reportFailure(id world.ObjectID, state core.ApprovalState, failures []string, current bool) {
	if state != core.ApprovalStateFailed || !current {
		return
	}
	shown := failures[:min(len(failures), shownFailures)]
	message := "the last apply could not write all of its configuration"
	if len(shown) > 0 {
		message += ": " + strings.Join(shown, "; ")
	}
	if more := len(failures) - len(shown); more > 0 {
		message += "; " + text.More(more)
	}
	e.report(finding.New(finding.CodeNotWritten, id, message))
}

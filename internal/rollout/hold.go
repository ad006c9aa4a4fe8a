package rollout

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// Failures returns the results of what could not be written so far.
func (r *Run) Failures() []kube.Result {
	return slices.DeleteFunc(slices.Clone(r.results), func(result kube.Result) bool { return result.Err == nil })
}

// Hold keeps objects that were not written yet from being written, where the
// function says why: it gets the stored object, nil if there is none, and the
// desired one. Such a change is Failed, and what its stored object needs stays.
func (r *Run) Hold(why func(stored, desired *unstructured.Unstructured) *kube.Error) {
	for stage, steps := range r.steps {
		r.steps[stage] = slices.DeleteFunc(steps, func(s step) bool {
			change := &r.plan.Changes[s.change]
			desired, err := change.output.Build()
			if err != nil {
				return false // writing it says so
			}
			obstacle := why(change.stored, desired)
			if obstacle == nil {
				return false
			}
			// It says nothing about the cluster, which can still be used.
			r.results[s.change].Fail(kube.ApplyAction(change.Key), obstacle)
			r.failed[change.position] = &r.results[s.change]
			return true
		})
	}
}

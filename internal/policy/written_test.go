package policy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func TestWrittenOf(t *testing.T) {
	t.Parallel()
	live := metav1.ObjectMeta{UID: "uid", Generation: 3}
	both := &core.WrittenStatus{Written: "2/2", Clusters: []string{"east", "west"}}
	some := &core.WrittenStatus{Written: "1/2", Clusters: []string{"east"}, FailedClusters: []string{"west"}}
	for name, test := range map[string]struct {
		meta     metav1.ObjectMeta
		observed core.Int64
		state    core.ApprovalState
		status   *core.WrittenStatus
		want     Written
	}{
		"a manifest":                  {metav1.ObjectMeta{Generation: 3}, 3, core.ApprovalStateAccepted, both, Written{State: WrittenUnknown}},
		"never applied":               {live, 0, "", nil, Written{State: WrittenNo}},
		"changed since":               {live, 2, core.ApprovalStateAccepted, both, Written{WrittenOutdated, []string{"east", "west"}, nil}},
		"failed":                      {live, 3, core.ApprovalStateFailed, some, Written{WrittenPartly, []string{"east"}, []string{"west"}}},
		"invalid, and failed":         {live, 3, core.ApprovalStateInvalid, some, Written{WrittenPartly, []string{"east"}, []string{"west"}}},
		"failed, by an older version": {live, 3, core.ApprovalStateFailed, nil, Written{State: WrittenPartly}},
		"written":                     {live, 3, core.ApprovalStateAccepted, both, Written{WrittenYes, []string{"east", "west"}, nil}},
	} {
		if diff := cmp.Diff(test.want, writtenOf(&test.meta, test.observed, test.state, test.status)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

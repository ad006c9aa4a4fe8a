package kube

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestWhatSaysOtherwise(t *testing.T) {
	t.Parallel()
	object := func(change func(*metav1.PartialObjectMetadata)) *metav1.PartialObjectMetadata {
		o := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
			UID: "1", Generation: 1, ResourceVersion: "1", Labels: map[string]string{"a": "b"}, Annotations: map[string]string{"c": "d"},
		}}
		change(o)
		return o
	}
	for name, test := range map[string]struct {
		change func(*metav1.PartialObjectMetadata)
		want   bool
	}{
		"a new status":       {func(o *metav1.PartialObjectMetadata) { o.ResourceVersion = "2" }, false},
		"a new spec":         {func(o *metav1.PartialObjectMetadata) { o.Generation, o.ResourceVersion = 2, "2" }, true},
		"another label":      {func(o *metav1.PartialObjectMetadata) { o.Labels = map[string]string{"a": "c"} }, true},
		"another annotation": {func(o *metav1.PartialObjectMetadata) { o.Annotations = nil }, true},
		"another object":     {func(o *metav1.PartialObjectMetadata) { o.UID = "2" }, true},
	} {
		if got := changedBeyondStatus(object(func(*metav1.PartialObjectMetadata) {}), object(test.change)); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

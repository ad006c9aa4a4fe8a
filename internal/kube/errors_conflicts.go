package kube

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fieldConflicts returns the fields that prevent an apply, with path and owner;
// nil if the error is not about fields.
func fieldConflicts(err error) []FieldConflict {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var conflicts []FieldConflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type == metav1.CauseTypeFieldManagerConflict {
			conflicts = append(conflicts, FieldConflict{Field: strings.TrimPrefix(cause.Field, "."), Owner: ownerOf(cause.Message)})
		}
	}
	slices.SortFunc(conflicts, func(a, b FieldConflict) int {
		return cmp.Or(strings.Compare(a.Field, b.Field), strings.Compare(a.Owner, b.Owner))
	})
	return slices.Compact(conflicts)
}

// ownerOf extracts the field manager from a message such as `conflict with
// "kubectl" using v1 at 2026-01-01T00:00:00Z`.
func ownerOf(message string) string {
	_, rest, found := strings.Cut(message, `"`)
	owner, _, closed := strings.Cut(rest, `"`)
	if !found || !closed || owner == "" {
		return "another field manager"
	}
	return owner
}

package settings

import (
	"slices"
	"testing"
)

// TestCatalogue checks that every setting is complete.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	all := keys()
	if !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("keys are not sorted, or not different: %v", all)
	}
	for _, s := range Catalogue() {
		if s.Usage == "" {
			t.Errorf("%s: no usage text", s.Key)
		}
		if s.Kind == Text {
			if _, err := s.Parse(s.Default); err != nil {
				t.Errorf("%s: its default is invalid: %v", s.Key, err)
			}
		}
		if other, found := Find(s.Key); !found || other.Key != s.Key {
			t.Errorf("%s: not found", s.Key)
		}
	}
}

package wizard_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
)

// TestEveryFieldCanBeAnswered holds the answers that the tests of the flows
// give against all there is to answer.
func TestEveryFieldCanBeAnswered(t *testing.T) {
	t.Parallel()
	// Selectors of an extension that meshctl only keeps (D29).
	unsupported := []string{"v1.DestinationSelector.VirtualDestinationMatcher", "v1.DestinationSelector.VirtualDestinationRefs", "v1.VirtualDestinationRefs.VirtualDestinations"}
	var virtualMeshes, trafficPolicies, accessPolicies []any
	for _, tt := range virtualMeshTests() {
		virtualMeshes = append(virtualMeshes, tt.want)
	}
	for _, tt := range trafficTests() {
		trafficPolicies = append(trafficPolicies, tt.want)
	}
	for _, tt := range accessTests() {
		accessPolicies = append(accessPolicies, tt.want)
	}
	tests := []struct {
		kind   reflect.Type
		inputs []any
		except []string
	}{
		{reflect.TypeFor[render.VirtualMeshInput](), virtualMeshes, unsupported},
		{reflect.TypeFor[render.TrafficPolicyInput](), trafficPolicies, append(unsupported,
			// Older spellings of uri, and targets that are only kept.
			"v1.HTTPMatcher.Exact", "v1.HTTPMatcher.Prefix", "v1.HTTPMatcher.Regex",
			"v1.WeightedDestination.ClusterHeader", "v1.WeightedDestination.StaticDestination", "v1.WeightedDestination.VirtualDestination",
			"v1.VirtualDestination.Name", "v1.VirtualDestination.Namespace", "v1.VirtualDestination.Subset",
		)},
		{reflect.TypeFor[render.AccessPolicyInput](), accessPolicies, unsupported},
	}
	for _, tt := range tests {
		t.Run(tt.kind.Name(), func(t *testing.T) {
			t.Parallel()
			all, answered := map[string]bool{}, map[string]bool{}
			declared(tt.kind, all)
			for _, in := range tt.inputs {
				set(reflect.ValueOf(in), answered)
			}
			missing := []string{}
			for field := range all {
				if !answered[field] {
					missing = append(missing, field)
				}
			}
			slices.Sort(missing)
			slices.Sort(tt.except)
			if diff := cmp.Diff(tt.except, missing); diff != "" {
				t.Errorf("fields that no test answers (-want +got):\n%s", diff)
			}
		})
	}
}

func declared(t reflect.Type, into map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		declared(t.Elem(), into)
	case reflect.Struct:
		for i := range t.NumField() {
			name := fmt.Sprintf("%v.%s", t, t.Field(i).Name)
			if f := t.Field(i); f.IsExported() && !into[name] {
				into[name] = true
				declared(f.Type, into)
			}
		}
	default:
	}
}

func set(v reflect.Value, into map[string]bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			set(v.Elem(), into)
		}
	case reflect.Slice:
		for i := range v.Len() {
			set(v.Index(i), into)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				into[fmt.Sprintf("%v.%s", v.Type(), f.Name)] = true
				set(v.Field(i), into)
			}
		}
	default:
	}
}

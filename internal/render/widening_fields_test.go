package render

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TestEverySelectorIsKnownToWiden goes over the fields of all selectors: of each,
// somebody must have decided what its absence means.
func TestEverySelectorIsKnownToWiden(t *testing.T) {
	t.Parallel()
	// Alternatives and names: without them less is selected.
	narrower := []string{
		"kubeServiceRefs", "kubeServiceRefs.services", "kubeServiceMatcher", "externalServiceMatcher", "externalServiceRefs", "externalServiceRefs.externalServices",
		"virtualDestinationMatcher", "virtualDestinationRefs", "virtualDestinationRefs.virtualDestinations",
		"uri.exact", "uri.prefix", "uri.regex", "uri.suffix", "name",
	}
	var got []string
	access, traffic := reflect.TypeFor[networkingv1.AccessPolicySpec](), reflect.TypeFor[networkingv1.TrafficPolicySpec]()
	for spec, lists := range map[reflect.Type][]string{access: {"SourceSelector", "DestinationSelector"}, traffic: {"SourceSelector", "DestinationSelector", "HTTPRequestMatchers"}} {
		for _, name := range lists {
			field, found := spec.FieldByName(name)
			if !found {
				t.Fatalf("%v has no %s", spec, name)
			}
			list, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			eachField(field.Type.Elem(), spec.Name()+" "+list+".", func(path string) { got = append(got, path) })
		}
	}
	var unknown []string
	for _, path := range got {
		list, inner, _ := strings.Cut(path, ".")
		known := unrestrictedAccess()
		if strings.HasPrefix(list, "TrafficPolicy") {
			known = unrestrictedTraffic()
		}
		if _, found := known[list[strings.Index(list, " ")+1:]+"[]."+inner]; !found && !slices.Contains(narrower, inner) {
			unknown = append(unknown, path)
		}
	}
	if diff := cmp.Diff([]string(nil), unknown); diff != "" {
		t.Errorf("fields of selectors that nobody decided about:\n%s", diff)
	}
}

func eachField(t reflect.Type, path string, yield func(string)) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		inner := field.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Bool {
			continue
		}
		yield(path + name)
		if inner.Kind() == reflect.Struct {
			eachField(inner, path+name+".", yield)
		}
	}
}

package v1_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func TestGatewaySelectorsInBothSpellings(t *testing.T) {
	selectors := []networkingv1.IngressGatewaySelector{{}}
	tests := []struct {
		name       string
		federation *networkingv1.Federation
		want       []networkingv1.IngressGatewaySelector
	}{
		{"no federation", nil, nil},
		{"none", &networkingv1.Federation{}, nil},
		{"current", &networkingv1.Federation{IngressGatewaySelectors: selectors}, selectors},
		{"deprecated", &networkingv1.Federation{EastWestIngressGatewaySelectors: selectors}, selectors},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, test.federation.GatewaySelectors()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

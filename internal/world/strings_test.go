package world_test

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/world"
)

func TestTrustDomainProblem(t *testing.T) {
	t.Parallel()
	for text, usable := range map[string]bool{
		"cluster.local": true, "east_1.example-2": true, strings.Repeat("a", 255): true,
		"": false, "*": false, "*.example": false, "East.example": false, "a/ns/b": false, "a:443": false, "a\x1b]0;x": false,
		"\u0430.example": false, "a b": false, strings.Repeat("a", 256): false,
	} {
		if reason := world.TrustDomainProblem(text); (reason == "") != usable {
			t.Errorf("%q: %q", text, reason)
		}
	}
}

func TestAddressProblem(t *testing.T) {
	t.Parallel()
	for text, usable := range map[string]bool{
		"192.0.2.10": true, "10.1.2.3": true, "2001:db8::1": true, "::ffff:192.0.2.10": true, "gw.example.com": true,
		"127.0.0.1": false, "127.1.2.3": false, "::1": false, "::ffff:127.0.0.1": false, "0.0.0.0": false, "::": false,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false,
		"224.0.0.1": false, "ff02::1": false, "::ffff:224.0.0.1": false, "localhost": false, "LOCALHOST.": false, "a.localhost": false,
	} {
		if reason := world.AddressProblem(text); (reason == "") != usable {
			t.Errorf("%q: %q", text, reason)
		}
	}
}

package limits

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestProblemOfHeaderValue holds what Envoy 1.40 and istiod say about each value.
func TestProblemOfHeaderValue(t *testing.T) {
	t.Parallel()
	const write = "; write %% for a percent sign"
	for value, want := range map[string]string{
		"": "", "plain": "", "with\ttab": "", "100%%": "", "%HOSTNAME%": "", "at %HOSTNAME% now": "", "%%%HOSTNAME%%%": "",
		"%REQ(x-a?x-b)%": "", "%REQ(:path)%": "", "%PATH%": "", "%PATH:5%": "", "%PATH(NQ:ORIG)%": "", "%QUERY_PARAM(a b)%": "",
		`%UPSTREAM_METADATA(["a", "b"])%`: "", "%PER_REQUEST_STATE(a)%": "", "%METADATA(CLUSTER:a)%": "", "%GRPC_STATUS%": "", "%GRPC_STATUS(NUMBER)%": "",
		"%FILTER_STATE(a)%": "", "%FILTER_STATE(a:PLAIN)%": "", "%FILTER_STATE(a:FIELD:b)%": "", "%COMMON_DURATION(a:b:ms)%": "",
		`%START_TIME(a\)b)%`: "", "%START_TIME(%Y-%m-%dT%H:%M:%S%z)%": "",
		strings.Repeat("a", 16384): "",

		strings.Repeat("a", 16385): "longer than 16384 bytes",
		"a\nb":                     "contains control characters",
		"\x7f":                     "contains control characters",
		"100%":                     "the percent sign starts no variable of the proxy" + write,
		"abc%123":                  "the percent sign starts no variable of the proxy" + write,
		"%START_TIME%%":            "the percent sign starts no variable of the proxy" + write,
		"%HOSTNAME%x%":             "the percent sign starts no variable of the proxy" + write,
		"%REQ(%":                   "the percent sign starts no variable of the proxy" + write,
		"%REQ()%":                  "the percent sign starts no variable of the proxy" + write,
		"%REQ(a)":                  "the percent sign starts no variable of the proxy" + write,
		"%REQ(a) b%":               "the percent sign starts no variable of the proxy" + write,
		"%REQ(a) %":                "the percent sign starts no variable of the proxy" + write,
		"%REQ(a):5%":               "the percent sign starts no variable of the proxy" + write,
		`%REQ("a")%`:               "the percent sign starts no variable of the proxy" + write,
		`%UPSTREAM_METADATA([a])%`: "the percent sign starts no variable of the proxy" + write,
		"%PATH:x%":                 "the percent sign starts no variable of the proxy" + write,
		"token=abc%3D%3D":          "%3D% is not a variable of the proxy" + write,
		"%NOTHING%":                "%NOTHING% is not a variable of the proxy" + write,
		"%req(a)%":                 "%req(a)% is not a variable of the proxy" + write,
		"% HOSTNAME%":              "% HOSTNAME% is not a variable of the proxy" + write,
		"%REQ%":                    "%REQ% needs arguments" + write,
		"%PER_REQUEST_STATE%":      "%PER_REQUEST_STATE% needs arguments" + write,
		"%PROTOCOL(a)%":            "%PROTOCOL(a)% takes no arguments" + write,
		"%HOSTNAME:5%":             "%HOSTNAME:5% cannot have a length" + write,
		"%REQ( a )%":               "%REQ( a )% has invalid arguments" + write,
		"%REQ(a?b?c)%":             "%REQ(a?b?c)% has invalid arguments" + write,
		"%REQ(a:b)%":               "%REQ(a:b)% has invalid arguments" + write,
		"%GRPC_STATUS(x)%":         "%GRPC_STATUS(x)% has invalid arguments" + write,
		"%METADATA(REQUEST:a)%":    "%METADATA(REQUEST:a)% has invalid arguments" + write,
		"%FILTER_STATE(a:x)%":      "%FILTER_STATE(a:x)% has invalid arguments" + write,
		"%FILTER_STATE(a:FIELD)%":  "%FILTER_STATE(a:FIELD)% has invalid arguments" + write,
		"%COMMON_DURATION(a:b:s)%": "%COMMON_DURATION(a:b:s)% has invalid arguments" + write,
		"%PATH(a)%":                "%PATH(a)% has invalid arguments" + write,
		"%QUERY_PARAMS(x)%":        "%QUERY_PARAMS(x)% has invalid arguments" + write,
		"%START_TIME(%n)%":         "%START_TIME(%n)% has invalid arguments" + write,
		"%START_TIME(%-3En)%":      "%START_TIME(%-3En)% has invalid arguments" + write,
	} {
		if diff := cmp.Diff(want, headerValueProblem(value)); diff != "" {
			t.Errorf("%.100q (-want +got):\n%s", value, diff)
		}
	}
}

package limits

import "testing"

func TestFlawOfHeaderValue(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"", "plain", "with\ttab", "100%%", "%HOSTNAME%", "at %HOSTNAME% now", "%REQ(x-a?x-b)%", `%UPSTREAM_METADATA(["a", "b"])%`, "%%%HOSTNAME%%%",
		`%START_TIME(a\)b)%`, "%REQ( a ) %",
	} {
		if flaw := headerValueProblem(good); flaw != "" {
			t.Errorf("%q: %s", good, flaw)
		}
	}
	for _, bad := range []string{
		"100%", "abc%123", "%START_TIME%%", "a\nb", "\x7f", "%REQ(%", "%REQ()%", "%REQ(a) b%", `%UPSTREAM_METADATA([a])%`, `%REQ("a")%`, "%REQ(a)",
	} {
		if headerValueProblem(bad) == "" {
			t.Errorf("%q is accepted", bad)
		}
	}
}

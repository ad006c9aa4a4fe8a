package echo

import "testing"

func TestPeer(t *testing.T) {
	t.Parallel()
	const reviews = "spiffe://cluster.local/ns/bookinfo/sa/reviews"
	for name, test := range map[string]struct {
		values []string
		want   string
	}{
		"no header":              {nil, ""},
		"as sidecars write it":   {[]string{`By=spiffe://x/ns/a/sa/b;Hash=ab12;Subject="";URI=` + reviews}, reviews},
		"last element":           {[]string{"URI=spiffe://x/first,By=spiffe://x/me;URI=" + reviews}, reviews},
		"last element has none":  {[]string{"URI=" + reviews + ",By=spiffe://x/me;Hash=1"}, ""},
		"last value":             {[]string{"URI=spiffe://x/first", "URI=" + reviews}, reviews},
		"quoted separators":      {[]string{`Subject="CN=a,O=b;URI=spiffe://x/fake,\"c";URI=` + reviews}, reviews},
		"quoted URI":             {[]string{`URI="` + reviews + `"`}, reviews},
		"any case, with a space": {[]string{"By=spiffe://x/me; uri=" + reviews}, reviews},
		"first of several URIs":  {[]string{"URI=" + reviews + ";URI=spiffe://x/second"}, reviews},
		"open quote":             {[]string{`Subject="CN=a;URI=spiffe://x`}, ""},
		"backslash at the end":   {[]string{`Subject="\`}, ""},
		"empty":                  {[]string{""}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := peer(test.values); got != test.want {
				t.Errorf("peer(%q) = %q, want %q", test.values, got, test.want)
			}
		})
	}
}

package judge

import (
	"math"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"

	"github.com/meshctl/meshctl/hack/lab/client"
)

func ptr(s string) *string { return &s }

func TestMatch(t *testing.T) {
	t.Parallel()
	get := func(path string, headers ...string) client.Request {
		r := client.Request{Protocol: client.HTTP1, Method: "GET", Path: path, Headers: map[string]string{}}
		for i := 0; i < len(headers); i += 2 {
			r.Headers[headers[i]] = headers[i+1]
		}
		return r
	}
	header := func(h core.HeaderMatcher) *Match { return &Match{Headers: []core.HeaderMatcher{h}} }
	query := func(q core.QueryParameterMatcher) *Match {
		return &Match{QueryParameters: []core.QueryParameterMatcher{q}}
	}
	tests := []struct {
		name    string
		match   *Match
		request client.Request
		want    bool
	}{
		{"everything", nil, get("/"), true},
		{"exact path with a query", &Match{URI: &core.StringMatch{Exact: ptr("/a")}}, get("/a?b=c"), true},
		{"exact path in another case", &Match{URI: &core.StringMatch{Exact: ptr("/a")}}, get("/A"), false},
		{"exact path whatever the case", &Match{URI: &core.StringMatch{Exact: ptr("/a"), IgnoreCase: true}}, get("/A"), true},
		{"prefix is no segment", &Match{URI: &core.StringMatch{Prefix: ptr("/api")}}, get("/apix"), true},
		{"prefix that is too long", &Match{URI: &core.StringMatch{Prefix: ptr("/api/")}}, get("/api"), false},
		{"suffix", &Match{URI: &core.StringMatch{Suffix: ptr(".png")}}, get("/a.png?x"), true},
		{"suffix without its dot", &Match{URI: &core.StringMatch{Suffix: ptr(".png")}}, get("/apng"), false},
		{"regex of the whole path", &Match{URI: &core.StringMatch{Regex: ptr("/v[0-9]")}}, get("/v1/a"), false},
		{"method", &Match{Method: "POST"}, get("/"), false},
		{"header", header(core.HeaderMatcher{Name: "X-Plan", Value: "gold"}), get("/", "x-plan", "gold"), true},
		{"header with another value", header(core.HeaderMatcher{Name: "x-plan", Value: "gold"}), get("/", "x-plan", "golden"), false},
		{"header that is present", header(core.HeaderMatcher{Name: "x-plan"}), get("/", "x-plan", ""), true},
		{"header that is absent", header(core.HeaderMatcher{Name: "x-plan"}), get("/"), false},
		{"header by regex", header(core.HeaderMatcher{Name: "x-plan", Value: "g.*", Regex: true}), get("/", "x-plan", "gold"), true},
		{"inverted, absent", header(core.HeaderMatcher{Name: "x-plan", Value: "gold", InvertMatch: true}), get("/"), true},
		{"inverted, present", header(core.HeaderMatcher{Name: "x-plan", Value: "gold", InvertMatch: true}), get("/", "x-plan", "gold"), false},
		{"query", query(core.QueryParameterMatcher{Name: "v", Value: "2"}), get("/?v=2"), true},
		{"other query", query(core.QueryParameterMatcher{Name: "v", Value: "2"}), get("/?v=3"), false},
		{"query by regex", query(core.QueryParameterMatcher{Name: "v", Value: "[0-9]", Regex: true}), get("/?v=33"), false},
		{"query that is present", query(core.QueryParameterMatcher{Name: "v"}), get("/?v"), true},
	}
	for _, test := range tests {
		if got := test.match.matches(test.request); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	s := &service{
		ports:    []servicePort{{number: 80, kind: kindHTTP, target: intstr.FromInt32(8080)}, {number: 90, kind: kindTCP, target: intstr.FromInt32(9090)}},
		backends: []*workload{{}},
	}
	request := func(protocol client.Protocol, method, path string) client.Request {
		return client.Request{Protocol: protocol, Method: method, Path: path}
	}
	tests := []struct {
		name      string
		condition Condition
		request   client.Request
		port      int
		want      decided
	}{
		{"none", Condition{}, request(client.HTTP1, "GET", "/"), 0, yes},
		{"path", Condition{Paths: []string{"/x", "/a"}}, request(client.HTTP1, "GET", "/a?b"), 0, yes},
		{"path that begins so", Condition{Paths: []string{"/a/*"}}, request(client.HTTP1, "GET", "/a"), 0, no},
		{"path that ends so", Condition{Paths: []string{"*.png"}}, request(client.HTTP1, "GET", "/a.png"), 0, yes},
		{"star inside of a path", Condition{Paths: []string{"/a*b"}}, request(client.HTTP1, "GET", "/axb"), 0, no},
		{"segment", Condition{Paths: []string{"/a/{*}/c"}}, request(client.HTTP1, "GET", "/a/b/c"), 0, yes},
		{"two segments for one", Condition{Paths: []string{"/a/{*}/c"}}, request(client.HTTP1, "GET", "/a/b/b/c"), 0, no},
		{"any segments", Condition{Paths: []string{"/a/{**}"}}, request(client.HTTP1, "GET", "/a/b/b/c"), 0, yes},
		{"method in another case", Condition{Methods: []string{"get"}}, request(client.HTTP1, "GET", "/"), 0, no},
		{"path on TCP", Condition{Paths: []string{"*"}}, request(client.TCP, "", ""), 1, no},
		{"port", Condition{Ports: []uint16{80}}, request(client.HTTP1, "GET", "/"), 0, yes},
		{"other port", Condition{Ports: []uint16{80}}, request(client.TCP, "", ""), 1, no},
		{"port of the pods", Condition{Ports: []uint16{9090}}, request(client.TCP, "", ""), 1, yes},
		{"all fields", Condition{Paths: []string{"/a"}, Methods: []string{"POST"}}, request(client.HTTP1, "GET", "/a"), 0, no},
		{"a token", Condition{RequestPrincipals: []string{"*"}}, request(client.HTTP1, "GET", "/"), 0, no},
		{"an address", Condition{ForwardedIPs: []string{"10.0.0.0/8"}}, request(client.HTTP1, "GET", "/"), 0, opaque},
	}
	for _, test := range tests {
		if got := test.condition.holds(test.request, s, s.ports[test.port]); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

// TestInsideAndOutside holds that what is made to be near a border is on the
// side that it is meant for.
func TestInsideAndOutside(t *testing.T) {
	t.Parallel()
	base := client.Request{Protocol: client.HTTP1, Method: "GET", Path: "/", Headers: map[string]string{}}
	matches := []*Match{
		{URI: &core.StringMatch{Exact: ptr("/a")}, Method: "POST"},
		{URI: &core.StringMatch{Prefix: ptr("/api/")}, Headers: []core.HeaderMatcher{{Name: "X-Plan", Value: "gold"}}},
		{URI: &core.StringMatch{Regex: ptr("/v[0-9]+/.*")}, QueryParameters: []core.QueryParameterMatcher{{Name: "q", Value: "[a-z]{2}", Regex: true}}},
		{URI: &core.StringMatch{Suffix: ptr(".png")}, Headers: []core.HeaderMatcher{{Name: "x-internal", Value: "no", InvertMatch: true}, {Name: "x-debug"}}},
		{Headers: []core.HeaderMatcher{{Name: "x-plan", Value: "(gold|silver)!?", Regex: true}}},
	}
	missed := 0
	for i, m := range matches {
		inside, possible := m.satisfy(base)
		if !possible || !m.matches(inside) {
			t.Errorf("match %d: no request inside: %+v", i, inside)
		}
		for _, v := range m.miss(base) {
			missed++
			if m.matches(v.request) {
				t.Errorf("match %d: %+v is outside by its %s", i, v.request, v.name)
			}
		}
	}
	if missed != 11 {
		t.Errorf("%d requests outside, want 11", missed)
	}
	s := &service{ports: []servicePort{{number: 80}}}
	for _, c := range []Condition{
		{Paths: []string{"/health", "/api/*"}, Methods: []string{"GET"}}, {Paths: []string{"*.png"}}, {Paths: []string{"/a/{*}"}, Methods: []string{"POST", "PUT"}},
	} {
		if got := c.holds(c.satisfy(base), s, s.ports[0]); got != yes {
			t.Errorf("%+v: %+v is not inside", c, c.satisfy(base))
		}
		if len(c.miss(base)) == 0 {
			t.Errorf("%+v: nothing is outside", c)
		}
		for _, v := range c.miss(base) {
			if got := c.holds(v.request, s, s.ports[0]); got != no {
				t.Errorf("%+v: %+v is outside by its %s", c, v.request, v.name)
			}
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		n           int
		low, high   float64
		least, most int
	}{
		{1, 1, 1, 1, 1},
		{1, 0, 0, 0, 0},
		{1, 0.5, 0.5, 0, 1},
		{40, 0, 1, 0, 40},
		// Half of 40: mean 20, standard deviation 3.2; five of them to each side.
		{40, 0.5, 0.5, 5, 35},
		// A tenth of 160 may not be none: 0.9^160 is below one of ten million.
		{160, 0.1, 0.1, 1, 39},
	}
	for _, test := range tests {
		least, most := bounds(test.n, test.low, test.high)
		if least != test.least || most != test.most {
			t.Errorf("%d of %v to %v: %d to %d, want %d to %d", test.n, test.low, test.high, least, most, test.least, test.most)
		}
	}
	sum := 0.0
	for k := range 41 {
		sum += binomial(40, k, 0.3)
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("probabilities add up to %v", sum)
	}
}

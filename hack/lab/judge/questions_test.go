package judge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

func bundled(t *testing.T) worldgen.World {
	t.Helper()
	w, err := worldgen.Bundled(root)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func questions(t *testing.T, w worldgen.World, seed int64, n int) []judge.Question {
	t.Helper()
	found, err := judge.Questions(w, described(t, w), seed, n)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestQuestionsOfTheBundledWorld looks at what a sample of 60 of its questions
// exercises.
func TestQuestionsOfTheBundledWorld(t *testing.T) {
	t.Parallel()
	w := bundled(t)
	d := described(t, w)
	sample, err := judge.Questions(w, d, 1, 60)
	if err != nil {
		t.Fatal(err)
	}
	if len(sample) != 60 {
		t.Fatalf("%d questions, want 60", len(sample))
	}
	again, err := judge.Questions(w, d, 1, 60)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(names(sample), names(again)); diff != "" {
		t.Errorf("the same seed asks something else:\n%s", diff)
	}
	other, err := judge.Questions(w, d, 2, 60)
	if err != nil {
		t.Fatal(err)
	}
	if cmp.Equal(names(sample), names(other)) {
		t.Error("another seed asks the same")
	}
	tags := map[string]bool{}
	for _, q := range sample {
		for _, tag := range q.Tags {
			tags[tag] = true
		}
	}
	for _, want := range []string{
		"local ALLOWED http", "local DENIED http", "local CONDITIONAL http", "gateway ALLOWED http", "gateway DENIED http",
		"local ALLOWED", "local DENIED",
		"setting details-mirror mirror local", "setting details-abort-drill faultInjection local", "setting details-abort-drill faultInjection gateway",
		"setting reviews-shift trafficShift local", "setting reviews-retries retries local", "setting reviews-request-timeout requestTimeout local",
		"setting ratings-delay-jason faultInjection local", "setting productpage-cors corsPolicy local",
		"access policy productpage-to-details local ALLOWED", "access policy health-checks-east local DENIED", "access policy health-checks-east local ALLOWED",
		"variant access inside", "variant access outside path", "variant access outside method", "variant route inside", "variant route outside header",
		"probe above the timeout", "probe below the timeout", "probe failing", "probe allowed origin 1", "probe allowed origin 2", "probe preflight of strange origin",
		"share to another cluster true, subset true, DENIED", "share to another cluster false, subset true, ALLOWED",
	} {
		if !tags[want] {
			t.Errorf("no question with %q", want)
		}
	}
}

func names(questions []judge.Question) []string {
	var result []string
	for _, q := range questions {
		result = append(result, q.String()+" "+q.Expect.String())
	}
	return result
}

// TestExpectationsOfTheBundledWorld writes down what is expected of questions
// that cover the policies of the bundled world.
func TestExpectationsOfTheBundledWorld(t *testing.T) {
	t.Parallel()
	all := questions(t, bundled(t), 1, 0)
	find := func(parts ...string) string {
		t.Helper()
		for _, q := range all {
			text := q.String()
			if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
				_, text, _ = strings.Cut(text, ": ")
				return text + "\n=> " + q.Expect.String()
			}
		}
		return "no question has " + strings.Join(parts, " and ")
	}
	got := strings.Join([]string{
		find("productpage-v1.bookinfo.east to reviews.bookinfo.east", "GET /"),
		find("productpage-v1.bookinfo.east to reviews.bookinfo.east", "x-lab-delay: 3s"),
		find("productpage-v1.bookinfo.east to details.bookinfo.east", "x-drill: details-down,"),
		find("productpage-v1.bookinfo.west to details.bookinfo.east", "GET /"),
		find("reviews-v1.bookinfo.east to ratings.bookinfo.east", "end-user: jason"),
		find("reviews-v1.bookinfo.east to ratings.bookinfo.east", "GET /healthx"),
		find("reviews-v1.bookinfo.east to ratings.bookinfo.east", "DELETE /"),
		find("reviews-v1.bookinfo.east to productpage.bookinfo.east", "GET /health", "origin: https://shop"),
		find("reviews-v1.bookinfo.east to productpage.bookinfo.east", "OPTIONS", "/health", "origin: https://shop"),
	}, "\n")
	want := `productpage-v1.bookinfo.east to reviews.bookinfo.east (local, http), HTTP/1.1 reviews.bookinfo.svc.cluster.local:9080, GET /, 57 times
=> ALLOWED; route 0; timeout 10s; attempts 3; each within 2s; 50% to reviews.bookinfo.east map[version:v1]: ALLOWED by reviews-v1.bookinfo.east:9080; 25% to reviews.bookinfo.east map[version:v2]: ALLOWED by reviews-v2.bookinfo.east:9080; 25% to reviews.bookinfo.west map[version:v3]: DENIED by reviews-v3.bookinfo.west:9080
productpage-v1.bookinfo.east to reviews.bookinfo.east (local, http), HTTP/1.1 reviews.bookinfo.svc.cluster.local:9080, GET /, x-lab-delay: 3s
=> ALLOWED; route 0; timeout 10s; attempts 3; each within 2s; 50% to reviews.bookinfo.east map[version:v1]: ALLOWED by reviews-v1.bookinfo.east:9080; 25% to reviews.bookinfo.east map[version:v2]: ALLOWED by reviews-v2.bookinfo.east:9080; 25% to reviews.bookinfo.west map[version:v3]: DENIED by reviews-v3.bookinfo.west:9080
productpage-v1.bookinfo.east to details.bookinfo.east (local, http), HTTP/1.1 details.bookinfo.svc.cluster.local:9080, GET /, x-drill: details-down, 153 times
=> ALLOWED; route 0; abort 503 for 50%; 10% copied to details.bookinfo.west (UNREACHABLE); 100% to details.bookinfo.east map[]: ALLOWED by details-v1.bookinfo.east:9080
productpage-v1.bookinfo.west to details.bookinfo.east (gateway, http), HTTP/1.1 details.bookinfo.svc.east.global:9080, GET /, 153 times
=> ALLOWED; route 1; 10% copied to details.bookinfo.west (UNREACHABLE); 100% to details.bookinfo.east map[]: ALLOWED by details-v1.bookinfo.east:9080
reviews-v1.bookinfo.east to ratings.bookinfo.east (local, http), HTTP/1.1 ratings.bookinfo.svc.cluster.local:9080, GET /health, end-user: jason
=> ALLOWED; route 0; delay 7s for 100%; 100% to ratings.bookinfo.east map[]: ALLOWED by ratings-v1.bookinfo.east:9080
reviews-v1.bookinfo.east to ratings.bookinfo.east (local, http), HTTP/1.1 ratings.bookinfo.svc.cluster.local:9080, GET /healthx
=> ALLOWED; route 1; 100% to ratings.bookinfo.east map[]: ALLOWED by ratings-v1.bookinfo.east:9080
reviews-v1.bookinfo.east to ratings.bookinfo.east (local, http), HTTP/1.1 ratings.bookinfo.svc.cluster.local:9080, DELETE /health
=> DENIED; route 1; 100% to ratings.bookinfo.east map[]: DENIED by ratings-v1.bookinfo.east:9080
reviews-v1.bookinfo.east to productpage.bookinfo.east (local, http), HTTP/1.1 productpage.bookinfo.svc.cluster.local:9080, GET /health, origin: https://shop.example.com
=> ALLOWED; route 0; allows origin https://shop.example.com; 100% to productpage.bookinfo.east map[]: ALLOWED by productpage-v1.bookinfo.east:9080
reviews-v1.bookinfo.east to productpage.bookinfo.east (local, http), HTTP/1.1 productpage.bookinfo.svc.cluster.local:9080, OPTIONS /health, access-control-request-method: GET, origin: https://shop.example.com
=> DENIED; route 0; preflight answered by the proxy; allows origin https://shop.example.com; 100% to productpage.bookinfo.east map[]: DENIED by productpage-v1.bookinfo.east:9080`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("expectations (-want +got):\n%s", diff)
	}
}

package judge_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/echo"
	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

func ask(f *fake, questions []judge.Question) judge.Report {
	runner := judge.Runner{Sender: f, Parallel: 4, Settle: time.Nanosecond}
	return runner.Run(context.Background(), questions)
}

// aspects returns the aspects of all disagreements.
func aspects(r judge.Report) []string {
	var found []string
	for _, d := range r.Disagreements {
		found = append(found, d.Aspect)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// TestAMeshThatDoesWhatIsSaid holds that nothing is reported of it, for all
// questions about the bundled and a few random worlds.
func TestAMeshThatDoesWhatIsSaid(t *testing.T) {
	t.Parallel()
	worlds := []worldgen.World{bundled(t)}
	for _, seed := range []int64{2, 5, 8, 9} {
		worlds = append(worlds, worldgen.Generate(seed, worldgen.Options{}))
	}
	for _, w := range worlds {
		all := questions(t, w, 1, 0)
		report := ask(newFake(all), all)
		if len(report.Disagreements)+len(report.Errors) > 0 || report.Asked != len(all) || report.Again > 0 {
			t.Errorf("world %s:\n%s", w.Name, report)
		}
		if err := report.Err(); err != nil {
			t.Errorf("world %s: %v", w.Name, err)
		}
	}
}

// deviation is a way in which a mesh may differ from what is said, and what
// notices it.
type deviation struct {
	name   string
	aspect string
	// about picks a question by a part of its text and expectation.
	about  []string
	change func(*judge.Question)
	spoil  func(judge.Question, *client.Outcome, *[]echo.Seen)
}

func deviations() []deviation {
	const details = "productpage-v1.bookinfo.east to details.bookinfo.east"
	onSeen := func(change func(*echo.Seen)) func(judge.Question, *client.Outcome, *[]echo.Seen) {
		return func(_ judge.Question, o *client.Outcome, _ *[]echo.Seen) {
			if o.Seen != nil {
				change(o.Seen)
			}
		}
	}
	verdict := func(v judge.Verdict) func(*judge.Question) {
		return func(q *judge.Question) {
			for i := range q.Expect.Shares {
				for k := range q.Expect.Shares[i].Backends {
					q.Expect.Shares[i].Backends[k].Verdict = v
				}
			}
		}
	}
	return []deviation{
		{name: "denies what is allowed", aspect: "outcome", about: []string{details, "ALLOWED"}, change: verdict(judge.Denied)},
		{name: "lets in what is denied", aspect: "outcome", about: []string{"DENIED", "gateway"}, change: verdict(judge.Allowed)},
		{name: "lets in what a condition excludes", aspect: "outcome", about: []string{"DELETE", "DENIED"}, change: verdict(judge.Allowed)},
		{name: "answers 503", aspect: "outcome", about: []string{"productpage-v1.bookinfo.west to details.bookinfo.east", "ALLOWED"}, spoil: func(_ judge.Question, o *client.Outcome, seen *[]echo.Seen) {
			*o, *seen = client.Outcome{Status: 503, GRPCStatus: -1, Body: "no healthy upstream"}, nil
		}},
		{name: "resets", aspect: "outcome", about: []string{details, "ALLOWED"}, spoil: func(_ judge.Question, o *client.Outcome, seen *[]echo.Seen) {
			*o, *seen = client.Outcome{GRPCStatus: -1, Failure: client.FailedReset}, nil
		}},
		{name: "fails once", aspect: "outcome", about: []string{"reviews.bookinfo.east", "57 times"}, spoil: once(func(o *client.Outcome, seen *[]echo.Seen) {
			*o, *seen = client.Outcome{Status: 503, GRPCStatus: -1}, nil
		})},
		{name: "another cluster answers", aspect: "backend", about: []string{details, "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Cluster = "west" })},
		{name: "another workload answers", aspect: "backend", about: []string{details, "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Workload = "ratings-v1" })},
		{name: "another port answers", aspect: "port", about: []string{details, "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Port++ })},
		{name: "another identity arrives", aspect: "identity", about: []string{details, "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Peer = "spiffe://somebody" })},
		{name: "no identity arrives", aspect: "identity", about: []string{"productpage-v1.bookinfo.west to details.bookinfo.east", "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Peer = "" })},
		{name: "weights differ", aspect: "weights", about: []string{"productpage-v1.bookinfo.east to reviews.bookinfo.east", " times", "25%"}, change: func(q *judge.Question) {
			q.Expect.Shares[0].Weight, q.Expect.Shares[1].Weight = 0, 75
		}},
		{name: "a share is let in", aspect: "outcome", about: []string{"productpage-v1.bookinfo.east to reviews.bookinfo.east", " times", "25%"}, change: func(q *judge.Question) {
			q.Expect.Shares = slices.Clone(q.Expect.Shares)
			q.Expect.Shares[2].Weight, q.Expect.Shares[0].Weight = 0, 75
		}},
		{name: "no abort", aspect: "outcome", about: []string{details, "abort 503 for 50%"}, change: func(q *judge.Question) { q.Expect.Abort = nil }},
		{name: "abort of everything", aspect: "outcome", about: []string{details, "abort 503 for 50%"}, change: func(q *judge.Question) { q.Expect.Abort.Percent = 100 }},
		{name: "abort without being told", aspect: "outcome", about: []string{details, "GET /, 153 times"}, change: func(q *judge.Question) { q.Expect.Abort = &judge.Abort{Status: 503, Percent: 50} }},
		{name: "no delay", aspect: "duration", about: []string{"delay 7s"}, change: func(q *judge.Question) { q.Expect.Delay = nil }},
		{name: "no timeout", aspect: "outcome", about: []string{"x-lab-delay: 3s", "ALLOWED"}, change: func(q *judge.Question) { q.Expect.Timeout, q.Expect.Retries = 0, nil }},
		{name: "a timeout that is too short", aspect: "outcome", about: []string{"x-lab-delay: 500ms", "ALLOWED"}, change: func(q *judge.Question) { q.Expect.Timeout = 100 * time.Millisecond }},
		{name: "ends before the timeout", aspect: "duration", about: []string{"x-lab-delay: 3s", "ALLOWED"}, spoil: func(_ judge.Question, o *client.Outcome, _ *[]echo.Seen) { o.Duration /= 10 }},
		{name: "asks again after a status", aspect: "attempts", about: []string{"x-lab-status: 503", "ALLOWED"}, spoil: func(_ judge.Question, _ *client.Outcome, seen *[]echo.Seen) {
			*seen = append(*seen, *seen...)
		}},
		{name: "arrives where it is denied", aspect: "attempts", about: []string{"DENIED", "gateway"}, spoil: func(_ judge.Question, _ *client.Outcome, seen *[]echo.Seen) {
			*seen = append(*seen, echo.Seen{Host: "details"})
		}},
		{name: "a removed header is back", aspect: "headers", about: []string{"x-powered-by=sent", "ALLOWED"}, spoil: func(_ judge.Question, o *client.Outcome, _ *[]echo.Seen) {
			o.Headers["x-powered-by"] = "sent"
		}},
		{name: "a header is not added", aspect: "headers", about: []string{"x-secret: sent", "GET /api/items", "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { delete(s.Headers, "x-added") })},
		{name: "a request header stays", aspect: "headers", about: []string{"x-secret: sent", "GET /api/items", "ALLOWED"}, spoil: onSeen(func(s *echo.Seen) { s.Headers["x-secret"] = []string{"sent"} })},
		{name: "a response header is not added", aspect: "headers", about: []string{"x-secret: sent", "GET /api/items", "ALLOWED"}, spoil: func(_ judge.Question, o *client.Outcome, _ *[]echo.Seen) {
			delete(o.Headers, "x-answered")
		}},
		{name: "a header that nobody mentions is lost", aspect: "headers", about: []string{details, "x-drill: details-down,"}, spoil: onSeen(func(s *echo.Seen) { delete(s.Headers, "x-drill") })},
		{name: "no copies", aspect: "mirror", about: []string{"stock.shop.east", "100% copied"}, change: func(q *judge.Question) { q.Expect.Mirror = nil }},
		{name: "copies without being told", aspect: "mirror", about: []string{"productpage-v1.bookinfo.west to reviews.bookinfo.west", "ALLOWED", "GET /"}, spoil: func(_ judge.Question, o *client.Outcome, seen *[]echo.Seen) {
			copied := *o.Seen
			copied.Host += "-shadow"
			*seen = append(*seen, copied)
		}},
		{name: "copies go elsewhere", aspect: "mirror", about: []string{"stock.shop.east", "100% copied"}, spoil: func(_ judge.Question, _ *client.Outcome, seen *[]echo.Seen) {
			for i := range *seen {
				(*seen)[i].Cluster = "nowhere"
			}
		}},
		{name: "a strange origin is allowed", aspect: "cors", about: []string{"origin: https://strange", "GET", "ALLOWED", "stock"}, change: func(q *judge.Question) { q.Expect.AllowOrigin = "https://strange.example.org" }},
		{name: "a preflight is not answered", aspect: "outcome", about: []string{"preflight answered", "stock"}, change: func(q *judge.Question) { q.Expect.Preflight = false }},
		{name: "TCP is closed", aspect: "outcome", about: []string{"TCP", "ALLOWED", "gateway"}, change: verdict(judge.Denied)},
		{name: "gRPC is denied", aspect: "outcome", about: []string{"gRPC", "ALLOWED", "gateway"}, change: verdict(judge.Denied)},
		{name: "gRPC is not asked again", aspect: "attempts", about: []string{"x-lab-grpc-status: 14", "ALLOWED"}, change: func(q *judge.Question) { q.Expect.Retries = &judge.Retries{} }},
	}
}

// once spoils a single repetition.
func once(spoil func(*client.Outcome, *[]echo.Seen)) func(judge.Question, *client.Outcome, *[]echo.Seen) {
	done := false
	return func(_ judge.Question, o *client.Outcome, seen *[]echo.Seen) {
		if !done {
			spoil(o, seen)
		}
		done = true
	}
}

// everything is a world whose policies touch stock and pay.
func everything() worldgen.World {
	return worldgen.Plain("everything", "STRICT", "DISABLED",
		worldgen.Resource("TrafficPolicy", "headers", `
destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]
httpRequestMatchers: [{uri: {exact: /api/items}}]
policy: {headerManipulation: {appendRequestHeaders: {x-added: one}, removeRequestHeaders: [x-secret], appendResponseHeaders: {x-answered: "yes"}, removeResponseHeaders: [x-powered-by]}}`),
		worldgen.Resource("TrafficPolicy", "mirror", `
destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]
policy: {mirror: {kubeService: {name: stock, namespace: shop, clusterName: west}}}`),
		worldgen.Resource("TrafficPolicy", "cors", `
destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]
policy: {corsPolicy: {allowOrigins: [{exact: "https://shop.example.com"}], allowMethods: [GET]}}`),
		worldgen.Resource("TrafficPolicy", "retries", `
destinationSelector: [{kubeServiceRefs: {services: [{name: pay, namespace: bank, clusterName: east}]}}]
policy: {retries: {attempts: 3}}`),
	)
}

// TestDeviationsAreNoticed lets a mesh deviate in one respect at a time.
func TestDeviationsAreNoticed(t *testing.T) {
	t.Parallel()
	all := append(questions(t, bundled(t), 1, 0), questions(t, everything(), 1, 0)...)
	for _, d := range deviations() {
		t.Run(strings.ReplaceAll(d.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			i := slices.IndexFunc(all, func(q judge.Question) bool {
				text := q.String() + " " + q.Expect.String()
				return !slices.ContainsFunc(d.about, func(part string) bool { return !strings.Contains(text, part) })
			})
			if i < 0 {
				t.Fatalf("no question has %s", strings.Join(d.about, " and "))
			}
			asked := all[i : i+1]
			f := newFake(asked)
			if report := ask(f, asked); len(report.Disagreements) > 0 {
				t.Fatalf("without the deviation:\n%s", report)
			}
			f.spoil = d.spoil
			if d.change != nil {
				f.change = func(q *judge.Question) {
					q.Expect = copied(q.Expect)
					d.change(q)
				}
			}
			report := ask(f, asked)
			if !slices.Contains(aspects(report), d.aspect) {
				t.Errorf("of %s\n(%s)\nnothing is said about %s:\n%s", asked[0], asked[0].Expect, d.aspect, report)
			}
			if report.Err() == nil {
				t.Error("the run counts as good")
			}
		})
	}
}

// copied returns an expectation that may be changed.
func copied(e judge.Expectation) judge.Expectation {
	e.Shares = slices.Clone(e.Shares)
	for i := range e.Shares {
		e.Shares[i].Backends = slices.Clone(e.Shares[i].Backends)
	}
	if e.Abort != nil {
		abort := *e.Abort
		e.Abort = &abort
	}
	return e
}
